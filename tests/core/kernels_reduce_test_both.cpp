#include <algorithm>

#include "core/kernels/copy.h"
#include "core/kernels/dropout.h"
#include "core/kernels/reduce.h"
#include "tests/core/kernels_support.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels reduce, copy, dropout");

TEST_CASE("reductions at every length and alignment") {
    for (int64_t n = 0; n <= 130; ++n) {
        const Values x = values(n, 1), y = values(n, 2);
        double sum = 0, squares = 0, absolute = 0, largest = -std::numeric_limits<double>::infinity();
        for (double v : x) {
            sum += v;
            squares += v * v;
            absolute += std::abs(v);
            largest = std::max(largest, v);
        }
        const auto first_largest = std::max_element(x.begin(), x.end()) - x.begin();
        each_target([&] {
            for (int64_t offset : {0, 1, 5}) {
                Buffer a(x, offset), b(y, 2);
                CHECK(std::abs(static_cast<double>(kernels::sum(a, n)) - sum) <= 4 * epsilon * absolute);
                CHECK(std::abs(kernels::sum_double(a, n) - sum) <= 1e-14 * absolute);
                CHECK(std::abs(kernels::sum_of_squares(a, n) - squares) <= 1e-14 * squares);
                CHECK(std::abs(static_cast<double>(kernels::dot(a, b, n)) - inner(x, y)) <= 4 * epsilon * absolute * 2);
                CHECK(static_cast<double>(kernels::maximum(a, n)) == largest);
                CHECK(kernels::argmax(a, n) == (n == 0 ? 0 : first_largest));
                CHECK(kernels::all_finite(a, n));
            }
        });
    }
}

TEST_CASE("sum_double keeps what a float sum would lose") {
    Values x(1000, 1e-4);
    x[500] = 1e6;
    double exact = 0;
    for (double v : x) exact += static_cast<double>(static_cast<real>(v));
    each_target([&] {
        Buffer a(x);
        CHECK(kernels::sum_double(a, a.size()) == doctest::Approx(exact).epsilon(1e-13));
    });
}

TEST_CASE("all_finite finds a single bad element wherever it stands") {
    for (int64_t n : {1, 7, 16, 33, 130}) {
        for (int64_t i = 0; i < n; ++i) {
            for (double bad : {nan, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
                Values x(static_cast<std::size_t>(n), std::numeric_limits<real>::max());
                x[static_cast<std::size_t>(i)] = bad;
                each_target([&] {
                    Buffer a(x);
                    CHECK_FALSE(kernels::all_finite(a, n));
                });
            }
        }
    }
}

TEST_CASE("maximum and argmax: first of equals, NaN passed over") {
    for (int64_t n : {2, 5, 16, 40, 129}) {
        for (int64_t i = 0; i < n; ++i) {
            Values x(static_cast<std::size_t>(n), -3.0);
            x[static_cast<std::size_t>(i)] = 2;
            x.back() = 2;
            each_target([&] {
                Buffer a(x);
                CHECK(kernels::argmax(a, n) == i);
                CHECK(kernels::maximum(a, n) == 2);
            });
            Values with_nan(static_cast<std::size_t>(n), nan);
            with_nan[static_cast<std::size_t>(i)] = -5;
            each_target([&] {
                Buffer a(with_nan);
                CHECK(kernels::argmax(a, n) == i);
                CHECK(kernels::maximum(a, n) == -5);
            });
        }
        each_target([&] {
            Buffer a(Values(static_cast<std::size_t>(n), nan));
            CHECK(kernels::argmax(a, n) == 0);
            CHECK(kernels::maximum(a, n) == -std::numeric_limits<real>::infinity());
        });
    }
}

TEST_CASE("column_sums") {
    for (int64_t rows : {0, 1, 2, 3, 4, 5, 8, 9}) {
        for (int64_t columns : {0, 1, 7, 16, 31, 33, 130}) {
            const int64_t stride = columns + 3;
            const Values x = values(rows * stride, 4);
            Values expected(static_cast<std::size_t>(columns), 0.0);
            for (int64_t i = 0; i < rows; ++i) {
                for (int64_t j = 0; j < columns; ++j) {
                    expected[static_cast<std::size_t>(j)] += x[static_cast<std::size_t>(i * stride + j)];
                }
            }
            each_target([&] {
                Buffer a(x);
                check_destination(
                    expected, 4 * epsilon, [&](Destination y) { kernels::column_sums(a, rows, columns, stride, y); }, 4);
            });
        }
    }
}

TEST_CASE("copy_rows: strides, one repeated row, set and add, nothing between the rows is touched") {
    for (int64_t columns = 0; columns <= 130; columns += columns < 40 ? 1 : 9) {
        for (int64_t x_stride : {int64_t{0}, columns, columns + 2}) {
            const int64_t rows = 3, y_stride = columns + 1;
            const Values x = values(rows * (columns + 2), 8);
            each_target([&] {
                Buffer in(x), out(Values(static_cast<std::size_t>(rows * y_stride), 9.0));
                kernels::copy_rows(in, x_stride, {out, Write::set}, y_stride, rows, columns);
                kernels::copy_rows(in, x_stride, {out, Write::add}, y_stride, rows, columns);
                kernels::copy_rows(in, x_stride, {}, y_stride, rows, columns);
                Values expected(static_cast<std::size_t>(rows * y_stride), 9.0);
                for (int64_t i = 0; i < rows; ++i) {
                    for (int64_t j = 0; j < columns; ++j) {
                        expected[static_cast<std::size_t>(i * y_stride + j)] =
                            2 * x[static_cast<std::size_t>(i * x_stride + j)];
                    }
                }
                check_close(out, expected, 0);
            });
        }
    }
}

TEST_CASE("gather_rows and scatter_add_rows, an id more than once") {
    const std::vector<int32_t> ids = {4, 0, 2, 4, 4};
    const int64_t n = static_cast<int64_t>(ids.size()), table_rows = 5;
    for (int64_t columns = 0; columns <= 130; columns += columns < 40 ? 1 : 9) {
        const Values table = values(table_rows * columns, 3), dy = values(n * columns, 4);
        Values gathered(static_cast<std::size_t>(n * columns)), gradient = table;
        for (int64_t i = 0; i < n; ++i) {
            for (int64_t j = 0; j < columns; ++j) {
                const auto from = static_cast<std::size_t>(ids[static_cast<std::size_t>(i)] * columns + j);
                const auto to = static_cast<std::size_t>(i * columns + j);
                gathered[to] = table[from];
                gradient[from] += dy[to];
            }
        }
        each_target([&] {
            Buffer t(table), y = Buffer::unwritten(n * columns), g(dy), sum(table);
            kernels::gather_rows(t, columns, ids.data(), n, y);
            check_close(y, gathered, 0);
            kernels::scatter_add_rows(g, ids.data(), n, columns, sum);
            check_close(sum, gradient, 4 * epsilon);
        });
    }
}

namespace {
Values dropped(const Values& x, double probability, const Draws& draws, int64_t rows, int64_t columns) {
    const double p = static_cast<double>(static_cast<float>(probability));
    Values y(x.size(), 0.0);
    for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < columns; ++j) {
            const auto at = static_cast<std::size_t>(i * columns + j);
            const uint32_t word = philox(draws.counter(i, j / 4), draws.key)[static_cast<std::size_t>(j % 4)];
            if (p < 1 && word >= static_cast<uint32_t>(p * 4294967296.0))
                y[at] = x[at] / (1 - p);
        }
    }
    return y;
}
}  // namespace

TEST_CASE("dropout keeps what Philox decides, element by element") {
    Draws draws{stream_key(7, "encoder.dropout"), 12, 3, 1, 1000};
    for (double probability : {0.0, 0.1, 0.5, 0.999, 1.0}) {
        for (int64_t columns = 0; columns <= 130; columns += columns < 40 ? 1 : 9) {
            const int64_t rows = 3;
            const Values x = values(rows * columns, 5);
            const Values expected = dropped(x, probability, draws, rows, columns);
            each_target([&] {
                Buffer in(x);
                check_destination(expected, 2 * epsilon, [&](Destination y) {
                    kernels::dropout(in, static_cast<real>(probability), draws, y, rows, columns);
                });
                kernels::dropout(in, static_cast<real>(probability), draws, {in, Write::set}, rows, columns);
                check_close(in, expected, 2 * epsilon);
            });
        }
    }
}

TEST_CASE("dropout drops its share, and shards see the rows of the whole batch") {
    const int64_t rows = 64, columns = 1000;
    const Draws draws{stream_key(7, "x"), 1, 0, 0, 0};
    each_target([&] {
        Buffer ones(Values(static_cast<std::size_t>(rows * columns), 1.0)), y = Buffer::unwritten(rows * columns);
        kernels::dropout(ones, real(0.3), draws, {y, Write::set}, rows, columns);
        int64_t kept = 0;
        for (int64_t i = 0; i < rows * columns; ++i) kept += y[i] != 0;
        CHECK(std::abs(static_cast<double>(kept) / (rows * columns) - 0.7) < 5 * std::sqrt(0.21 / (rows * columns)));

        Draws second_half = draws;
        second_half.first_row = rows / 2;
        Buffer half = Buffer::unwritten(rows / 2 * columns);
        kernels::dropout(ones, real(0.3), second_half, {half, Write::set}, rows / 2, columns);
        CHECK(std::memcmp(static_cast<real*>(half), static_cast<real*>(y) + rows / 2 * columns,
                          static_cast<std::size_t>(rows / 2 * columns) * sizeof(real)) == 0);
    });
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
