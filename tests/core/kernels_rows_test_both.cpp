#include <algorithm>

#include "core/kernels/cross_entropy.h"
#include "core/kernels/norm.h"
#include "core/kernels/softmax.h"
#include "tests/core/kernels_rows.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels rows");

namespace {

Values naive_log_softmax(const Values& x, double scale) {
    Values y = x;
    double sum = 0;
    const double m =
        x.empty() ? 0 : scale * (scale > 0 ? *std::max_element(x.begin(), x.end()) : *std::min_element(x.begin(), x.end()));
    for (double v : x) sum += std::exp(scale * v - m);
    for (double& v : y) v = scale * v - m - std::log(sum);
    return y;
}
Values naive_softmax(const Values& x, double scale) {
    Values y = naive_log_softmax(x, scale);
    for (double& v : y) v = std::exp(v);
    return y;
}
/// Martins and Astudillo 2016, algorithm 1, by sorting.
Values naive_sparsemax(const Values& x, double scale) {
    Values z = x;
    for (double& v : z) v *= scale;
    Values sorted = z;
    std::sort(sorted.rbegin(), sorted.rend());
    double sum = 0, tau = 0;
    for (std::size_t k = 0; k < sorted.size(); ++k) {
        sum += sorted[k];
        if (1 + static_cast<double>(k + 1) * sorted[k] > sum)
            tau = (sum - 1) / static_cast<double>(k + 1);
    }
    for (double& v : z) v = std::max(v - tau, 0.0);
    return z;
}

const RowKernel normalisers[] = {
    {"softmax", naive_softmax, kernels::softmax, kernels::softmax_backward, 1},
    {"softmax, scaled", naive_softmax, kernels::softmax, kernels::softmax_backward, 0.25},
    {"softmax, negative scale", naive_softmax, kernels::softmax, kernels::softmax_backward, -1.5},
    {"log_softmax", naive_log_softmax,
     [](const real* x, real, const Range* r, real* y, int64_t rows, int64_t columns) {
         kernels::log_softmax(x, r, y, rows, columns);
     },
     [](const real* y, const real* dy, real, const Range* r, Destination dx, int64_t rows, int64_t columns) {
         kernels::log_softmax_backward(y, dy, r, dx, rows, columns);
     },
     1},
    {"sparsemax", naive_sparsemax, kernels::sparsemax, kernels::sparsemax_backward, 1},
    {"sparsemax, scaled", naive_sparsemax, kernels::sparsemax, kernels::sparsemax_backward, 0.25},
};

}  // namespace

TEST_CASE("softmax, log_softmax, sparsemax and their backwards at every width, ranges respected") {
    for (const RowKernel& k : normalisers) check_row_kernel(k);
}

TEST_CASE("normalisers far from 0, at ties, at infinity and at NaN") {
    const double inf = std::numeric_limits<double>::infinity();
    each_target([&] {
        const auto run = [](auto kernel, const Values& x) {
            Buffer in(x), out = Buffer::unwritten(in.size());
            kernel(in, real{1}, nullptr, out, 1, in.size());
            return out;
        };
        check_close(run(kernels::softmax, {1e4, 1e4, -1e4}), {0.5, 0.5, 0}, 2 * epsilon);
        check_close(run(kernels::softmax, {-inf, 0, -inf}), {0, 1, 0}, 2 * epsilon);
        check_close(run(kernels::sparsemax, {1e4, 1e4, -1e4}), {0.5, 0.5, 0}, 2 * epsilon);
        check_close(run(kernels::sparsemax, {0.5, 0.5, 0.5, 0.5}), {0.25, 0.25, 0.25, 0.25}, 2 * epsilon);
        check_close(run(kernels::sparsemax, {2, 0, 0}), {1, 0, 0}, 0);
        check_close(run(kernels::softmax, {0, nan, 1}), {nan, nan, nan}, 0);
        const Buffer spoiled = run(kernels::sparsemax, {0, nan, 1});
        CHECK(std::isnan(spoiled[1]));
    });
}

TEST_CASE("sparsemax of many nearly equal scores ends, and sums to 1") {
    Values x = values(5000, 1, 0, 1e-6);
    each_target([&] {
        Buffer in(x), out = Buffer::unwritten(in.size());
        kernels::sparsemax(in, 1, nullptr, out, 1, in.size());
        double sum = 0;
        for (int64_t i = 0; i < out.size(); ++i) sum += static_cast<double>(out[i]);
        CHECK(sum == doctest::Approx(1).epsilon(5000 * epsilon));
    });
}

namespace {
Values naive_layer_norm(const Values& x, const Values& gain, const Values& bias, int64_t columns) {
    Values y(x.size());
    const std::size_t n = static_cast<std::size_t>(columns);
    for (std::size_t first = 0; first < x.size(); first += n) {
        double mean = 0, variance = 0;
        for (std::size_t j = 0; j < n; ++j) mean += x[first + j] / static_cast<double>(n);
        for (std::size_t j = 0; j < n; ++j) variance += (x[first + j] - mean) * (x[first + j] - mean) / static_cast<double>(n);
        for (std::size_t j = 0; j < n; ++j) {
            y[first + j] = (x[first + j] - mean) / std::sqrt(variance + 1e-3) * gain[j] + bias[j];
        }
    }
    return y;
}
}  // namespace

TEST_CASE("layer_norm and its backward, with and without gain and bias") {
    constexpr int64_t rows = 3;
    for (int64_t columns = 0; columns <= 130; ++columns) {
        CAPTURE(columns);
        const Values x = values(rows * columns, 1, 3, 6), dy = values(rows * columns, 2);
        const Values gain = values(columns, 3), bias = values(columns, 4);
        const Values ones(gain.size(), 1.0), zeros(gain.size(), 0.0);
        const Values y = naive_layer_norm(x, gain, bias, columns), plain = naive_layer_norm(x, ones, zeros, columns);
        const bool gradients = columns <= 10 || columns % 16 == 1;
        Values dx, dx_plain, dgain, dbias;
        if (gradients) {
            dx = numeric_gradient(x, [&](const Values& at) { return inner(naive_layer_norm(at, gain, bias, columns), dy); });
            dx_plain =
                numeric_gradient(x, [&](const Values& at) { return inner(naive_layer_norm(at, ones, zeros, columns), dy); });
            dgain = numeric_gradient(gain, [&](const Values& at) { return inner(naive_layer_norm(x, at, bias, columns), dy); });
            dbias = numeric_gradient(bias, [&](const Values& at) { return inner(naive_layer_norm(x, gain, at, columns), dy); });
        }
        each_target([&] {
            Buffer in(x), g(gain), b(bias), out = Buffer::unwritten(rows * columns), up(dy);
            Buffer mean = Buffer::unwritten(rows), rstd = Buffer::unwritten(rows);
            kernels::layer_norm(in, g, b, real(1e-3), out, mean, rstd, rows, columns);
            const double tolerance = 100 * epsilon;  // the mean is far larger than the deviation, in the reference too
            check_close(out, y, tolerance);
            kernels::layer_norm(in, nullptr, nullptr, real(1e-3), out, mean, rstd, rows, columns);
            check_close(out, plain, tolerance);
            if (!gradients)
                return;
            const double loose = 10 * gradient_tolerance;
            const auto backward = [&](const real* with, Destination to_x, Destination to_gain, Destination to_bias) {
                kernels::layer_norm_backward(in, with, mean, rstd, up, to_x, to_gain, to_bias, rows, columns);
            };
            check_destination(dx, loose, [&](Destination to) { backward(g, to, {}, {}); });
            check_destination(dx_plain, loose, [&](Destination to) { backward(nullptr, to, {}, {}); });
            check_destination(dgain, loose, [&](Destination to) { backward(g, {}, to, {}); });
            check_destination(dbias, loose, [&](Destination to) { backward(g, {}, {}, to); });
            Buffer together_gain = Buffer::unwritten(columns), together_bias = Buffer::unwritten(columns);
            backward(g, {up, Write::set}, {together_gain, Write::set}, {together_bias, Write::set});  // dx over dy
            check_close(up, dx, loose);
            check_close(together_gain, dgain, loose);
            check_close(together_bias, dbias, loose);
        });
    }
}

namespace {
Values naive_rms_norm(const Values& x, const Values& gain, int64_t columns) {
    Values y(x.size());
    const std::size_t n = static_cast<std::size_t>(columns);
    for (std::size_t first = 0; first < x.size(); first += n) {
        double square = 0;
        for (std::size_t j = 0; j < n; ++j) square += x[first + j] * x[first + j] / static_cast<double>(n);
        for (std::size_t j = 0; j < n; ++j) y[first + j] = x[first + j] / std::sqrt(square + 1e-3) * gain[j];
    }
    return y;
}
}  // namespace

TEST_CASE("rms_norm and its backward, with and without gain") {
    constexpr int64_t rows = 3;
    for (int64_t columns = 0; columns <= 130; ++columns) {
        CAPTURE(columns);
        const Values x = values(rows * columns, 1), dy = values(rows * columns, 2), gain = values(columns, 3);
        const Values ones(gain.size(), 1.0);
        const bool gradients = columns <= 10 || columns % 16 == 1;
        const auto slope_x = [&](const Values& g) {
            return numeric_gradient(x, [&](const Values& at) { return inner(naive_rms_norm(at, g, columns), dy); });
        };
        Values dx, dx_plain, dgain;
        if (gradients) {
            dx = slope_x(gain);
            dx_plain = slope_x(ones);
            dgain = numeric_gradient(gain, [&](const Values& at) { return inner(naive_rms_norm(x, at, columns), dy); });
        }
        each_target([&] {
            Buffer in(x), g(gain), out = Buffer::unwritten(rows * columns), up(dy), r = Buffer::unwritten(rows);
            kernels::rms_norm(in, g, real(1e-3), out, r, rows, columns);
            check_close(out, naive_rms_norm(x, gain, columns), 10 * epsilon);
            kernels::rms_norm(in, nullptr, real(1e-3), out, r, rows, columns);
            check_close(out, naive_rms_norm(x, ones, columns), 10 * epsilon);
            if (!gradients)
                return;
            const double loose = 10 * gradient_tolerance;
            const auto backward = [&](const real* with, Destination to_x, Destination to_gain) {
                kernels::rms_norm_backward(in, with, r, up, to_x, to_gain, rows, columns);
            };
            check_destination(dx, loose, [&](Destination to) { backward(g, to, {}); });
            check_destination(dx_plain, loose, [&](Destination to) { backward(nullptr, to, {}); });
            check_destination(dgain, loose, [&](Destination to) { backward(g, {}, to); });
            Buffer together = Buffer::unwritten(columns);
            backward(g, {up, Write::set}, {together, Write::set});  // dx over dy
            check_close(up, dx, loose);
            check_close(together, dgain, loose);
        });
    }
}

namespace {
double naive_cross_entropy(const Values& x, int32_t target, double smoothing) {
    const Values log_p = naive_log_softmax(x, 1);
    double mean = 0;
    for (double v : log_p) mean += v / static_cast<double>(x.size());
    return -(1 - smoothing) * log_p[static_cast<std::size_t>(target)] - smoothing * mean;
}
}  // namespace

TEST_CASE("cross_entropy: losses, gradients, argmax, smoothing, ignored rows") {
    constexpr int64_t rows = 3;
    const double scale = 0.5;
    for (double smoothing : {0.0, 0.1, 1.0}) {
        for (int64_t classes = 1; classes <= 130; ++classes) {
            CAPTURE(classes);
            const Values x = values(rows * classes, static_cast<uint32_t>(classes), -4, 4);
            const std::vector<int32_t> targets = {static_cast<int32_t>(classes - 1), 7777, static_cast<int32_t>(classes / 2)};
            const bool gradients = classes <= 10 || classes % 16 == 1;
            Values loss(rows, 0.0), dx(x.size(), 0.0);
            std::vector<int32_t> best(rows);
            for (int64_t row = 0; row < rows; ++row) {
                const Values logits = part(x, row * classes, (row + 1) * classes);
                const auto r = static_cast<std::size_t>(row);
                best[r] = static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
                if (row == 1)
                    continue;
                loss[r] = naive_cross_entropy(logits, targets[r], smoothing);
                if (!gradients)
                    continue;
                const Values g = numeric_gradient(
                    logits, [&](const Values& at) { return scale * naive_cross_entropy(at, targets[r], smoothing); });
                std::copy(g.begin(), g.end(), dx.begin() + row * classes);
            }
            const kernels::CrossEntropy options{7777, static_cast<real>(smoothing)};
            each_target([&] {
                Buffer logits(x), row_loss = Buffer::unwritten(rows);
                std::vector<int32_t> argmax(rows, -1);
                kernels::cross_entropy_forward(logits, targets.data(), options, row_loss, argmax.data(), rows, classes);
                check_close(row_loss, loss, 20 * epsilon);
                CHECK(argmax == best);
                check_close(logits, x, 0);

                Buffer again = Buffer::unwritten(rows);
                std::fill(argmax.begin(), argmax.end(), -1);
                kernels::cross_entropy(logits, targets.data(), options, real(scale), again, argmax.data(), rows, classes);
                check_close(again, loss, 20 * epsilon);
                CHECK(argmax == best);
                CHECK(logits.intact());
                if (gradients)
                    check_close(logits, dx, gradient_tolerance);
            });
        }
    }
}

TEST_CASE("cross_entropy of extreme logits is finite, of NaN is NaN") {
    const int32_t target = 1;
    int32_t argmax = -1;
    each_target([&] {
        Buffer logits(Values{1e4, -1e4, 0}), loss = Buffer::unwritten(1);
        kernels::cross_entropy(logits, &target, {}, 1, loss, &argmax, 1, 3);
        check_close(loss, {2e4}, epsilon);
        check_close(logits, {1, -1, 0}, epsilon);
        Buffer spoiled(Values{0, 1, nan});
        kernels::cross_entropy(spoiled, &target, {}, 1, loss, &argmax, 1, 3);
        CHECK(std::isnan(loss[0]));
    });
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
