#pragma once
/// What the kernels' headers are made of.
#include "core/destination.h"

namespace attend::ATTEND_PRECISION::kernels {

/// A kernel, called like a function: it runs what was compiled for this processor (targets.h).
template <class Signature>
using Kernel = Signature* const;

/// A matrix given by its first element and the distance between rows.
template <class T>
struct RowsOf {
    T* data = nullptr;
    int64_t stride = 0;
    T* operator[](int64_t row) const { return data + row * stride; }
};
using ConstRows = RowsOf<const real>;
using Rows = RowsOf<real>;

}  // namespace attend::ATTEND_PRECISION::kernels
