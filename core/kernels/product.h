#pragma once
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// Sizes and places of C := alpha op(A) op(B) + beta C, row-major: op(A) [m, k] has element (i, p)
/// at a[i * a_row + p * a_inner], op(B) [k, n] has (p, j) at b[p * b_inner + j * b_column]; one
/// step of each pair is 1. c_row is the distance of C's rows.
struct Product {
    int64_t m = 0, n = 0, k = 0;
    real alpha = 1;
    const real* a = nullptr;
    int64_t a_row = 0, a_inner = 0;
    const real* b = nullptr;
    int64_t b_inner = 0, b_column = 0;
    real beta = 0;
    real* c = nullptr;
    int64_t c_row = 0;
};

/// Whether this machine has vectors of 64 bytes and 32 registers, with which product() runs near
/// their rate.
extern Kernel<bool()> product_is_fast;
/// The instruction set in use: "AVX-512", "AVX2", "NEON" or "scalar code".
extern Kernel<const char*()> vectors_name;

/// The fewest rows product() takes, and the fewest columns with which it is faster than
/// narrow_product().
constexpr int64_t product_least_rows = 8, product_least_columns = 5;

/// Positions of the inner axis that are summed in registers, at most; such runs are added up in C.
constexpr int64_t product_run = 1024 / sizeof(real);

/// The product: columns of B in packed slivers that stay in the first cache (Goto and van de Geijn
/// 2008), A read in place. Beta 0 overwrites C, NaN included; m >= product_least_rows, k >= 1. Each
/// element is summed over p in ascending order, in runs whose lengths depend on k alone: its bits
/// depend on no other size and on no address.
extern Kernel<void(const Product& p)> product;

/// The product for few rows or columns (m < product_least_rows or n < product_least_columns), where
/// packing B would cost more than it saves: both are read in place, as sums along rows where those
/// are contiguous, else as dot products. Beta 0 overwrites C, NaN included; m, n, k >= 1. The first
/// way gives the bits that product() gives; those of the second, too, depend on k alone.
extern Kernel<void(const Product& p)> narrow_product;

}  // namespace attend::ATTEND_PRECISION::kernels
