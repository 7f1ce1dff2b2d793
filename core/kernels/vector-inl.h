/// Vector code shared by the kernels; compiled once per instruction set. The pieces: loads and
/// stores of whole and partial vectors, drivers that cut n elements into them, reductions, and the
/// transcendental functions.
#if defined(ATTEND_KERNELS_VECTOR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTEND_KERNELS_VECTOR_INL_H
#undef ATTEND_KERNELS_VECTOR_INL_H
#else
#define ATTEND_KERNELS_VECTOR_INL_H
#endif

#include <cmath>
#include <cstring>
#include <limits>

#include "core/destination.h"
#include "core/kernels/targets.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<real>;
using V = hn::Vec<D>;
constexpr D d;
constexpr int64_t lanes = static_cast<int64_t>(hn::MaxLanes(d));  // exact: targets.h leaves fixed-width targets only
constexpr real infinity = std::numeric_limits<real>::infinity();

HWY_INLINE V set(real value) { return hn::Set(d, value); }

/// A whole vector of elements at p.
struct Whole {
    template <class Tag>
    HWY_INLINE hn::Vec<Tag> load(Tag tag, const hn::TFromD<Tag>* p) const {
        return hn::LoadU(tag, p);
    }
    template <class Tag>
    HWY_INLINE void store(hn::Vec<Tag> v, Tag tag, hn::TFromD<Tag>* p) const {
        hn::StoreU(v, tag, p);
    }
    HWY_INLINE V load(const real* p) const { return load(d, p); }
    HWY_INLINE void store(V v, real* p) const { store(v, d, p); }
    /// `v` in the lanes that have elements, `other` in the rest: for reductions.
    HWY_INLINE V or_else(V v, V) const { return v; }
};

/// The first `count` lanes, fewer than a vector: never reads or writes beyond; absent lanes load as
/// zero. AVX2 and AVX-512 have masked memory access of 4- and 8-byte elements that cannot fault;
/// elsewhere the elements go through the stack.
struct Partial {
    std::size_t count;
    template <class Tag>
    HWY_INLINE hn::Vec<Tag> load(Tag tag, const hn::TFromD<Tag>* p) const {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
        return hn::MaskedLoad(hn::FirstN(tag, count), tag, p);
#else
        HWY_ALIGN hn::TFromD<Tag> buffer[hn::MaxLanes(Tag())] = {};
        std::memcpy(buffer, p, count * sizeof(*p));
        return hn::Load(tag, buffer);
#endif
    }
    template <class Tag>
    HWY_INLINE void store(hn::Vec<Tag> v, Tag tag, hn::TFromD<Tag>* p) const {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
        hn::BlendedStore(v, hn::FirstN(tag, count), tag, p);
#else
        HWY_ALIGN hn::TFromD<Tag> buffer[hn::MaxLanes(Tag())];
        hn::Store(v, tag, buffer);
        std::memcpy(p, buffer, count * sizeof(*p));
#endif
    }
    HWY_INLINE V load(const real* p) const { return load(d, p); }
    HWY_INLINE void store(V v, real* p) const { store(v, d, p); }
    HWY_INLINE V or_else(V v, V other) const { return hn::IfThenElse(hn::FirstN(d, count), v, other); }
};

/// body(part, i) for every vector of n elements, i its first element: part is Whole, for the last
/// one maybe Partial.
template <class Body>
HWY_INLINE void vectors(int64_t n, Body body) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) body(Whole(), i);
    if (i < n)
        body(Partial{static_cast<std::size_t>(n - i)}, i);
}

/// y[i] (=|+=) value(part, i), or nothing without a y.
template <class Value>
HWY_INLINE void write(Destination y, int64_t n, Value value) {
    if (y.data == nullptr)
        return;
    if (y.write == Write::set) {
        vectors(n, [&](auto part, int64_t i) HWY_ATTR { part.store(value(part, i), y.data + i); });
    } else {
        vectors(n, [&](auto part, int64_t i) HWY_ATTR { part.store(part.load(y.data + i) + value(part, i), y.data + i); });
    }
}

/// y[i] = f(x[i])
template <class F>
HWY_INLINE void map(const real* x, real* y, int64_t n, F f) {
    write({y, Write::set}, n, [&](auto part, int64_t i) HWY_ATTR { return f(part.load(x + i)); });
}

/// y[i] (=|+=) 0.
HWY_INLINE void write_zero(Destination y, int64_t n) {
    if (y.data != nullptr && y.write == Write::set && n > 0)
        std::memset(y.data, 0, static_cast<std::size_t>(n) * sizeof(real));
}

/// The destination moved by `offset` elements.
HWY_INLINE Destination at(Destination y, int64_t offset) { return {y.data == nullptr ? nullptr : y.data + offset, y.write}; }

/// Folds `term(part, i)` over n elements with four vector accumulators (hiding the latency of an
/// addition): fold(a, b) joins two vectors, `start` is its neutral value, the result a vector still
/// to be folded across lanes.
template <class Fold, class Term>
HWY_INLINE V reduce(int64_t n, V start, Fold fold, Term term) {
    V a0 = start, a1 = start, a2 = start, a3 = start;
    int64_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
        a0 = fold(a0, term(Whole(), i));
        a1 = fold(a1, term(Whole(), i + lanes));
        a2 = fold(a2, term(Whole(), i + 2 * lanes));
        a3 = fold(a3, term(Whole(), i + 3 * lanes));
    }
    for (; i + lanes <= n; i += lanes) a0 = fold(a0, term(Whole(), i));
    if (i < n) {
        const Partial part{static_cast<std::size_t>(n - i)};
        a1 = fold(a1, part.or_else(term(part, i), start));
    }
    return fold(fold(a0, a1), fold(a2, a3));
}

HWY_INLINE real lane_sum(V v) { return hn::GetLane(hn::SumOfLanes(d, v)); }
HWY_INLINE real lane_max(V v) { return hn::GetLane(hn::MaxOfLanes(d, v)); }

/// Sum of term(part, i) over n elements.
template <class Term>
HWY_INLINE real sum_of(int64_t n, Term term) {
    return lane_sum(reduce(
        n, hn::Zero(d), [](V a, V b) HWY_ATTR { return a + b; }, term));
}

/// Largest of term(part, i) that is not NaN, -infinity when there is none.
template <class Term>
HWY_INLINE real max_of(int64_t n, Term term) {
    return lane_max(reduce(
        n, set(-infinity), [](V a, V b) HWY_ATTR { return hn::IfThenElse(b > a, b, a); }, term));
}

/// Index of the first of n elements that equals `value`; 0 when none does.
HWY_INLINE int64_t first_equal(const real* x, int64_t n, real value) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const auto equal = hn::LoadU(d, x + i) == set(value);
        if (!hn::AllFalse(d, equal))
            return i + static_cast<int64_t>(hn::FindFirstTrue(d, equal));
    }
    for (; i < n; ++i) {
        if (x[i] == value)
            return i;
    }
    return 0;
}

/// The smaller of x and limit; NaN stays NaN.
HWY_INLINE V at_most(V x, V limit) { return hn::IfThenElse(x > limit, limit, x); }
HWY_INLINE V at_least(V x, V limit) { return hn::IfThenElse(x < limit, limit, x); }

/// tanh(x) of finite or infinite x; may exceed 1 in size by one unit in the last place; NaN stays
/// NaN. In float x P(u) / Q(u), u = x^2, of degree 4 / 4, fitted by us to least relative error on
/// |x| <= 9.02 (4e-8, before rounding), above which tanh rounds to 1: half the work of one by way
/// of e^x.
HWY_INLINE V tanh_core(V x) {
#if defined(ATTEND_DOUBLE)
    return hn::Tanh(d, x);
#else
    const V a = at_least(at_most(x, set(9.02f)), set(-9.02f));
    const V u = a * a;
    V p = hn::MulAdd(u, set(0x1.c9a38ep-27f), set(0x1.59554ap-16f));
    p = hn::MulAdd(u, p, set(0x1.c9f84ep-9f));
    p = hn::MulAdd(u, p, set(0x1.120440p-3f));
    p = hn::MulAdd(u, p, set(1.0f));
    V q = hn::MulAdd(u, set(7.762008058999102e-07f), set(0.0003283090819391991f));
    q = hn::MulAdd(u, q, set(0.025871068440848806f));
    q = hn::MulAdd(u, q, set(0.4671303212326972f));
    q = hn::MulAdd(u, q, set(1.0f));
    return a * p / q;
#endif
}

/// tanh(x), within -1 ... 1.
HWY_INLINE V tanh_of(V x) { return at_least(at_most(tanh_core(x), set(1)), set(-1)); }

/// e^x for every x: 0 for -infinity, infinity for what is too large, NaN for NaN.
HWY_INLINE V exp_of(V x) {
    constexpr real largest = static_cast<real>(sizeof(real) == 4 ? 88.7228391 : 709.782712893384);
    const V y = hn::Exp(d, at_most(x, set(largest)));  // 0 for NaN
    return hn::IfThenElse(x > set(largest), set(infinity), hn::IfThenElse(x == x, y, x));
}

/// e^x for x <= 0; 0 where it would be denormal, NaN for NaN. In float: x = n ln 2 + r, |r| <= ln 2
/// / 2, and e^x = 2^n p(r) with a polynomial of degree 6 fitted by us (3e-9, before rounding).
/// Adding `magic` leaves n + 127, the biased exponent, in the lowest bits of the sum.
HWY_INLINE V exp_of_negative(V x) {
#if defined(ATTEND_DOUBLE)
    return hn::IfThenElse(x == x, hn::Exp(d, x), x);
#else
    const hn::Rebind<int32_t, D> bits;
    const V magic = set(12582912.0f + 127.0f);  // 1.5 2^23 + 127
    const V z = hn::MulAdd(x, set(1.44269504f), magic);
    const V n = z - magic;
    V r = hn::NegMulAdd(n, set(0.693359375f), x);  // ln 2 in two parts: n times the first is exact, fused or not
    r = hn::NegMulAdd(n, set(-2.12194440e-4f), r);
    V p = hn::MulAdd(r, set(0x1.6a23ccp-10f), set(0x1.123a20p-7f));
    p = hn::MulAdd(r, p, set(0x1.5558f2p-5f));
    p = hn::MulAdd(r, p, set(0x1.555492p-3f));
    p = hn::MulAdd(r, p, set(0x1.fffffcp-2f));
    p = hn::MulAdd(r, p, set(1.0f));
    p = hn::MulAdd(r, p, set(1.0f));
    const V scale = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(bits, z)));
    return hn::IfThenZeroElse(x < set(-87.33654f), p * scale);
#endif
}

/// ln x: -infinity at 0, NaN below, infinity at infinity, NaN for NaN.
HWY_INLINE V log_of(V x) {
    const V y = hn::Log(d, x);
    const V ordinary = hn::IfThenElse(hn::And(x > hn::Zero(d), x < set(infinity)), y, x);  // infinity and NaN are their own
    return hn::IfThenElse(x == hn::Zero(d), set(-infinity),
                          hn::IfThenElse(x < hn::Zero(d), set(std::numeric_limits<real>::quiet_NaN()), ordinary));
}

/// 1 / (1 + e^-x), by e^-|x|, which cannot overflow; for x < 0 the quotient e^x / (1 + e^x) keeps
/// it relatively accurate.
HWY_INLINE V sigmoid_of(V x) {
    const V e = exp_of_negative(hn::Neg(hn::Abs(x)));
    return hn::IfThenElse(x < hn::Zero(d), e, set(1)) / (set(1) + e);
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
