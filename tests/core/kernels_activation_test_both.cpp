#include <algorithm>

#include "core/kernels/activation.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/rotary.h"
#include "core/ops/rotary.h"
#include "tests/core/kernels_support.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels activation");

namespace {

using Exact = long double;
constexpr Exact pi = 3.14159265358979323846264338327950288L;

Exact normal(Exact x) { return std::erfc(-x / std::sqrt(Exact{2})) / 2; }
Exact logistic(Exact x) { return 1 / (1 + std::exp(-x)); }
Exact twice_u(Exact x) { return 2 * std::sqrt(2 / pi) * (x + 0.044715L * x * x * x); }

using WithSlope = kernels::Kernel<void(const real*, real*, real*, int64_t)>;
// What the op does with a slope kept from the forward.
template <WithSlope& kernel>
void by_slope(const real* x, const real* dy, Destination dx, int64_t n) {
    std::vector<real> y(static_cast<std::size_t>(n)), again(y.size());
    Buffer slope = Buffer::unwritten(n, 2);
    kernel(x, y.data(), slope, n);
    (kernel == kernels::gelu_with_slope ? kernels::gelu : kernels::gelu_tanh)(x, again.data(), n);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK((y[i] == again[i] || std::isnan(again[i])));
    CHECK(slope.intact());
    kernels::multiply(dy, kernels::Step::one, slope, kernels::Step::one, dx, n);
}

struct Activation {
    std::string name;
    void (*forward)(const real*, real*, int64_t);
    void (*backward)(const real*, const real*, Destination, int64_t);
    Exact (*value)(Exact);
    Exact (*slope)(Exact);
    double least;  // below it the result is (nearly) denormal in float
};
const Activation activations[] = {
    {"gelu", kernels::gelu, by_slope<kernels::gelu_with_slope>, [](Exact x) { return x * normal(x); },
     [](Exact x) { return normal(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * pi); }, -12},
    {"gelu_tanh", kernels::gelu_tanh, by_slope<kernels::gelu_tanh_with_slope>, [](Exact x) { return x * logistic(twice_u(x)); },
     [](Exact x) {
         const Exact s = logistic(twice_u(x));
         return s + x * s * (1 - s) * 2 * std::sqrt(2 / pi) * (1 + 3 * 0.044715L * x * x);
     },
     -9},
    {"silu", kernels::silu, kernels::silu_backward, [](Exact x) { return x * logistic(x); },
     [](Exact x) { return logistic(x) * (1 + x * (1 - logistic(x))); }, -80},
};

Values map(const Values& x, Exact (*f)(Exact)) {
    Values y(x.size());
    std::transform(x.begin(), x.end(), y.begin(), [f](double v) { return static_cast<double>(f(v)); });
    return y;
}

}  // namespace

TEST_CASE("activations and their backwards at every length and alignment") {
    for (const Activation& a : activations) {
        for (int64_t n = 0; n <= 130; ++n) {
            CAPTURE(a.name);
            const Values x = values(n, static_cast<uint32_t>(n), -6, 6), dy = values(n, 7);
            const Values y = map(x, a.value);
            Values dx = map(x, a.slope);
            for (std::size_t i = 0; i < dx.size(); ++i) dx[i] *= dy[i];
            each_target([&] {
                for (int64_t offset : {0, 3}) {
                    Buffer in(x, offset), out = Buffer::unwritten(n, offset), g(dy, 2);
                    a.forward(in, out, n);
                    check_close(out, y, 4 * epsilon);
                    check_destination(dx, 40 * epsilon, [&](Destination to) { a.backward(in, g, to, n); });
                    a.forward(in, in, n);  // in place
                    check_close(in, y, 4 * epsilon);
                }
            });
        }
    }
}

TEST_CASE("activations are accurate relative to their results, slopes to the largest, over a dense grid") {
    constexpr int64_t n = 20000;
    for (const Activation& a : activations) {
        CAPTURE(a.name);
        std::vector<real> x(n), y(n), dx(n), ones(n, 1);
        for (int64_t i = 0; i < n; ++i)
            x[static_cast<std::size_t>(i)] = static_cast<real>(a.least + (20 - a.least) * static_cast<double>(i) / (n - 1));
        each_target([&] {
            a.forward(x.data(), y.data(), n);
            a.backward(x.data(), ones.data(), {dx.data(), Write::set}, n);
            double worst = 0, worst_slope = 0;
            for (std::size_t i = 0; i < n; ++i) {
                const Exact exact = a.value(x[i]);
                if (exact != 0)
                    worst = std::max(worst, static_cast<double>(std::abs((y[i] - exact) / exact)));
                worst_slope = std::max(worst_slope, static_cast<double>(std::abs(dx[i] - a.slope(x[i]))));
            }
            // Where an exponent of up to 80 is rounded before its exponential is taken, as much
            // accuracy is lost as it is large; the float gelu does without that, given fused
            // multiply-add. The slopes hold 1 - s, which loses what s has rounded.
            const bool exact =
                a.name == "silu" || (a.name == "gelu" && sizeof(real) == 4 && hwy::SupportedTargets() != HWY_SCALAR);
            CHECK(worst < (exact ? 8 : 200) * epsilon);
            CHECK(worst > 0);
            CHECK(worst_slope < 60 * epsilon);
        });
    }
}

TEST_CASE("activations far out and at NaN") {
    for (const Activation& a : activations) {
        CAPTURE(a.name);
        each_target([&] {
            const Values far = {1e30, -1e30, 100, -1e4, 0, nan};
            Buffer x(far), y = Buffer::unwritten(6), g(Values(6, 1.0)), dx = Buffer::unwritten(6);
            a.forward(x, y, 6);
            check_close(y, {1e30, 0, 100, 0, 0, nan}, 4 * epsilon);
            a.backward(x, g, {dx, Write::set}, 6);
            check_close(dx, {1, 0, 1, 0, 0.5, nan}, 4 * epsilon);
        });
    }
}

TEST_CASE("swiglu and its backward at every width") {
    constexpr int64_t rows = 3;
    for (int64_t width = 0; width <= 130; ++width) {
        CAPTURE(width);
        const Values x = values(2 * rows * width, 1, -5, 5), dy = values(rows * width, 2);
        Values y(dy.size()), dx(x.size());
        for (std::size_t i = 0; i < y.size(); ++i) {
            const std::size_t w = static_cast<std::size_t>(width), u = i / w * 2 * w + i % w, v = u + w;
            const Exact s = logistic(x[u]);
            y[i] = static_cast<double>(x[u] * s * x[v]);
            dx[u] = static_cast<double>(dy[i] * x[v] * s * (1 + x[u] * (1 - s)));
            dx[v] = static_cast<double>(dy[i] * x[u] * s);
        }
        each_target([&] {
            Buffer in(x, 3), out = Buffer::unwritten(rows * width), g(dy);
            kernels::swiglu(in, out, rows, width);
            check_close(out, y, 8 * epsilon);
            check_destination(dx, 8 * epsilon, [&](Destination to) { kernels::swiglu_backward(in, g, to, rows, width); });
        });
    }
}

TEST_CASE("rotary turns pairs at every head size, forwards and backwards, and copies what is after the heads") {
    for (int64_t n = 0; n <= 141; ++n) {
        const int64_t half = n / 2;
        const RotaryPairs pairs = n % 2 == 0 ? RotaryPairs::halves : RotaryPairs::neighbouring;
        CAPTURE(half);
        CAPTURE((pairs == RotaryPairs::halves));
        const kernels::RotarySizes sizes{4, 2, 2 * 2 * half + 3, 2, 2 * half, pairs};
        const Values x = values(sizes.rows * sizes.columns, 1);
        Values cosines = values(sizes.positions * half, 2), sines = values(sizes.positions * half, 3);
        for (const kernels::Turn turn : {kernels::Turn::forward, kernels::Turn::backward}) {
            const double sign = turn == kernels::Turn::forward ? 1 : -1;
            Values y = x;
            for (int64_t row = 0; row < sizes.rows; ++row)
                for (int64_t i = 0; i < sizes.heads * half; ++i) {
                    const int64_t head = row * sizes.columns + i / half * 2 * half;
                    const bool halves = pairs == RotaryPairs::halves;
                    const auto a = static_cast<std::size_t>(head + (halves ? i % half : i % half * 2));
                    const auto b = a + static_cast<std::size_t>(halves ? half : 1);
                    const auto angle = static_cast<std::size_t>(row % sizes.positions * half + i % half);
                    y[a] = x[a] * cosines[angle] - sign * x[b] * sines[angle];
                    y[b] = x[b] * cosines[angle] + sign * x[a] * sines[angle];
                }
            each_target([&] {
                Buffer in(x), c(cosines), s(sines, 2);
                check_destination(y, 8 * epsilon, [&](Destination to) { kernels::rotary(sizes, in, c, s, turn, to); });
                kernels::rotary(sizes, in, c, s, turn, {in, Write::set});  // in place
                check_close(in, y, 8 * epsilon);
            });
        }
    }
}

TEST_CASE("a position is turned by the same bits from whichever position a text begins") {
    for (const RotaryPairs pairs : {RotaryPairs::halves, RotaryPairs::neighbouring}) {
        const Tensor whole = rotary(Tensor::full({1, 100, 6}, 1), 1, 6, 0, 10000, pairs);
        for (int64_t first = 0; first < 100; ++first) {
            const Tensor one = rotary(Tensor::full({1, 1, 6}, 1), 1, 6, first, 10000, pairs);
            for (int64_t i = 0; i < 6; ++i) CHECK(one.data()[i] == whole.data()[first * 6 + i]);
        }
    }
}

TEST_CASE("rotary at position 1, computed by hand: halves turn 1 with 3 and 2 with 4, neighbours 1 with 2 and 3 with 4") {
    // K = 4, base 4: the angles are 1 and 4^(-1/2) = 1/2.
    const double c0 = 0.5403023058681398, s0 = 0.8414709848078965, c1 = 0.8775825618903728, s1 = 0.479425538604203;
    const Tensor x = Tensor::of({1, 1, 4}, {1, 2, 3, 4});
    const std::pair<RotaryPairs, Values> cases[] = {
        {RotaryPairs::halves, {c0 - 3 * s0, 2 * c1 - 4 * s1, s0 + 3 * c0, 2 * s1 + 4 * c1}},
        {RotaryPairs::neighbouring, {c0 - 2 * s0, s0 + 2 * c0, 3 * c1 - 4 * s1, 3 * s1 + 4 * c1}}};
    for (const auto& [pairs, expected] : cases) {
        const Tensor y = rotary(x, 1, 4, 1, 4, pairs);
        for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(static_cast<double>(y.data()[i]) - expected[i]) < 8 * epsilon);
    }
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
