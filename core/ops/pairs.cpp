#include "core/ops/pairs.h"

#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"

namespace attend::ATTEND_PRECISION {

namespace {
void check_rows(const char* table, std::span<const int32_t> rows, int64_t size) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        require(rows[i] >= 0 && rows[i] < size, "tanh_of_pairs: a row out of range: row {} of {} at pair {}, rows {}", rows[i],
                table, i, size);
}

// A gradient to be added to row by row.
real* cleared(const Destination& d, int64_t size) {
    if (d.write == Write::set)
        kernels::fill(0, d.data, size);
    return d.data;
}
}  // namespace

// y_i = tanh(a_p + b_q); g_i = dy_i (1 - y_i^2), da_p += g_i, db_q += g_i
Tensor tanh_of_pairs(const Tensor& a, std::span<const int32_t> of_a, const Tensor& b, std::span<const int32_t> of_b) {
    require(a.rank() == 2 && b.rank() == 2 && a.dim(1) == b.dim(1) && of_a.size() == of_b.size(),
            "tanh_of_pairs: two tables of one width, and two rows for each pair: a {}, b {}, rows of a {}, rows of b {}",
            a.shape(), b.shape(), of_a.size(), of_b.size());
    check_rows("a", of_a, a.dim(0));
    check_rows("b", of_b, b.dim(0));
    const int64_t columns = a.dim(1), pairs = static_cast<int64_t>(of_a.size());
    Tensor y = Tensor::empty({pairs, columns});
    using kernels::Step;
    for (int64_t i = 0; i < pairs; ++i) {  // a row at a time, so that it stays in the first cache
        real* const row = y.writable() + i * columns;
        kernels::add(a.data() + of_a[static_cast<std::size_t>(i)] * columns, Step::one,
                     b.data() + of_b[static_cast<std::size_t>(i)] * columns, Step::one, {row, Write::set}, columns);
        kernels::tanh(row, row, columns);
    }
    return record("tanh_of_pairs", y, {a, b},
                  [y = Saved(y), p = Array<int32_t>(of_a.begin(), of_a.end()), q = Array<int32_t>(of_b.begin(), of_b.end()),
                   n = a.dim(0), m = b.dim(0), columns](Backward& back) {
                      real* const da = back.needs(0) ? cleared(back.into(0), n * columns) : nullptr;
                      real* const db = back.needs(1) ? cleared(back.into(1), m * columns) : nullptr;
                      const real* const dy = back.gradient();
                      Tensor g = Tensor::empty({columns});
                      for (std::size_t i = 0; i < p.size(); ++i) {
                          const auto row = static_cast<int64_t>(i) * columns;
                          kernels::tanh_backward(y.data() + row, dy + row, {g.writable(), Write::set}, columns);
                          if (da != nullptr)
                              kernels::axpy(1, g.data(), {da + p[i] * columns, Write::add}, columns);
                          if (db != nullptr)
                              kernels::axpy(1, g.data(), {db + q[i] * columns, Write::add}, columns);
                      }
                  });
}

}  // namespace attend::ATTEND_PRECISION
