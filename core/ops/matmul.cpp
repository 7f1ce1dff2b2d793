#include "core/ops/matmul.h"

#include <algorithm>

#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"
#include "core/parameters.h"

namespace attend::ATTEND_PRECISION {

namespace {

Transpose other(Transpose t) { return t == Transpose::no ? Transpose::yes : Transpose::no; }

// c (=|+=) op(a) op(b), [m, n] and [m, k] [k, n], for `batch` of each, one after the other.
void products(Transpose ta, Transpose tb, int64_t batch, int64_t m, int64_t n, int64_t k, const real* a, int64_t lda,
              const real* b, int64_t ldb, Destination c, int64_t ldc) {
    for (int64_t i = 0; i < batch; ++i)
        gemm(ta, tb, m, n, k, 1, a + i * m * k, lda, b + i * k * n, ldb, c.beta(), c.data + i * m * n, ldc);
}

// Sizes of op(a) op(b); rows as stored.
struct Sizes {
    int64_t batch, m, n, k, lda, ldb;
};

Sizes sizes_of(const Tensor& a, const Tensor& b, Transpose ta, Transpose tb) {
    require(a.rank() >= 2 && b.rank() >= 2, "matmul: at least two axes are needed: a {}, b {}", a, b);
    require(a.rank() == b.rank(), "matmul: ranks differ: a {}, b {}", a, b);
    for (int i = 0; i < a.rank() - 2; ++i)
        require(a.dim(i) == b.dim(i), "matmul: leading axes differ: a {} has {} on axis {}, b {} has {}", a, a.dim(i), i, b,
                b.dim(i));
    const bool at = ta == Transpose::yes, bt = tb == Transpose::yes;
    const int64_t m = a.dim(at ? -1 : -2), k = a.dim(at ? -2 : -1), kb = b.dim(bt ? -1 : -2), n = b.dim(bt ? -2 : -1);
    require(k == kb, "matmul: inner sizes differ: a {} has {} {}, b {} has {} {}", a, k, at ? "rows" : "columns", b, kb,
            bt ? "columns" : "rows");
    return {a.shape().outer(a.rank() - 2), m, n, k, a.dim(-1), b.dim(-1)};
}

}  // namespace

// y = op(a) op(b); d op(a) = dy op(b)^T, d op(b) = op(a)^T dy, transposed where a or b were
Tensor matmul(const Tensor& a, const Tensor& b, Transpose ta, Transpose tb) {
    const Sizes s = sizes_of(a, b, ta, tb);
    Tensor y = Tensor::empty(a.shape().with(-2, s.m).with(-1, s.n));
    products(ta, tb, s.batch, s.m, s.n, s.k, a.data(), s.lda, b.data(), s.ldb, {y.writable(), Write::set}, s.n);
    return record("matmul", y, {a, b}, [s, ta, tb, a = Saved(a), b = Saved(b)](Backward& g) {
        const real* dy = g.gradient();
        if (g.needs(0)) {
            if (ta == Transpose::no)  // [m, k] = dy op(b)^T
                products(Transpose::no, other(tb), s.batch, s.m, s.k, s.n, dy, s.n, b.data(), s.ldb, g.into(0), s.lda);
            else  // [k, m] = op(b) dy^T
                products(tb, Transpose::yes, s.batch, s.k, s.m, s.n, b.data(), s.ldb, dy, s.n, g.into(0), s.lda);
        }
        if (g.needs(1)) {
            if (tb == Transpose::no)  // [k, n] = op(a)^T dy
                products(other(ta), Transpose::no, s.batch, s.k, s.n, s.m, a.data(), s.lda, dy, s.n, g.into(1), s.ldb);
            else  // [n, k] = dy^T op(a)
                products(Transpose::yes, ta, s.batch, s.n, s.k, s.m, dy, s.n, a.data(), s.lda, g.into(1), s.ldb);
        }
    });
}

// y = x W + b + plus; dx = dy W^T, dW = x^T dy, db = sum over rows of dy, dplus = dy
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& plus) {
    require(x.rank() >= 1 && weight.rank() == 2, "linear: weight needs two axes and x one: x {}, weight {}", x, weight);
    const int64_t in = weight.dim(0), out = weight.dim(1), rows = x.shape().rows();
    require(x.dim(-1) == in, "linear: inner sizes differ: x {} has {} columns, weight {} has {} rows", x, x.dim(-1), weight,
            in);
    require(!bias.defined() || bias.shape() == Shape{out}, "linear: bias of another size: bias {}, weight {}", bias, weight);
    Tensor y = Tensor::empty(x.shape().with(-1, out));
    require(!plus.defined() || plus.shape() == y.shape(), "linear: plus of another shape: plus {}, output {}", plus, y.shape());
    real* to = y.writable();
    real beta = 0;
    if (plus.defined()) {
        std::copy_n(plus.data(), plus.size(), to);
        beta = 1;
    }
    if (bias.defined()) {
        kernels::copy_rows(bias.data(), 0, {to, beta == 0 ? Write::set : Write::add}, out, rows, out);
        beta = 1;
    }
    gemm(Transpose::no, Transpose::no, rows, out, in, 1, x.data(), in, weight.data(), out, beta, to, out);
    return record("linear", y, {x, deferred(weight), bias, plus},
                  [x = Saved(x), w = Saved(weight), rows, in, out](Backward& b) {
                      const real* dy = b.gradient();
                      if (b.needs(0)) {
                          const Destination dx = b.into(0);
                          gemm(Transpose::no, Transpose::yes, rows, in, out, 1, dy, out, w.data(), out, dx.beta(), dx.data, in);
                      }
                      if (b.needs(1))
                          b.add_product(1, x, b.gradient_tensor());
                      if (b.needs(2))
                          kernels::column_sums(dy, rows, out, out, b.into(2));
                      if (b.needs(3))
                          kernels::axpy(1, dy, b.into(3), rows * out);
                  });
}

}  // namespace attend::ATTEND_PRECISION
