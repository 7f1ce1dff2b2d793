#pragma once
#include <array>
#include <initializer_list>
#include <span>
#include <string>

#include "core/base/error.h"

namespace attend {

/// The sizes of a tensor's axes, outermost first; kept inline. An empty shape is a scalar of one
/// element.
class Shape {
  public:
    static constexpr int max_rank = 6;
    /// More elements than this are refused: so every byte count and flat index fits its type.
    static constexpr int64_t max_size = int64_t{1} << 40;

    Shape() = default;
    /// Throws Error when there are more than max_rank axes, one is negative, or the product exceeds
    /// max_size.
    Shape(std::initializer_list<int64_t> sizes) : Shape(std::span<const int64_t>(sizes.begin(), sizes.size())) {}
    explicit Shape(std::span<const int64_t> sizes);

    int rank() const { return rank_; }
    /// Number of elements.
    int64_t size() const { return size_; }
    /// Size of an axis; negative counts from the end. Throws Error when there is no such axis.
    int64_t operator[](int axis) const { return sizes_[static_cast<std::size_t>(checked(axis))]; }
    /// The axis as 0 ... rank-1; negative counts from the end. Throws Error when there is no such
    /// axis.
    int checked(int axis) const {
        require(axis >= -rank_ && axis < rank_, "shape: no such axis: axis {}, rank {}", axis, rank_);
        return axis < 0 ? axis + rank_ : axis;
    }
    /// Product of the axes before / after `axis`; negative counts from the end. Throw Error when
    /// there is no such axis.
    int64_t outer(int axis) const;
    int64_t inner(int axis) const;
    /// Size of the last axis, 1 for a scalar; and the number of such rows.
    int64_t columns() const { return rank_ == 0 ? 1 : (*this)[-1]; }
    int64_t rows() const { return rank_ == 0 ? 1 : outer(-1); }
    /// Copies with one axis changed or removed (axis as for operator[]), or inserted in front of
    /// `axis` (0 ... rank). Throw Error when there is no such axis.
    Shape with(int axis, int64_t size) const;
    Shape without(int axis) const;
    Shape inserted(int axis, int64_t size) const;

    bool operator==(const Shape& other) const = default;
    /// "[32, 10, 64]".
    std::string text() const;
    std::span<const int64_t> sizes() const { return {sizes_.data(), static_cast<std::size_t>(rank_)}; }

  private:
    int rank_ = 0;
    int64_t size_ = 1;
    std::array<int64_t, max_rank> sizes_{};  // 0 after the last axis
};

/// The shape both broadcast to (axes aligned at the end, sizes equal or 1). Throws Error naming
/// `op` and both shapes.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

}  // namespace attend

/// Shapes are given to messages as they are: "{}" writes text() only when a message is made.
template <>
struct fmt::formatter<attend::Shape> {
    constexpr auto parse(format_parse_context& context) { return context.begin(); }
    auto format(const attend::Shape& shape, format_context& context) const {
        return fmt::format_to(context.out(), "{}", shape.text());
    }
};
