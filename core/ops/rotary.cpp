#include "core/ops/rotary.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

namespace attend::ATTEND_PRECISION {

namespace {

// The distinct values of a list, in order of appearance, and for each element which one it is.
struct Distinct {
    Array<int32_t> values, number;
    explicit Distinct(const Array<int32_t>& of) : number(of.size()) {
        if (of.empty())
            return;
        const auto [low, high] = std::ranges::minmax(of);
        Array<int32_t> seen(static_cast<std::size_t>(high - low) + 1, -1);
        for (std::size_t i = 0; i < of.size(); ++i) {
            int32_t& at = seen[static_cast<std::size_t>(of[i] - low)];
            if (at < 0) {
                at = static_cast<int32_t>(values.size());
                values.push_back(of[i]);
            }
            number[i] = at;
        }
    }
};

// length cos and length sin of p frequency_i, [2, N, K/2]; angles in double, so that far positions
// keep their precision. Position p is turned by the angles of p - p mod 32 and of p mod 32, one
// after the other: few sines, and the same bits whatever other positions are in the table.
Tensor angle_table(std::span<const int32_t> positions, const RotaryTurns& turns) {
    constexpr int32_t group = 32;
    Array<int32_t> groups, rests;
    for (const int32_t p : positions) groups.push_back(p / group), rests.push_back(p % group);
    const Distinct before(groups), within(rests);
    const auto count = static_cast<int64_t>(positions.size()), half = static_cast<int64_t>(turns.frequencies.size());
    Tensor table = Tensor::empty({2, count, half});
    real *cosines = table.writable(), *sines = cosines + count * half;
    Array<std::complex<double>> far(before.values.size()), near(within.values.size());
    for (int64_t i = 0; i < half; ++i) {
        const double frequency = turns.frequencies[static_cast<std::size_t>(i)];
        for (std::size_t g = 0; g < far.size(); ++g)
            far[g] = std::polar(1.0, static_cast<double>(before.values[g] * group) * frequency);
        for (std::size_t g = 0; g < near.size(); ++g)
            near[g] = std::polar(1.0, static_cast<double>(within.values[g]) * frequency);
        for (int64_t t = 0; t < count; ++t) {
            const std::complex<double> a = far[static_cast<std::size_t>(before.number[static_cast<std::size_t>(t)])],
                                       b = near[static_cast<std::size_t>(within.number[static_cast<std::size_t>(t)])];
            cosines[t * half + i] = static_cast<real>(turns.length * (a.real() * b.real() - a.imag() * b.imag()));
            sines[t * half + i] = static_cast<real>(turns.length * (a.real() * b.imag() + a.imag() * b.real()));
        }
    }
    return table;
}

// gamma of a wave that turns r times within the original length (Peng et al. 2023, 3.2): 0 below
// alpha, 1 above beta, and a straight line between them.
double ramp(double r, double alpha, double beta) { return std::clamp((r - alpha) / (beta - alpha), 0.0, 1.0); }

void check_options(int64_t head_size, const RotaryOptions& o) {
    require(head_size >= 2 && head_size % 2 == 0, "rotary: head size must be even: head size {}, at least {}", head_size, 2);
    require(o.base > 0 && std::isfinite(o.base), "rotary: base out of range: base {}, more than {}", o.base, 0);
    require(o.factor >= 1 && std::isfinite(o.factor), "rotary: factor out of range: factor {}, at least {}", o.factor, 1);
    require(o.scaling != RotaryScaling::ntk || head_size > 2,
            "rotary: scaling 'ntk' keeps the first pair's wave as it is, so it needs a second pair: head size {}, at least {}",
            head_size, 4);
    require(
        o.scaling != RotaryScaling::yarn || (o.original > 0 && o.slow > 0 && o.fast > o.slow),
        "rotary: scaling 'yarn' needs a length of training and two ascending numbers of turns: original {}, slow {}, fast {}",
        o.original, o.slow, o.fast);
}

}  // namespace

// linear: f / s. ntk: base s^(K / (K - 2)). yarn: (1 - gamma) f / s + gamma f, and sqrt(1/t) = 0.1 ln s + 1 on queries and on
// keys, so that scores are divided by the temperature t (Chen et al. 2023, 2.3; Peng et al. 2023, 3.1, 3.2 and 3.4).
RotaryTurns rotary_turns(int64_t head_size, const RotaryOptions& o) {
    check_options(head_size, o);
    const int64_t half = head_size / 2;
    const auto k = static_cast<double>(head_size);
    const double base = o.scaling == RotaryScaling::ntk ? o.base * std::pow(o.factor, k / (k - 2)) : o.base;
    RotaryTurns turns;
    for (int64_t i = 0; i < half; ++i) {
        const double f = std::pow(base, -static_cast<double>(i) / static_cast<double>(half)), stretched = f / o.factor;
        const double gamma = ramp(o.original * f / (2 * std::numbers::pi), o.slow, o.fast);
        turns.frequencies.push_back(o.scaling == RotaryScaling::linear ? stretched
                                    : o.scaling == RotaryScaling::yarn ? stretched + gamma * (f - stretched)
                                                                       : f);
    }
    if (o.scaling == RotaryScaling::yarn)
        turns.length = 0.1 * std::log(o.factor) + 1;
    return turns;
}

// (y_a, y_b) = l R(angle) (x_a, x_b) for each pair (a, b); dx = l R(-angle) dy, l = turns.length
Tensor rotary(const Tensor& x, int64_t heads, const RotaryTurns& turns, std::span<const int32_t> positions, RotaryPairs pairs) {
    const int64_t head_size = 2 * static_cast<int64_t>(turns.frequencies.size());
    const auto count = static_cast<int64_t>(positions.size());
    require(x.rank() == 3, "rotary: three axes are needed: x {}, rank {}", x, x.rank());
    require(heads >= 0 && head_size > 0 && heads <= x.dim(2) / head_size,
            "rotary: heads leave the last axis: {} heads of {} columns, x {}", heads, head_size, x);
    require(count == x.dim(1) || count == x.dim(0) * x.dim(1), "rotary: a number for each position: x {}, numbers {}", x,
            count);
    for (const int32_t p : positions) require(p >= 0, "rotary: position out of range: position {}, at least {}", p, 0);
    const kernels::RotarySizes sizes{x.shape().rows(), count, x.dim(2), heads, head_size, pairs};
    const Tensor table = angle_table(positions, turns);
    const int64_t sines = table.size() / 2;
    Tensor y = Tensor::empty(x.shape());
    kernels::rotary(sizes, x.data(), table.data(), table.data() + sines, kernels::Turn::forward, {y.writable(), Write::set});
    return record("rotary", y, {x}, [sizes, sines, table = Saved(table)](Backward& b) {
        kernels::rotary(sizes, b.gradient(), table.data(), table.data() + sines, kernels::Turn::backward, b.into(0));
    });
}

Tensor rotary(const Tensor& x, int64_t heads, const RotaryTurns& turns, int64_t first_position, RotaryPairs pairs) {
    require(x.rank() == 3, "rotary: three axes are needed: x {}, rank {}", x, x.rank());
    require(first_position >= 0 && first_position <= 0x7fffffff - x.dim(1),
            "rotary: position out of range: first position {}, positions {}", first_position, x.dim(1));
    Array<int32_t> positions(static_cast<std::size_t>(x.dim(1)));
    std::iota(positions.begin(), positions.end(), static_cast<int32_t>(first_position));
    return rotary(x, heads, turns, positions, pairs);
}

Tensor rotary(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position, double base, RotaryPairs pairs) {
    return rotary(x, heads, rotary_turns(head_size, {.base = base}), first_position, pairs);
}

}  // namespace attend::ATTEND_PRECISION
