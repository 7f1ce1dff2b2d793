/// What kernels over rows with ranges share; compiled once per instruction set.
#if defined(ATTEND_KERNELS_RANGED_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTEND_KERNELS_RANGED_INL_H
#undef ATTEND_KERNELS_RANGED_INL_H
#else
#define ATTEND_KERNELS_RANGED_INL_H
#endif

#include <algorithm>

#include "core/base/range.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// For every row: zeros outside its range, and inside(offset, n) on the n elements from flat
/// element `offset` on.
template <class Inside>
HWY_INLINE void ranged_rows(const Range* ranges, Destination y, int64_t rows, int64_t columns, Inside inside) {
    if (y.data == nullptr)
        return;
    for (int64_t row = 0; row < rows; ++row) {
        int64_t begin = 0, end = columns;
        if (ranges != nullptr) {
            begin = std::clamp<int64_t>(ranges[row].begin, 0, columns);
            end = std::clamp<int64_t>(ranges[row].end, begin, columns);
        }
        const int64_t first = row * columns;
        write_zero(at(y, first), begin);
        write_zero(at(y, first + end), columns - end);
        if (begin < end)
            inside(first + begin, end - begin);
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
