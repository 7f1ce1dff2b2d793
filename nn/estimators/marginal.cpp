#include "nn/estimators/marginal.h"

#include <algorithm>

#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

namespace {

// The prediction at the likeliest position.
Array<int32_t> likeliest(const Played& played, const Tensor& share) {
    const int64_t b = share.dim(0), s = share.dim(1), t = share.dim(2);
    Array<int32_t> out(static_cast<std::size_t>(b * t));
    for (int64_t r = 0; r < b; ++r)
        for (int64_t i = 0; i < t; ++i) {
            int64_t best = 0;
            for (int64_t k = 1; k < s; ++k)
                if (share.data()[(r * s + k) * t + i] > share.data()[(r * s + best) * t + i])
                    best = k;
            out[static_cast<std::size_t>(r * t + i)] = played.predicted[static_cast<std::size_t>((r * s + best) * t + i)];
        }
    return out;
}

}  // namespace

Played play_all_positions(const Play& play, const Proposal* proposal) {
    const int64_t b = play.rows(), s = play.positions(), t = play.targets();
    Array<int32_t> choices(static_cast<std::size_t>(b * s * t));
    for (std::size_t i = 0; i < choices.size(); ++i) choices[i] = static_cast<int32_t>(static_cast<int64_t>(i) / t % s);
    return play({.how = Choose::drawn, .samples = s, .forced = {std::move(choices)}, .temperature = 1, .proposal = proposal});
}

Estimated marginal(const Play& play, const Played& played, const Tensor& factor, double normaliser) {
    // log sum_k p_k e^(-loss_k) = -m + log sum_k p_k e^(m - loss_k), m the smallest loss of a
    // position that has weight; what has none may have any loss, and is left out by `has`.
    const int64_t b = play.rows(), s = played.loss.dim(1), t = play.targets();
    const Tensor p = played.probability() * factor;
    Tensor least = Tensor::zeros({b, 1, t}), has = Tensor::zeros(p.shape());
    for (int64_t r = 0; r < b; ++r)
        for (int64_t i = 0; i < t; ++i) {
            bool found = false;
            real& m = least.writable()[r * t + i];
            for (int64_t k = 0; k < s; ++k) {
                const int64_t at = (r * s + k) * t + i;
                if (p.data()[at] <= 0)
                    continue;
                has.writable()[at] = 1;
                m = found ? std::min(m, played.loss.data()[at]) : played.loss.data()[at];
                found = true;
            }
        }
    const Tensor share = p * exp((least - played.loss) * has);       // [B, S, T]
    const Tensor loss = least.reshape({b, t}) - log(sum(share, 1));  // [B, T]
    Estimated out;
    const Tensor counted = loss * play.counted();
    out.loss = scale(sum(counted), static_cast<real>(1 / normaliser));
    out.target_loss = counted.detach();
    out.predicted = likeliest(played, p);
    return out;
}

}  // namespace attend::ATTEND_PRECISION
