#include "core/base/ids.h"

#include <algorithm>

namespace attend {

namespace {
constexpr const char* kinds[] = {"following", "masked", "none"};
}

const char* target_kind_name(TargetKind kind) { return kinds[static_cast<std::size_t>(kind)]; }

TargetKind target_kind_of(const std::string& name) {
    for (std::size_t i = 0; i < std::size(kinds); ++i)
        if (name == kinds[i])
            return static_cast<TargetKind>(i);
    fail("targets: no such kind: '{}', known {}", name, std::size(kinds));
}

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

}  // namespace attend
