#pragma once
/// The numbers of the positions of a batch, where they are not 0, 1, 2 ...: of randomised positions.
#include "core/base/error.h"
#include "core/base/memory.h"

namespace attend {

/// Numbers [B, T], ascending along a row, or [T] of all rows. Position t of row b has the number at(b, t): what is learned of
/// positions, and how far two of them are apart, goes by it; which positions a window shows goes by t.
class Numbering {
  public:
    /// `columns` T; numbers of every row, one after the other, or once for all of them.
    Numbering(int64_t columns, Array<int32_t> numbers) : columns_(columns), numbers_(std::move(numbers)) {}

    bool alike() const { return static_cast<int64_t>(numbers_.size()) == columns_; }
    int64_t at(int64_t row, int64_t position) const {
        return numbers_[static_cast<std::size_t>((alike() ? 0 : row * columns_) + position)];
    }
    /// Those of positions first ... first + count - 1 of every row, or once where rows are alike. Throws MachineError where
    /// there are not so many.
    Array<int32_t> part(int64_t first, int64_t count) const {
        ensure(first >= 0 && first + count <= columns_, "numbering: no such positions: first {}, count {}, of {}", first, count,
               columns_);
        Array<int32_t> out;
        const auto all = static_cast<std::ptrdiff_t>(numbers_.size());
        for (std::ptrdiff_t row = 0; row < all; row += columns_)
            out.insert(out.end(), numbers_.begin() + row + first, numbers_.begin() + row + first + count);
        return out;
    }

  private:
    int64_t columns_;
    Array<int32_t> numbers_;
};

}  // namespace attend
