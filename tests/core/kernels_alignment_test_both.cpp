#include <algorithm>
#include <limits>

#include "core/kernels/entmax.h"
#include "core/kernels/softmax.h"
#include "tests/core/kernels_rows.h"
#include "tests/oracles/alignments.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels alignment");

namespace {

Values scaled(Values x, double scale) {
    for (double& v : x) v *= scale;
    return x;
}

RowKernel entmax15_of(double scale) {
    return {"entmax15",
            [](const Values& x, double s) { return oracles::entmax_by_bisection(scaled(x, s), 1.5); },
            kernels::entmax15,
            [](const real* y, const real* dy, real s, const Range* r, Destination dx, int64_t rows, int64_t columns) {
                kernels::entmax_backward(y, dy, real{1.5}, s, r, dx, rows, columns);
            },
            scale,
            InPlace::refused};
}

RowKernel entmax_of(double alpha, double scale, double tolerance) {
    const auto a = static_cast<real>(alpha);
    return {"entmax of alpha " + std::to_string(alpha),
            [=](const Values& x, double s) { return oracles::entmax_by_bisection(scaled(x, s), alpha); },
            [=](const real* x, real s, const Range* r, real* y, int64_t rows, int64_t columns) {
                kernels::entmax(x, a, s, r, y, rows, columns);
            },
            [=](const real* y, const real* dy, real s, const Range* r, Destination dx, int64_t rows, int64_t columns) {
                kernels::entmax_backward(y, dy, a, s, r, dx, rows, columns);
            },
            scale,
            InPlace::refused,
            tolerance};
}

}  // namespace

TEST_CASE("entmax15, entmax and their backward at every width equal bisection, ranges respected") {
    check_row_kernel(entmax15_of(-0.6));
    check_row_kernel(entmax_of(1.25, 1, 20 * epsilon));
    check_row_kernel(entmax_of(2, 1, 20 * epsilon));
}

TEST_CASE("entmax far from 0, at ties, at infinity and at NaN") {
    const double inf = std::numeric_limits<double>::infinity();
    const RowKernel all[] = {entmax15_of(1), entmax_of(1.5, 1, 0), entmax_of(1.01, 1, 0), entmax_of(2, 1, 0)};
    each_target([&] {
        for (const RowKernel& k : all) {
            CAPTURE(k.name);
            const auto run = [&](const Values& x) {
                Buffer in(x), out = Buffer::unwritten(in.size());
                k.forward(in, 1, nullptr, out, 1, in.size());
                return out;
            };
            check_close(run({1e4, 1e4, -1e4}), {0.5, 0.5, 0}, 2 * epsilon);
            check_close(run({0.5, 0.5, 0.5, 0.5}), {0.25, 0.25, 0.25, 0.25}, 2 * epsilon);
            check_close(run({-inf, 0, -inf}), {0, 1, 0}, 0);
            check_close(run({200, 0, -1}), {1, 0, 0}, 0);
            check_close(run({7}), {1}, 0);
            check_close(run({0, nan, 1}), {nan, nan, nan}, 0);
            check_close(run({inf, 0}), {nan, nan}, 0);
            check_close(run({-inf, -inf}), {nan, nan}, 0);
        }
    });
}

TEST_CASE("entmax of many nearly equal scores ends, and sums to 1") {
    const RowKernel all[] = {entmax15_of(1), entmax_of(1.5, 1, 0), entmax_of(1.01, 1, 0), entmax_of(2, 1, 0)};
    for (const double width : {0.0, 1e-6, 1e-2, 10.0}) {
        const Values x = values(5000, 1, 0, width);
        each_target([&] {
            for (const RowKernel& k : all) {
                CAPTURE(k.name);
                Buffer in(x), out = Buffer::unwritten(in.size());
                k.forward(in, 1, nullptr, out, 1, in.size());
                double sum = 0;
                for (int64_t i = 0; i < out.size(); ++i) sum += static_cast<double>(out[i]);
                CHECK(std::abs(sum - 1) <= 5000 * epsilon);  // most of it from this sum
            }
        });
    }
}

namespace {

Values naive_softmax_with_sink(const Values& x, double sink, double scale) {
    Values y = scaled(x, scale);
    double most = sink, sum = 0;
    for (const double z : y) most = std::max(most, z);
    for (double& z : y) sum += z = std::exp(z - most);
    for (double& z : y) z /= sum + std::exp(sink - most);
    return y;
}

/// Of equal scores the first are kept.
Values naive_top_softmax(const Values& x, int64_t k, double scale) {
    const Values z = scaled(x, scale);
    Values y(x.size(), 0.0);
    double sum = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
        int64_t before = 0;
        for (std::size_t j = 0; j < z.size(); ++j) before += z[j] > z[i] || (z[j] == z[i] && j < i);
        if (before < k)
            sum += y[i] = std::exp(z[i]);
    }
    for (double& v : y) v /= sum;
    return y;
}

RowKernel with_sink(double sink, double scale) {
    return {"softmax with a sink of " + std::to_string(sink),
            [=](const Values& x, double s) { return naive_softmax_with_sink(x, sink, s); },
            [=](const real* x, real s, const Range* r, real* y, int64_t rows, int64_t columns) {
                Buffer left = Buffer::unwritten(rows);
                kernels::softmax_with_sink(x, s, static_cast<real>(sink), r, y, left, rows, columns);
                CHECK(left.intact());
                for (int64_t row = 0; row < rows; ++row) {
                    double sum = static_cast<double>(left[row]);
                    for (int64_t i = 0; i < columns; ++i) sum += static_cast<double>(y[row * columns + i]);
                    CHECK(std::abs(sum - 1) <= 40 * epsilon);
                }
            },
            kernels::softmax_backward, scale};
}

RowKernel top(int64_t k, double scale) {
    return {"the softmax of the top " + std::to_string(k),
            [=](const Values& x, double s) { return naive_top_softmax(x, k, s); },
            [=](const real* x, real s, const Range* r, real* y, int64_t rows, int64_t columns) {
                kernels::top_softmax(x, k, s, r, y, rows, columns);
            },
            kernels::softmax_backward,
            scale,
            InPlace::refused};
}

}  // namespace

TEST_CASE("softmax_with_sink and top_softmax at every width, ranges respected") {
    check_row_kernel(with_sink(0, 1));
    check_row_kernel(with_sink(2.5, -0.7));
    check_row_kernel(top(1, 1));
    check_row_kernel(top(5, -0.7));
    check_row_kernel(top(40, 1));
}

TEST_CASE("softmax_with_sink and top_softmax far from 0, at ties, at infinity and at NaN") {
    const double inf = std::numeric_limits<double>::infinity();
    each_target([&] {
        const auto run = [](const RowKernel& k, const Values& x) {
            Buffer in(x), out = Buffer::unwritten(in.size());
            k.forward(in, static_cast<real>(k.scale), nullptr, out, 1, in.size());
            return out;
        };
        check_close(run(with_sink(0, 1), {1e4, 1e4, -1e4}), {0.5, 0.5, 0}, 2 * epsilon);
        check_close(run(with_sink(0, 1), {-1e4, -1e4}), {0, 0}, 0);
        check_close(run(with_sink(1e4, 1), {1e4, 1e4, 5}), {1 / 3.0, 1 / 3.0, 0}, 2 * epsilon);
        check_close(run(with_sink(0, 1), {-inf, -inf}), {0, 0}, 0);
        check_close(run(top(2, 1), {1, 3, 3, 3, 2}), {0, 0.5, 0.5, 0, 0}, 2 * epsilon);
        check_close(run(top(2, -1), {1, 1, 1, 3}), {0.5, 0.5, 0, 0}, 2 * epsilon);
        check_close(run(top(3, 1), {7, 7, 7, 7, 7}), {1 / 3.0, 1 / 3.0, 1 / 3.0, 0, 0}, 2 * epsilon);
        check_close(run(top(2, 1), {-inf, 1e4, 0, -inf}), {0, 1, 0, 0}, 0);
        Buffer spoiled(Values{0, 1, nan}), out = Buffer::unwritten(3), left = Buffer::unwritten(1);
        kernels::softmax_with_sink(spoiled, 1, 0, nullptr, out, left, 1, 3);
        check_close(out, {nan, nan, nan}, 0);
        check_close(run(top(1, 1), {0, 1, nan, 2}), {nan, nan, nan, nan}, 0);
    });
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
