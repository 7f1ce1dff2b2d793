#include "nn/estimators/estimator.h"

#include <algorithm>

#include "core/ops.h"

namespace attend::inline ATTEND_PRECISION {

namespace {
// Below this a probability counts as 0 in p ln p, which is then 0 with a finite gradient.
constexpr real tiny = static_cast<real>(1e-30);

// [B, K T'] of each decision to [B, K, T].
Tensor joined(const std::vector<Tensor>& parts, int64_t samples) {
    std::vector<Tensor> by_sample;
    for (const Tensor& x : parts) by_sample.push_back(x.reshape({x.dim(0), samples, x.dim(1) / samples}));
    return concat(std::span<const Tensor>(by_sample), -1);
}
}  // namespace

const char* aim_name(Aim aim) { return aim == Aim::expected ? "expected" : "marginal"; }

Tensor Played::probability() const {
    std::vector<Tensor> parts;
    for (const Decision& d : decisions) {
        const int64_t rows = d.weights.dim(0), queries = d.weights.dim(1), s = d.weights.dim(2);
        Array<int32_t> ids = d.index;
        Tensor none = Tensor::zeros({rows * queries});
        for (std::size_t q = 0; q < ids.size(); ++q)
            if (ids[q] < 0) {
                ids[q] = 0;
                none.writable()[static_cast<int64_t>(q)] = 1;
            }
        // A query that sees nothing has weights of 0: the 1 stands for "there was no choice".
        parts.push_back((pick(d.weights.reshape({rows * queries, s}), ids) + none).reshape({rows, queries}));
    }
    return joined(parts, loss.dim(1));
}

// H = -sum_s p_s ln p_s
Tensor Played::entropy() const {
    std::vector<Tensor> parts;
    for (const Decision& d : decisions) parts.push_back(negate(sum(d.weights * log(shift(d.weights, tiny)), -1)));
    return joined(parts, loss.dim(1));
}

Tensor Played::queries() const {
    const NoGrad off;
    std::vector<Tensor> parts;
    const int64_t k = loss.dim(1);
    for (const Decision& d : decisions)
        parts.push_back(d.query.detach().reshape({d.query.dim(0), k, d.query.dim(1) / k, d.query.dim(2)}));
    return concat(std::span<const Tensor>(parts), 2);
}

Tensor mean_of_samples(const Tensor& x) {
    const NoGrad off;
    return mean(x.detach(), 1);
}

Array<int32_t> first_sample(const Played& played) {
    const int64_t b = played.loss.dim(0), k = played.loss.dim(1), t = played.loss.dim(2);
    Array<int32_t> out;
    for (int64_t r = 0; r < b; ++r)
        out.insert(out.end(), played.predicted.begin() + r * k * t, played.predicted.begin() + r * k * t + t);
    return out;
}

Tensor from_each_step_on(const Tensor& x) {
    const int64_t t = x.dim(2);
    Tensor y = Tensor::empty(x.shape());
    for (int64_t r = 0; r < x.dim(0) * x.dim(1); ++r) {
        double left = 0;
        for (int64_t i = t - 1; i >= 0; --i) {
            left += static_cast<double>(x.data()[r * t + i]);
            y.writable()[r * t + i] = static_cast<real>(left);
        }
    }
    return y;
}

// The table: one line an estimator. NAME stands for estimator_NAME(), defined in estimator_NAME.cpp.
#define ATTEND_ESTIMATORS(ROW) ROW(reinforce) ROW(exact) ROW(sum_and_sample) ROW(straight_through) ROW(gumbel_softmax)

#define DECLARE(NAME) EstimatorTable::Row estimator_##NAME();
ATTEND_ESTIMATORS(DECLARE)

#define LIST(NAME) estimator_##NAME(),
const EstimatorTable& estimator_table() {
    static const EstimatorTable table("estimator", {ATTEND_ESTIMATORS(LIST)});
    return table;
}

namespace {
[[maybe_unused]] const bool listed = (estimator_table(), true);
}

}  // namespace attend::inline ATTEND_PRECISION
