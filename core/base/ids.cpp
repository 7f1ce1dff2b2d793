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

void check_ranges(const char* op, const Ranges& ranges, int64_t rows, int64_t columns, const char* name, const Shape& shape) {
    require(ranges.empty() || static_cast<int64_t>(ranges.size()) == rows, "{}: one range a row: {} ranges, {} rows", op,
            ranges.size(), rows);
    for (const Range& r : ranges)
        require(0 <= r.begin && r.begin <= r.end && r.end <= columns, "{}: range leaves the axis: {} to {}, {} {}", op, r.begin,
                r.end, name, shape);
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
