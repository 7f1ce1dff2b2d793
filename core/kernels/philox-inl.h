/// Philox4x32-10 (core/base/random.h) a vector at a time, and keeping elements by its words;
/// compiled once per instruction set.
#if defined(ATTEND_KERNELS_PHILOX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTEND_KERNELS_PHILOX_INL_H
#undef ATTEND_KERNELS_PHILOX_INL_H
#else
#define ATTEND_KERNELS_PHILOX_INL_H
#endif

#include <bit>

#include "core/base/random.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

// Constants of Philox4x32-10 (Salmon et al. 2011, table 2 and section 3.2).
constexpr uint32_t multiplier_a = 0xD2511F53, multiplier_b = 0xCD9E8D57;
constexpr uint32_t weyl_a = 0x9E3779B9, weyl_b = 0xBB67AE85;

using D64 = hn::ScalableTag<uint64_t>;
using V64 = hn::Vec<D64>;
constexpr int64_t groups = static_cast<int64_t>(hn::MaxLanes(D64()));  // of four words, computed at a time

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE V64 low_product(V64 v, uint64_t multiplier) { return hn::Set(D64(), (hn::GetLane(v) & 0xFFFFFFFF) * multiplier); }
#else
/// The 64-bit products of the low halves of each lane.
HWY_INLINE V64 low_product(V64 v, uint64_t multiplier) {
    const hn::Repartition<uint32_t, D64> halves;
    return hn::MulEven(hn::BitCast(halves, v), hn::BitCast(halves, hn::Set(D64(), multiplier)));
}
#endif

/// The keys of the ten rounds, made once and read from memory.
struct RoundKeys {
    uint64_t a[10], b[10];
    explicit RoundKeys(Key key) {
        for (uint32_t round = 0; round < 10; ++round) {
            a[round] = key.a + round * weyl_a;
            b[round] = key.b + round * weyl_b;
        }
    }
};

/// Words that philox_words() makes at a time: those of two vectors of counters, whose rounds hide
/// each other's latency.
constexpr int64_t drawn = 8 * groups;

/// Writes the words of 2 `groups` counters from `start` on (its first word counting up), four a
/// group. One group lives in a 64-bit lane of four vectors; the upper halves have values that no
/// product reads, until they are packed at the end.
HWY_INLINE void philox_words(Counter start, const RoundKeys& keys, uint32_t* words) {
    const D64 d64;
    const V64 low_half = hn::Set(d64, 0xFFFFFFFF);
    V64 c0[2], c1[2], c2[2], c3[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
        c0[i] = hn::Iota(d64, start[0] + static_cast<uint64_t>(i * groups));
        c1[i] = hn::Set(d64, start[1]);
        c2[i] = hn::Set(d64, start[2]);
        c3[i] = hn::Set(d64, start[3]);
    }
    for (int round = 0; round < 10; ++round)
#pragma GCC unroll 2
        for (int i = 0; i < 2; ++i) {
            const V64 pa = low_product(c0[i], multiplier_a), pb = low_product(c2[i], multiplier_b);
            c0[i] = hn::Xor(hn::Xor(hn::ShiftRight<32>(pb), c1[i]), hn::Set(d64, keys.a[round]));
            c2[i] = hn::Xor(hn::Xor(hn::ShiftRight<32>(pa), c3[i]), hn::Set(d64, keys.b[round]));
            c1[i] = pb;
            c3[i] = pa;
        }
    HWY_ALIGN uint64_t pairs[4 * groups];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i)
        hn::StoreInterleaved2(hn::Or(hn::And(c0[i], low_half), hn::ShiftLeft<32>(c1[i])),
                              hn::Or(hn::And(c2[i], low_half), hn::ShiftLeft<32>(c3[i])), d64, pairs + i * 2 * groups);
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(words, pairs, sizeof(pairs));
}

/// x where its word is at least the threshold, 0 elsewhere.
HWY_INLINE V keep(V x, const uint32_t* words, uint32_t threshold) {
#if defined(ATTEND_DOUBLE)
    const V64 bits = hn::PromoteTo(D64(), hn::LoadU(hn::Rebind<uint32_t, D>(), words));
    return hn::IfThenZeroElse(hn::RebindMask(d, bits < hn::Set(D64(), threshold)), x);
#else
    const hn::Rebind<uint32_t, D> d32;
    return hn::IfThenZeroElse(hn::RebindMask(d, hn::LoadU(d32, words) < hn::Set(d32, threshold)), x);
#endif
}

/// How dropout with a probability treats an element: kept, and then scaled by 1 / (1 - p), when its
/// word is at least the threshold.
struct Dropping {
    uint32_t threshold;
    real scale;
    /// p < 1; rounded to float, the same in both precisions; then exact: a float's product with
    /// 2^32 fits a double.
    explicit Dropping(real probability) {
        const double p = static_cast<double>(static_cast<float>(probability));
        threshold = static_cast<uint32_t>(p * 0x1p32);
        scale = static_cast<real>(1 / (1 - p));
    }
    /// The elements of x that their words keep, scaled; 0 for the others.
    HWY_INLINE V of(V x, const uint32_t* words) const { return keep(x * set(scale), words, threshold); }
};

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
