#include <algorithm>
#include <vector>

#include "core/kernels/linear_attention.h"
#include "tests/core/kernels_support.h"

namespace kernels_linear_attention_test_both {

using namespace attend;
using namespace attend::kernel_test;

namespace {

double at(const Values& x, int64_t i) { return x[static_cast<std::size_t>(i)]; }
double& at(Values& x, int64_t i) { return x[static_cast<std::size_t>(i)]; }
Values zeros(int64_t n) { return Values(static_cast<std::size_t>(n)); }

// products [n, n], then from_start [n]
Values decays_of(const Values& alpha, int64_t n) {
    Values all = zeros(n * n + n);
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j <= i; ++j) {
            double& product = at(all, i * n + j);
            product = 1;
            for (int64_t m = j + 1; m <= i; ++m) product *= at(alpha, m);
        }
        double& product = at(all, n * n + i);
        product = 1;
        for (int64_t m = 0; m <= i; ++m) product *= at(alpha, m);
    }
    return all;
}

// Every second or third element of n of them.
Values spread(const Values& x, int64_t stride, double between) {
    Values all(x.size() * static_cast<std::size_t>(stride), between);
    for (std::size_t i = 0; i < x.size(); ++i) all[i * static_cast<std::size_t>(stride)] = x[i];
    return all;
}

constexpr double tolerance = 200 * epsilon;

}  // namespace

TEST_SUITE("linear attention kernels") {
    TEST_CASE("decay_products are products, 0 and 1 among the factors") {
        each_target([] {
            for (int64_t n = 1; n <= 70; ++n) {
                CAPTURE(n);
                Values alpha = values(n, 1, 0.3, 1);
                if (n > 20) {
                    at(alpha, 11) = 0;
                    at(alpha, 17) = 1;
                }
                for (const int64_t stride : {1, 3}) {
                    Buffer a(spread(alpha, stride, kernel_test::nan)), products = Buffer::unwritten(n * n),
                                                                       from_start = Buffer::unwritten(n);
                    kernels::decay_products(a, stride, n, products, from_start);
                    const Values expected = decays_of(alpha, n);
                    check_close(products, Values(expected.begin(), expected.begin() + n * n), tolerance, 1e-30);
                    check_close(from_start, Values(expected.begin() + n * n, expected.end()), tolerance, 1e-30);
                }
                Buffer products = Buffer::unwritten(n * n), from_start = Buffer::unwritten(n);
                kernels::decay_products(nullptr, 0, n, products, from_start);
                const Values expected = decays_of(Values(static_cast<std::size_t>(n), 1), n);
                check_close(products, Values(expected.begin(), expected.begin() + n * n), 0);
                check_close(from_start, Values(expected.begin() + n * n, expected.end()), 0);
            }
        });
    }

    TEST_CASE("decay_products_backward is the derivative, also by a factor that is 0") {
        each_target([] {
            for (const int64_t n : {1, 2, 3, 9, 17, 34}) {
                CAPTURE(n);
                Values alpha = values(n, 2, 0.3, 1);
                if (n > 3)
                    at(alpha, 2) = 0;
                const Values slopes = values(n * n + n, 3, -1, 1);
                const Values expected = numeric_gradient(alpha, [&](const Values& x) {
                    const Values y = decays_of(x, n);
                    double sum = 0;
                    for (int64_t i = 0; i < n; ++i) {
                        for (int64_t j = 0; j < i; ++j) sum += at(y, i * n + j) * at(slopes, i * n + j);
                        sum += at(y, n * n + i) * at(slopes, n * n + i);
                    }
                    return sum;
                });
                const Values y = decays_of(alpha, n);
                Buffer a(alpha), products(Values(y.begin(), y.begin() + n * n)), from_start(Values(y.begin() + n * n, y.end()));
                check_destination(expected, gradient_tolerance, [&](Destination to) {
                    if (to.data == nullptr)
                        return;
                    Values upper = Values(slopes.begin(), slopes.begin() + n * n);
                    for (int64_t i = 0; i < n; ++i)
                        for (int64_t j = i; j < n; ++j) at(upper, i * n + j) = 1e3;  // does not count
                    Buffer dproducts(upper), dfrom_start(Values(slopes.begin() + n * n, slopes.end()));
                    kernels::decay_products_backward(a, 1, n, products, from_start, dproducts, dfrom_start, to);
                    CHECK(dproducts.intact());
                    CHECK(dfrom_start.intact());
                });
            }
        });
    }

    TEST_CASE("solve_lower and solve_lower_transposed solve") {
        each_target([] {
            for (const int64_t n : {1, 2, 3, 4, 5, 8, 15, 64, 67})
                for (const int64_t columns : {1, 7, 8, 16, 33, 64, 65, 100})
                    for (const bool transposed : {false, true}) {
                        CAPTURE(n);
                        CAPTURE(columns);
                        CAPTURE(transposed);
                        const int64_t stride = columns + 3;
                        Values l = values(n * n, 4, -0.2, 0.2);
                        const Values x = values(n * stride, 5, -1, 1);
                        Values b = x;
                        for (int64_t i = 0; i < n; ++i)
                            for (int64_t j = 0; j < i; ++j)
                                for (int64_t c = 0; c < columns; ++c) {
                                    const int64_t to = transposed ? j : i, from = transposed ? i : j;
                                    at(b, to * stride + c) += at(l, i * n + j) * at(x, from * stride + c);
                                }
                        for (int64_t i = 0; i < n; ++i)
                            for (int64_t j = i; j < n; ++j) at(l, i * n + j) = kernel_test::nan;  // not read
                        Buffer matrix(l), solved(b);
                        (transposed ? kernels::solve_lower_transposed : kernels::solve_lower)(matrix, n, {solved, stride},
                                                                                              columns);
                        check_close(solved, x, 50 * tolerance);
                    }
        });
    }

    TEST_CASE("scale_rows and dot_rows") {
        each_target([] {
            for (int64_t columns = 0; columns <= 70; ++columns) {
                CAPTURE(columns);
                const int64_t rows = 3, x_stride = columns + 2, y_stride = columns + 1;
                const Values x = values(rows * x_stride, 6), z = values(rows * y_stride, 7), factors = values(rows, 8);
                Buffer bx(x), bz(z), bf(spread(factors, 2, kernel_test::nan));
                Values scaled = z, added = z, dots(rows);
                for (int64_t i = 0; i < rows; ++i)
                    for (int64_t j = 0; j < columns; ++j) {
                        const double product = -2 * at(factors, i) * at(x, i * x_stride + j);
                        at(scaled, i * y_stride + j) = product;
                        at(added, i * y_stride + j) += product;
                        at(dots, i) += 3 * at(x, i * x_stride + j) * at(z, i * y_stride + j);
                    }
                Buffer set(z), add(z);
                kernels::scale_rows(-2, bf, 2, {bx, x_stride}, {set, y_stride}, Write::set, rows, columns);
                kernels::scale_rows(-2, bf, 2, {bx, x_stride}, {add, y_stride}, Write::add, rows, columns);
                check_close(set, scaled, tolerance);
                check_close(add, added, tolerance);
                check_destination(
                    dots, tolerance,
                    [&](Destination to) {
                        if (to.data != nullptr)
                            kernels::dot_rows(3, {bx, x_stride}, {bz, y_stride}, to, 1, rows, columns);
                    },
                    50);
            }
        });
    }

    TEST_CASE("divide_by_last divides, and its backward is the derivative") {
        each_target([] {
            for (const int64_t columns : {1, 2, 15, 16, 17, 40}) {
                CAPTURE(columns);
                const int64_t rows = 3, stride = columns + 1, share_stride = 2;
                Values x = values(rows * stride, 9, 0.5, 2);
                at(x, stride + columns) = 0;  // of row 1: its outputs are 0
                const Values dy = values(rows * columns, 10);
                const auto divided = [&](const Values& v) {
                    Values y = zeros(rows * columns);
                    for (int64_t i = 0; i < rows; ++i)
                        for (int64_t j = 0; j < columns && i != 1; ++j)
                            at(y, i * columns + j) = at(v, i * stride + j) / at(v, i * stride + columns);
                    return y;
                };
                Buffer bx(x), by = Buffer::unwritten(rows * columns), shares = Buffer::unwritten(rows * share_stride);
                kernels::divide_by_last({bx, stride}, {by, columns}, shares, share_stride, rows, columns);
                check_close(by, divided(x), tolerance);
                CHECK(shares[share_stride] == 0);
                Buffer bdy(dy), dx = Buffer::unwritten(rows * stride);
                kernels::divide_by_last_backward({by, columns}, {bdy, columns}, shares, share_stride, {dx, stride}, rows,
                                                 columns);
                check_close(dx, numeric_gradient(x, [&](const Values& v) { return inner(divided(v), dy); }),
                            10 * gradient_tolerance);
            }
        });
    }
}

}  // namespace kernels_linear_attention_test_both
