#include "core/kernels/activation.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/activation.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

constexpr real root_half = static_cast<real>(0.70710678118654752440);         // sqrt(1 / 2)
constexpr real root_inverse_2pi = static_cast<real>(0.39894228040143267794);  // 1 / sqrt(2 pi)

/// The standard normal at x: P(x), accurate relative to P, and e^(-x^2 / 2).
struct Normal {
    V distribution, bell;
};
HWY_INLINE Normal normal_of(V x) {
#if defined(ATTEND_DOUBLE)
    HWY_ALIGN real tail[lanes];
    hn::Store(x * set(-root_half), d, tail);
    for (real& t : tail) t = real{0.5} * std::erfc(t);
    return {hn::Load(d, tail), exp_of_negative(set(-0.5) * x * x)};
#else
    // P(-a) = e^(-a^2 / 2) R(a), a = |x|; R is a polynomial of degree 9 without constant in t = 1 /
    // (1 + 0.28 a), fitted by us to least relative error on 0 <= a <= 15 (6e-8, before rounding),
    // above which e^(-a^2 / 2) is 0. The rounding of a^2, far larger than the result's in the tail,
    // is put right by its first-order term.
    const V a = at_most(hn::Abs(x), set(15.0f));
    const V square = a * a, rounding = hn::MulSub(a, a, square);
    const V bell = exp_of_negative(set(-0.5f) * square) * hn::MulAdd(rounding, set(-0.5f), set(1.0f));
    const V t = set(1.0f) / hn::MulAdd(a, set(0.28f), set(1.0f));
    V r = hn::MulAdd(t, set(0.023298320723849495f), set(-0.08585233924691732f));
    r = hn::MulAdd(t, r, set(0.07496721424342118f));
    r = hn::MulAdd(t, r, set(0.01484952197162304f));
    r = hn::MulAdd(t, r, set(0.05744289730446011f));
    r = hn::MulAdd(t, r, set(0.09027893832924379f));
    r = hn::MulAdd(t, r, set(0.10139524796955779f));
    r = hn::MulAdd(t, r, set(0.11192906910523735f));
    r = hn::MulAdd(t, r, set(0.11169115852113916f));
    const V tail = bell * (t * r);
    return {hn::IfThenElse(x > hn::Zero(d), set(1.0f) - tail, tail), bell};
#endif
}

void gelu(const real* x, real* y, int64_t n) {
    map(x, y, n, [](V v) HWY_ATTR { return v * normal_of(v).distribution; });
}
void gelu_with_slope(const real* x, real* y, real* slope, int64_t n) {
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V v = part.load(x + i);
        const Normal normal = normal_of(v);
        part.store(hn::MulAdd(v * set(root_inverse_2pi), normal.bell, normal.distribution), slope + i);
        part.store(v * normal.distribution, y + i);
    });
}

constexpr real cubic = static_cast<real>(0.044715);
constexpr real twice_root = static_cast<real>(1.59576912160573071176);  // 2 sqrt(2 / pi)

/// s(2u); v within -30 ... 30, outside of which it is 0 or 1.
HWY_INLINE V gelu_tanh_share(V v) { return sigmoid_of(set(twice_root) * v * hn::MulAdd(set(cubic) * v, v, set(1))); }
HWY_INLINE V within_30(V v) { return at_least(at_most(v, set(30)), set(-30)); }

void gelu_tanh(const real* x, real* y, int64_t n) {
    map(x, y, n, [](V v) HWY_ATTR { return v * gelu_tanh_share(within_30(v)); });
}
void gelu_tanh_with_slope(const real* x, real* y, real* slope, int64_t n) {
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V v = part.load(x + i), c = within_30(v), s = gelu_tanh_share(c);
        const V twice_slope_of_u = set(twice_root) * hn::MulAdd(set(3 * cubic) * c, c, set(1));
        part.store(hn::MulAdd(c * twice_slope_of_u, s * (set(1) - s), s), slope + i);
        part.store(v * s, y + i);
    });
}

/// d (x s(x)) / dx
HWY_INLINE V silu_slope(V v, V s) { return s * hn::MulAdd(v, set(1) - s, set(1)); }

void silu(const real* x, real* y, int64_t n) {
    map(x, y, n, [](V v) HWY_ATTR { return v * sigmoid_of(v); });
}
void silu_backward(const real* x, const real* dy, Destination dx, int64_t n) {
    write(dx, n, [=](auto part, int64_t i) HWY_ATTR {
        const V v = part.load(x + i);
        return part.load(dy + i) * silu_slope(v, sigmoid_of(v));
    });
}

void swiglu(const real* x, real* y, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; ++row) {
        const real *gate = x + 2 * row * width, *value = gate + width;
        write({y + row * width, Write::set}, width, [=](auto part, int64_t i) HWY_ATTR {
            const V u = part.load(gate + i);
            return u * sigmoid_of(u) * part.load(value + i);
        });
    }
}
void swiglu_backward(const real* x, const real* dy, Destination dx, int64_t rows, int64_t width) {
    if (dx.data == nullptr)
        return;
    for (int64_t row = 0; row < rows; ++row) {
        const real *gate = x + 2 * row * width, *value = gate + width, *g = dy + row * width;
        real *dgate = dx.data + 2 * row * width, *dvalue = dgate + width;
        const V kept = set(dx.write == Write::add ? 1 : 0);
        const auto mask = kept > hn::Zero(d);
        vectors(width, [=](auto part, int64_t i) HWY_ATTR {
            const V u = part.load(gate + i), s = sigmoid_of(u), gy = part.load(g + i);
            const V before_gate = hn::IfThenElseZero(mask, part.load(dgate + i));
            const V before_value = hn::IfThenElseZero(mask, part.load(dvalue + i));
            part.store(hn::MulAdd(gy * part.load(value + i), silu_slope(u, s), before_gate), dgate + i);
            part.store(hn::MulAdd(gy, u * s, before_value), dvalue + i);
        });
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(gelu);
ATTEND_KERNEL(gelu_with_slope);
ATTEND_KERNEL(gelu_tanh);
ATTEND_KERNEL(gelu_tanh_with_slope);
ATTEND_KERNEL(silu);
ATTEND_KERNEL(silu_backward);
ATTEND_KERNEL(swiglu);
ATTEND_KERNEL(swiglu_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
