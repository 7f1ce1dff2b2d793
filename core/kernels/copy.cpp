#include "core/kernels/copy.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/copy.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

HWY_INLINE void row(const real* x, Destination y, int64_t columns) {
    write(y, columns, [=](auto part, int64_t j) HWY_ATTR { return part.load(x + j); });
}

void copy_rows(const real* x, int64_t x_stride, Destination y, int64_t y_stride, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; ++i) row(x + i * x_stride, at(y, i * y_stride), columns);
}

void gather_rows(const real* table, int64_t columns, const int32_t* ids, int64_t n, real* y) {
    for (int64_t i = 0; i < n; ++i) row(table + ids[i] * columns, {y + i * columns, Write::set}, columns);
}

void scatter_add_rows(const real* dy, const int32_t* ids, int64_t n, int64_t columns, real* table_gradient) {
    for (int64_t i = 0; i < n; ++i) row(dy + i * columns, {table_gradient + ids[i] * columns, Write::add}, columns);
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(copy_rows);
ATTEND_KERNEL(gather_rows);
ATTEND_KERNEL(scatter_add_rows);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
