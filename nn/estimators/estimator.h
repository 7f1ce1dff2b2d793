#pragma once
/// Estimators of the gradient of hard choices. There are two objectives to minimise, which must not
/// be confused:
///
///     expected    E_a[-log p(y | a, x)]          (Xu et al. 2015, eq. 10: an upper bound of the marginal)
///     marginal    -log sum_a p(a) p(y | a, x)    (Wu, Shapiro and Cotterell 2018, eq. 5, position by position)
///
/// and an upper bound of the marginal, with q of an inference network (Deng et al. 2018):
///
///     marginal  <=  bound = E_q[-log p(y | a, x)] + KL(q || p),    for every q
///
/// It is the marginal where q is the posterior p(a | y, x), and the expected objective where q = p.
/// Of a q that is worse than p it is above the expected objective: it need not lie between the two.
///
/// Rows of estimator_table(), one file each (estimator_NAME.cpp).
#include <memory>
#include <string_view>

#include "core/base/options.h"
#include "core/parameters.h"
#include "nn/estimators/aim.h"
#include "nn/estimators/rollout.h"

namespace attend::ATTEND_PRECISION {

/// Sums over choices of the advantages that their log-probabilities are multiplied by (nats; before
/// a division by their running size).
struct AdvantageSums {
    double sum = 0, squares = 0;
    int64_t count = 0;
    AdvantageSums& operator+=(const AdvantageSums& other);
    /// sum_i (A_i - mean)^2 / count; 0 of none.
    double variance() const;
};

/// The estimate for a batch.
struct Estimated {
    Tensor loss;                    ///< scalar, recorded: its gradient is the estimate; its value has no meaning
    Tensor target_loss;             ///< [B, T] nats, not recorded: the objective's value, or an estimate of it
    Array<int32_t> predicted;       ///< [B * T]
    AdvantageSums advantages = {};  ///< of estimators that have advantages
};

class Estimator {
  public:
    virtual ~Estimator() = default;
    virtual Aim aim() const = 0;
    /// Whether the mean of its gradients is the gradient of its aim.
    virtual bool unbiased() const { return true; }
    /// Whether it is exact only where choices affect no other step (independent(), nn/attention/sites.h).
    virtual bool needs_independence() const { return false; }
    /// Whether it is for models with one site that chooses.
    virtual bool needs_one_site() const { return false; }
    /// Whether its gradient depends on draws; where not, its loss is a value and can be
    /// differentiated by differences.
    virtual bool draws() const { return true; }
    /// What choices are drawn from in place of the weights, where `target` [B, T] is to be
    /// predicted; null: the weights.
    virtual std::unique_ptr<Proposal> proposal(const Ids& /*target*/) const { return nullptr; }
    /// The losses of the shard's targets are divided by `normaliser`.
    virtual Estimated operator()(const Rollouts& rollouts, double normaliser, const Context& context) const = 0;
    /// The part of the estimate that goes through the losses while what is chosen is held fixed, as a
    /// scalar, recorded. Of drawn choices a that is the second term of
    ///     grad E_a[l(a)] = E_a[ l(a) grad log p(a) ] + E_a[ grad l(a) ]
    /// (Schulman, Heess, Weber and Abbeel 2015, theorem 1), of the marginal the gradient with fixed
    /// weights p: sum_s p(s | y) grad l_s. All else of the estimate is what choices carry. Undefined
    /// where nothing is chosen.
    virtual Tensor direct(const Rollouts&, double /*normaliser*/, const Context&) const { return {}; }
};

/// What an estimator is built for.
struct EstimatorSetup {
    int64_t query = 0;       ///< width of the queries; of the first site's where there are several
    int64_t values = 0;      ///< width of what is read
    int64_t vocabulary = 0;  ///< of the targets
};

using EstimatorTable = Table<std::unique_ptr<Estimator>(const Scope&, const EstimatorSetup&)>;
const EstimatorTable& estimator_table();
/// The row that hard attention has where its options name none.
inline constexpr const char* default_estimator = "reinforce";
/// The scope of a model's own estimator: its parameters are "estimator.*".
inline constexpr const char* estimator_scope = "estimator";
/// Whether a parameter is one of the model's own estimator.
inline bool is_of_estimator(std::string_view parameter) {
    return parameter.starts_with(estimator_scope) &&
           parameter.substr(std::string_view(estimator_scope).size()).starts_with('.');
}

/// Declares the option `samples`.
void samples_field(Visitor& v, int64_t& samples);
/// The estimate with the loss sum / (normaliser K), `sum` a scalar over all samples of `rollout`;
/// it reports the losses of `rollout`.
Estimated averaged(const Rollout& rollout, const Tensor& sum, double normaliser);
/// Mean over the samples, not recorded: [B, K, T] to [B, T].
Tensor mean_of_samples(const Tensor& x);
/// What the first sample of every example predicts: [B * T].
Array<int32_t> first_sample(const Rollout& rollout);
/// Of advantages [B, K, T], where the mask [B, 1, T] is above 0.
AdvantageSums advantage_sums(const Tensor& advantages, const Tensor& mask);
/// Estimator::direct() of estimators that draw choices in that way.
Tensor direct_losses(const Rollouts& rollouts, const Choosing& way, int64_t samples, double normaliser);
/// [B, 1, T] 1 where a target from t on is in the mask [B, T]: where a choice that affects later
/// steps is credited with a loss.
Tensor mask_to_go(const Tensor& mask);
/// The reward to go, of losses: for each (b, k, t) the sum over t' >= t, not recorded: [B, K, T].
/// Where x is 0 after a row's last target, so is the sum.
Tensor reward_to_go(const Tensor& x);

}  // namespace attend::ATTEND_PRECISION
