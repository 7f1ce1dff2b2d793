#pragma once
/// Gumbel noise given the position of its largest value, on which REBAR and RELAX condition.
#include "core/base/ids.h"
#include "core/context.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION {

/// Added to weights before their logarithm is taken.
constexpr real tiny_weight = static_cast<real>(1e-30);

/// For each row of weights [..., S] all of it, or nothing where no position has weight.
Ranges ranges_of(const Tensor& weights);

/// What is added to z at a temperature so that a position without weight has none: -1e4 temperature
/// there, else 0. Not recorded.
Tensor shut_out(const Tensor& weights, double temperature);

/// Where the noise of a call is found: the hashed name of its stream, the place of the first query,
/// and the samples K.
struct GumbelPlace {
    uint64_t stream = 0;
    int64_t position = 0;
    int64_t samples = 1;
};

/// body(row b * K T + q, row b of the batch, draws) for each query q of weights [B, K T, S]: the
/// draws of (stream, position + time, sample).
template <class F>
void each_query(const Tensor& weights, const GumbelPlace& place, const Context& context, F body) {
    const int64_t queries = weights.dim(1), times = queries / place.samples;
    for (int64_t q = 0; q < queries; ++q) {
        Draws draws = context.draws(place.stream, static_cast<uint32_t>(place.position + q % times));
        draws.sample += static_cast<uint32_t>(q / times);
        for (int64_t b = 0; b < weights.dim(0); ++b) body(b * queries + q, b, draws);
    }
}

/// -ln v of position i, v uniform in (0, 1). The first group of four draws is left to the choice of
/// a position.
double exponential(const Draws& draws, int64_t row, int64_t i);

struct GivenGumbel {
    Tensor z;      ///< [B, K T, S], not recorded
    Tensor slope;  ///< [B, K T, S] dz / d ln w, not recorded
};

/// A draw of z_s = ln w_s + g_s given that z_a is the largest, weights w [B, K T, S] that sum to 1
/// and a = index (Maddison 2017, appendix; Tucker et al. 2017, appendix C):
///     z_a = -ln(-ln v_a),   z_s = -ln(-ln v_s / w_s - ln v_a),   dz_a / d ln w = 0,   dz_s / d ln w_s = r / (r - ln v_a)
/// with r = -ln v_s / w_s and v uniform. For a of the weights it is a draw of the free z. A row
/// whose index is -1 is 0.
GivenGumbel gumbel_given(const Tensor& weights, const Array<int32_t>& index, const GumbelPlace& place, const Context& context);

}  // namespace attend::ATTEND_PRECISION
