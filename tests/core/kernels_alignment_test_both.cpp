#include <algorithm>
#include <limits>

#include "core/kernels/entmax.h"
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

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
