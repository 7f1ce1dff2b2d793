#include <array>

#include "core/gemm.h"
#include "core/kernels/product.h"
#include "tests/core/kernels_support.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels product");

namespace {

// op(A) [m, k] and op(B) [k, n] of the product, as values in double, and the product set up on
// buffers that hold them.
struct Case {
    int64_t m, n, k;
    bool a_transposed, b_transposed;
    double beta;
};

/// Which of the two kernels.
using Kernel = void (*)(const kernels::Product&);

void check(const Case& s, Kernel kernel = kernels::product) {
    CAPTURE(s.m);
    CAPTURE(s.n);
    CAPTURE(s.k);
    CAPTURE(s.a_transposed);
    CAPTURE(s.b_transposed);
    const Values a = values(s.m * s.k, 1), b = values(s.k * s.n, 2), before = values(s.m * s.n, 3);
    kernels::Product p;
    p.m = s.m;
    p.n = s.n;
    p.k = s.k;
    p.alpha = real(0.5);
    p.beta = static_cast<real>(s.beta);
    p.a_row = s.a_transposed ? 1 : s.k;
    p.a_inner = s.a_transposed ? s.m : 1;
    p.b_inner = s.b_transposed ? 1 : s.n;
    p.b_column = s.b_transposed ? s.k : 1;
    p.c_row = s.n;
    Values expected(before.size());
    for (int64_t i = 0; i < s.m; ++i)
        for (int64_t j = 0; j < s.n; ++j) {
            double sum = 0;
            for (int64_t q = 0; q < s.k; ++q)
                sum += a[static_cast<std::size_t>(i * p.a_row + q * p.a_inner)] *
                       b[static_cast<std::size_t>(q * p.b_inner + j * p.b_column)];
            const auto at = static_cast<std::size_t>(i * s.n + j);
            expected[at] = 0.5 * sum + s.beta * before[at];
        }
    each_target([&] {
        Buffer left(a, 3), right(b), out = s.beta == 0 ? Buffer::unwritten(s.m * s.n) : Buffer(before);
        p.a = left;
        p.b = right;
        p.c = out;
        kernel(p);
        check_close(out, expected, 4 * static_cast<double>(s.k + 8) * epsilon);
    });
}

}  // namespace

TEST_CASE("products at every count of columns, some of rows and inner positions, on every instruction set") {
    for (int64_t n = 1; n <= 70; ++n)
        for (const int64_t m : {8, 9, 15, 16, 23}) check({m, n, 1 + n % 13, n % 2 == 0, n % 3 == 0, n % 4 == 0 ? 1.5 : 0});
    for (const bool a : {false, true})
        for (const bool b : {false, true})
            for (const double beta : {0.0, 1.0}) {
                check({17, 37, 300, a, b, beta});  // several runs of the inner axis
                check({8, 16, 1, a, b, beta});
            }
    check({301, 3, 700, false, true, 1});  // several blocks of rows
}

TEST_CASE("products of few rows or few columns at every count of the others, on every instruction set") {
    for (const bool a : {false, true})
        for (const bool b : {false, true}) {
            for (int64_t m = 1; m < kernels::product_least_rows; ++m)
                for (int64_t n = 1; n <= 70; n += m == 1 ? 1 : 3)
                    check({m, n, 1 + (n + m) % 40, a, b, n % 3 == 0 ? 1.5 : 0}, kernels::narrow_product);
            for (int64_t n = 1; n < kernels::product_least_columns; ++n)
                for (int64_t m = 8; m <= 70; m += 3) check({m, n, 1 + m, a, b, m % 2 == 0 ? 1.5 : 0}, kernels::narrow_product);
            for (const int64_t k : {1, 1024, 1025, 2500})  // one and several parts of the inner axis
                for (const double beta : {0.0, 1.0}) {
                    check({7, 21, k, a, b, beta}, kernels::narrow_product);
                    check({21, 3, k, a, b, beta}, kernels::narrow_product);
                    check({1, 300, k, a, b, beta}, kernels::narrow_product);
                }
        }
}

TEST_CASE("the vectors in use have a name on every instruction set, and only the widest are fast") {
    each_target([&] { CHECK((std::string(kernels::vectors_name()) == "AVX-512") == kernels::product_is_fast()); });
}

TEST_CASE("a column of a wider matrix: what stands between its elements is left alone") {
    const int64_t m = 30, k = 50;
    const Values a = values(m * k, 1), b = values(k, 2), before = values(m * 3, 3);
    for (const bool transposed : {false, true})
        each_target([&] {
            Buffer left(a), right(b), out(before);
            kernels::narrow_product({.m = m,
                                     .n = 1,
                                     .k = k,
                                     .a = left,
                                     .a_row = transposed ? 1 : k,
                                     .a_inner = transposed ? m : 1,
                                     .b = right,
                                     .b_inner = 1,
                                     .b_column = 1,
                                     .beta = 1,
                                     .c = out,
                                     .c_row = 3});
            Values expected = before;
            for (int64_t i = 0; i < m; ++i)
                for (int64_t q = 0; q < k; ++q)
                    expected[static_cast<std::size_t>(3 * i)] +=
                        a[static_cast<std::size_t>(transposed ? q * m + i : i * k + q)] * b[static_cast<std::size_t>(q)];
            check_close(out, expected, 4 * static_cast<double>(k + 8) * epsilon);
        });
}

TEST_CASE("a row alone has the bits that it has among others, where B's rows are contiguous") {
    for (const int64_t k : {1, 70, 300, 1100}) {
        const int64_t m = 9, n = 45;
        const Values a = values(m * k, 1), b = values(k * n, 2);
        Buffer left(a), right(b), whole = Buffer::unwritten(m * n), part = Buffer::unwritten(3 * n);
        kernels::Product p{
            .m = m, .n = n, .k = k, .a = left, .a_row = k, .a_inner = 1, .b = right, .b_inner = n, .b_column = 1};
        p.c = whole;
        p.c_row = n;
        kernels::product(p);
        p.m = 3;
        p.a = left + 4 * k;
        p.c = part;
        kernels::narrow_product(p);
        for (int64_t i = 0; i < 3 * n; ++i) CHECK(part[i] == whole[4 * n + i]);
    }
}

TEST_CASE("bits of a product depend on the inner size alone, and gemm uses it where it is fast") {
    const int64_t m = 40, n = 50, k = 70;
    const Values a = values(m * k, 1), b = values(k * n, 2);
    Buffer left(a), right(b), whole = Buffer::unwritten(m * n), part = Buffer::unwritten(8 * 17),
                              seam = Buffer::unwritten(m * n);
    kernels::Product p{.m = m, .n = n, .k = k, .a = left, .a_row = k, .a_inner = 1, .b = right, .b_inner = n, .b_column = 1};
    p.c = whole;
    p.c_row = n;
    kernels::product(p);
    p.m = 8;
    p.n = 17;
    p.a = left + 5 * k;
    p.b = right + 20;
    p.c = part;
    p.c_row = 17;
    kernels::product(p);
    for (int64_t i = 0; i < 8; ++i)
        for (int64_t j = 0; j < 17; ++j) CHECK(part[i * 17 + j] == whole[(i + 5) * n + j + 20]);
    if (kernels::product_is_fast()) {
        gemm(Transpose::no, Transpose::no, m, n, k, 1, left, k, right, n, 0, seam, n);
        for (int64_t i = 0; i < m * n; ++i) CHECK(seam[i] == whole[i]);
    }
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
