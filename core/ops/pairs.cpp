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

// d[rows[i]] += g[i]
void add_rows(Destination d, const real* g, const Array<int32_t>& rows, int64_t size, int64_t columns) {
    if (d.write == Write::set)
        kernels::fill(0, d.data, size * columns);
    kernels::scatter_add_rows(g, rows.data(), static_cast<int64_t>(rows.size()), columns, d.data);
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
    for (int64_t i = 0; i < pairs; ++i)
        kernels::add(a.data() + of_a[static_cast<std::size_t>(i)] * columns, Step::one,
                     b.data() + of_b[static_cast<std::size_t>(i)] * columns, Step::one,
                     {y.writable() + i * columns, Write::set}, columns);
    kernels::tanh(y.data(), y.writable(), y.size());
    return record("tanh_of_pairs", y, {a, b},
                  [y = Saved(y), p = Array<int32_t>(of_a.begin(), of_a.end()), q = Array<int32_t>(of_b.begin(), of_b.end()),
                   n = a.dim(0), m = b.dim(0), columns](Backward& back) {
                      Tensor g = Tensor::empty(y.shape());
                      kernels::tanh_backward(y.data(), back.gradient(), {g.writable(), Write::set}, y.size());
                      if (back.needs(0))
                          add_rows(back.into(0), g.data(), p, n, columns);
                      if (back.needs(1))
                          add_rows(back.into(1), g.data(), q, m, columns);
                  });
}

}  // namespace attend::ATTEND_PRECISION
