#include "nn/estimators/estimator.h"

#include <algorithm>

#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

void samples_field(Visitor& v, int64_t& samples) {
    v.integer("samples", samples, {1, 1024}, "choices drawn for each example; their estimates are averaged");
}

Estimated averaged(const Rollout& rollout, const Tensor& sum, double normaliser) {
    const double samples = static_cast<double>(rollout.loss.dim(1));
    return {scale(sum, static_cast<real>(1 / (normaliser * samples))), mean_of_samples(rollout.loss), first_sample(rollout)};
}

Tensor mean_of_samples(const Tensor& x) {
    const NoGrad off;
    return mean(x.detach(), 1);
}

Array<int32_t> first_sample(const Rollout& rollout) {
    const int64_t b = rollout.loss.dim(0), k = rollout.loss.dim(1), t = rollout.loss.dim(2);
    Array<int32_t> out;
    for (int64_t r = 0; r < b; ++r)
        out.insert(out.end(), rollout.predicted.begin() + r * k * t, rollout.predicted.begin() + r * k * t + t);
    return out;
}

AdvantageSums& AdvantageSums::operator+=(const AdvantageSums& other) {
    sum += other.sum;
    squares += other.squares;
    count += other.count;
    return *this;
}

double AdvantageSums::variance() const {
    const auto n = static_cast<double>(count);
    return count == 0 ? 0 : std::max(0.0, squares / n - sum / n * (sum / n));
}

AdvantageSums advantage_sums(const Tensor& advantages, const Tensor& mask) {
    const int64_t b = advantages.dim(0), k = advantages.dim(1), t = advantages.dim(2);
    AdvantageSums out;
    for (int64_t i = 0; i < b * k * t; ++i)
        if (mask.data()[i / (k * t) * t + i % t] > 0) {
            const auto a = static_cast<double>(advantages.data()[i]);
            out.sum += a;
            out.squares += a * a;
            ++out.count;
        }
    return out;
}

Tensor direct_losses(const Rollouts& rollouts, const Choosing& way, int64_t samples, double normaliser) {
    const Rollout rollout = rollouts(way, samples);
    return averaged(rollout, sum(rollout.loss), normaliser).loss;
}

Tensor mask_to_go(const Tensor& mask) {
    Tensor left = reward_to_go(mask.reshape({mask.dim(0), 1, mask.dim(1)}));
    for (int64_t i = 0; i < left.size(); ++i) left.writable()[i] = left.data()[i] > 0 ? 1 : 0;
    return left;
}

Tensor reward_to_go(const Tensor& x) {
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

// Each row is defined in the file of its name.
EstimatorTable::Row estimator_reinforce(), estimator_exact(), estimator_sum_and_sample(), estimator_straight_through(),
    estimator_gumbel_softmax(), estimator_rebar(), estimator_relax(), estimator_variational(), estimator_coupled(),
    estimator_unordered_set(), estimator_imle();

const EstimatorTable& estimator_table() {
    static const EstimatorTable table(
        "estimator", {estimator_reinforce(), estimator_exact(), estimator_sum_and_sample(), estimator_straight_through(),
                      estimator_gumbel_softmax(), estimator_rebar(), estimator_relax(), estimator_variational(),
                      estimator_coupled(), estimator_unordered_set(), estimator_imle()});
    return table;
}
const registry::AtStart estimator_listed(estimator_table());

}  // namespace attend::ATTEND_PRECISION
