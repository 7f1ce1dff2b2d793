#include "core/ops/rotary.h"

#include <array>
#include <cmath>
#include <complex>

namespace attend::ATTEND_PRECISION {

namespace {

// cos and sin of (first + t) base^(-2i / K), [2, T, K/2]; angles in double, so that far positions
// keep their precision. Position p is turned by the angles of p - p mod 32 and of p mod 32, one
// after the other: few sines, and the same bits from whichever position the table begins.
Tensor angle_table(int64_t positions, int64_t half, int64_t first, double base) {
    constexpr int64_t group = 32;
    Tensor table = Tensor::empty({2, positions, half});
    real *cosines = table.writable(), *sines = cosines + positions * half;
    for (int64_t i = 0; i < half; ++i) {
        const double frequency = std::pow(base, -static_cast<double>(i) / static_cast<double>(half));
        std::array<std::complex<double>, group> within;
        std::complex<double> before;
        for (int64_t t = 0; t < positions; ++t) {
            const int64_t p = first + t, rest = p % group;
            if (rest == 0 || t == 0)
                before = std::polar(1.0, static_cast<double>(p - rest) * frequency);
            std::complex<double>& turn = within[static_cast<std::size_t>(rest)];
            if (t < group)
                turn = std::polar(1.0, static_cast<double>(rest) * frequency);
            cosines[t * half + i] = static_cast<real>(before.real() * turn.real() - before.imag() * turn.imag());
            sines[t * half + i] = static_cast<real>(before.real() * turn.imag() + before.imag() * turn.real());
        }
    }
    return table;
}

}  // namespace

// (y_a, y_b) = R(angle) (x_a, x_b) for each pair (a, b); dx = R(-angle) dy
Tensor rotary(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position, double base, RotaryPairs pairs) {
    require(x.rank() == 3, "rotary: three axes are needed: x {}, rank {}", x, x.rank());
    require(head_size >= 2 && head_size % 2 == 0, "rotary: head size must be even: head size {}, at least {}", head_size, 2);
    require(heads >= 0 && heads <= x.dim(2) / head_size, "rotary: heads leave the last axis: {} heads of {} columns, x {}",
            heads, head_size, x);
    require(first_position >= 0 && first_position <= 0x7fffffff - x.dim(1),
            "rotary: position out of range: first position {}, positions {}", first_position, x.dim(1));
    require(base > 0 && std::isfinite(base), "rotary: base out of range: base {}, more than {}", base, 0);
    const kernels::RotarySizes sizes{x.shape().rows(), x.dim(1), x.dim(2), heads, head_size, pairs};
    const Tensor table = angle_table(sizes.positions, head_size / 2, first_position, base);
    const int64_t sines = table.size() / 2;
    Tensor y = Tensor::empty(x.shape());
    kernels::rotary(sizes, x.data(), table.data(), table.data() + sines, kernels::Turn::forward, {y.writable(), Write::set});
    return record("rotary", y, {x}, [sizes, sines, table = Saved(table)](Backward& b) {
        kernels::rotary(sizes, b.gradient(), table.data(), table.data() + sines, kernels::Turn::backward, b.into(0));
    });
}

}  // namespace attend::ATTEND_PRECISION
