#include "core/ids.h"

#include <algorithm>

namespace attend::inline ATTEND_PRECISION {

Ids Ids::slice(int64_t begin, int64_t end) const {
    require(0 <= begin && begin <= end && end <= rows, "ids: rows out of range: slice [{}, {}), rows {}", begin, end, rows);
    int32_t longest = 0;
    for (int64_t r = begin; r < end; ++r) longest = std::max(longest, length(r));
    Ids part(end - begin, longest);
    for (int64_t r = begin; r < end; ++r) {
        std::copy_n(row(r), longest, part.values.data() + (r - begin) * longest);
        part.lengths[static_cast<std::size_t>(r - begin)] = length(r);
    }
    return part;
}

}  // namespace attend::inline ATTEND_PRECISION
