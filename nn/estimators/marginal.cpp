#include "nn/estimators/marginal.h"

#include <algorithm>

#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

Array<int32_t> likeliest_prediction(const ByPosition& by, const Tensor& weight) {
    const int64_t b = weight.dim(0), n = weight.dim(1), t = weight.dim(2);
    Array<int32_t> out(static_cast<std::size_t>(b * t));
    for (int64_t r = 0; r < b; ++r)
        for (int64_t i = 0; i < t; ++i) {
            int64_t best = 0;
            for (int64_t k = 1; k < n; ++k)
                if (weight.data()[(r * n + k) * t + i] > weight.data()[(r * n + best) * t + i])
                    best = k;
            out[static_cast<std::size_t>(r * t + i)] = by.predicted[static_cast<std::size_t>((r * n + best) * t + i)];
        }
    return out;
}

Estimated marginal(const ByPosition& by, const Tensor& factor, const Tensor& mask, double normaliser) {
    // log sum_n p_n e^(-loss_n) = -m + log sum_n p_n e^(m - loss_n), m the smallest loss of a
    // position that has weight; what has none may have any loss, and is left out by `has`.
    const int64_t b = by.loss.dim(0), n = by.loss.dim(1), t = by.loss.dim(2);
    const Tensor p = by.weights * factor;
    Tensor least = Tensor::zeros({b, 1, t}), has = Tensor::zeros(p.shape());
    real *const smallest = least.writable(), *const there = has.writable();
    const real *const weight = p.data(), *const losses = by.loss.data();
    for (int64_t r = 0; r < b; ++r)
        for (int64_t i = 0; i < t; ++i) {
            bool found = false;
            real& m = smallest[r * t + i];
            for (int64_t k = 0; k < n; ++k) {
                const int64_t at = (r * n + k) * t + i;
                if (weight[at] <= 0)
                    continue;
                there[at] = 1;
                m = found ? std::min(m, losses[at]) : losses[at];
                found = true;
            }
        }
    const Tensor share = p * exp((least - by.loss) * has);           // [B, N, T]
    const Tensor loss = least.reshape({b, t}) - log(sum(share, 1));  // [B, T]
    const Tensor masked = loss * mask;
    return {scale(sum(masked), static_cast<real>(1 / normaliser)), masked.detach(), likeliest_prediction(by, p)};
}

}  // namespace attend::ATTEND_PRECISION
