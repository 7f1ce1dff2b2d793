#include "core/base/shape.h"

#include <algorithm>

namespace attend {

Shape::Shape(std::span<const int64_t> sizes) : rank_(static_cast<int>(sizes.size())) {
    require(sizes.size() <= max_rank, "shape: too many axes: rank {}, limit {}", sizes.size(), max_rank);
    std::copy(sizes.begin(), sizes.end(), sizes_.begin());
    // The bound is checked on the product of the non-zero sizes too, so [0, huge, huge] cannot
    // overflow a stride.
    int64_t bound = 1;
    for (int64_t n : sizes) {
        require(n >= 0, "shape: negative size: size {}, least 0", n);
        if (n > 0) {
            require(bound <= max_size / n, "shape: too many elements: sizes multiply to more than {}, axis of {}", max_size, n);
            bound *= n;
        }
        size_ *= n;
    }
}

int64_t Shape::outer(int axis) const {
    int64_t n = 1;
    for (int i = 0, end = checked(axis); i < end; ++i) n *= sizes_[static_cast<std::size_t>(i)];
    return n;
}
int64_t Shape::inner(int axis) const {
    int64_t n = 1;
    for (int i = checked(axis) + 1; i < rank_; ++i) n *= sizes_[static_cast<std::size_t>(i)];
    return n;
}

Shape Shape::with(int axis, int64_t size) const {
    auto copy = sizes_;
    copy[static_cast<std::size_t>(checked(axis))] = size;
    return Shape(std::span<const int64_t>(copy.data(), static_cast<std::size_t>(rank_)));
}
Shape Shape::without(int axis) const {
    auto copy = sizes_;
    std::copy(copy.begin() + checked(axis) + 1, copy.begin() + rank_, copy.begin() + checked(axis));
    return Shape(std::span<const int64_t>(copy.data(), static_cast<std::size_t>(rank_ - 1)));
}
Shape Shape::inserted(int axis, int64_t size) const {
    require(rank_ < max_rank && axis >= 0 && axis <= rank_, "shape: cannot insert an axis: axis {}, rank {}", axis, rank_);
    std::array<int64_t, max_rank> copy{};
    std::copy(sizes_.begin(), sizes_.begin() + axis, copy.begin());
    copy[static_cast<std::size_t>(axis)] = size;
    std::copy(sizes_.begin() + axis, sizes_.begin() + rank_, copy.begin() + axis + 1);
    return Shape(std::span<const int64_t>(copy.data(), static_cast<std::size_t>(rank_ + 1)));
}

std::string Shape::text() const {
    std::string s = "[";
    for (int i = 0; i < rank_; ++i) s += (i ? ", " : "") + std::to_string(sizes_[static_cast<std::size_t>(i)]);
    return s + "]";
}

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
    const int rank = std::max(a.rank(), b.rank());
    std::array<int64_t, Shape::max_rank> sizes{};
    for (int i = 1; i <= rank; ++i) {
        const int64_t m = i <= a.rank() ? a[-i] : 1, n = i <= b.rank() ? b[-i] : 1;
        require(m == n || m == 1 || n == 1, "{}: shapes do not broadcast: a {} has {} on axis -{}, b {} has {}", op, a, m, i, b,
                n);
        sizes[static_cast<std::size_t>(rank - i)] = m == 1 ? n : m;
    }
    return Shape(std::span<const int64_t>(sizes.data(), static_cast<std::size_t>(rank)));
}

}  // namespace attend
