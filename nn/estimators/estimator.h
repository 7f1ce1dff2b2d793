#pragma once
/// Estimators of the gradient of hard choices. There are two objectives to minimise, which must not
/// be confused:
///
///     expected    E_a[-log p(y | a, x)]          (Xu et al. 2015, eq. 10: an upper bound of the marginal)
///     marginal    -log sum_a p(a) p(y | a, x)    (Wu, Shapiro and Cotterell 2018, eq. 5, position by position)
///
/// and a bound of the marginal in between, E_q[-log p(y | a, x)] + KL(q || p) with q of an
/// inference network (Deng et al. 2018).
///
/// Rows of estimator_table(), one file each (estimator_NAME.cpp).
#include <memory>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/options.h"
#include "core/context.h"
#include "core/parameters.h"
#include "nn/estimators/aim.h"

namespace attend::ATTEND_PRECISION {

/// A rollout, one pass of a model under a rule of choice: B examples, K samples of each, T targets.
struct Played {
    Tensor loss;                      ///< [B, K, T] nats, recorded; 0 where there is no target
    Array<int32_t> predicted;         ///< [B * K * T] most likely class
    std::vector<Decision> decisions;  ///< whose queries are those of the T targets: each site's in the order of time
    std::vector<Decision> before;     ///< that affect all targets (an encoder's), with queries of their own

    /// One number for each target's choices, their sum over sites; those of `before` are counted
    /// with the first target. [B, K, T], recorded. Of a query that could see no position: 0.
    Tensor log_probability() const;  ///< of the choices under the weights
    Tensor log_proposal() const;     ///< under what they were drawn from
    Tensor entropy() const;          ///< of the weights in nats
    Tensor divergence() const;       ///< KL(proposal || weights) in nats
    /// [B, K, T] what the weights of the only site gave each choice, recorded; 1 where a query
    /// could see no position.
    Tensor probability() const;
    /// [B, K, T, Dq] the first site's queries, not recorded: they see no choice of their own step.
    Tensor queries() const;
    /// [B, K, T, S] the only site's weights, recorded.
    Tensor weights() const;
};

/// How one pass chooses.
struct Rule {
    Choose how = Choose::drawn;
    int64_t samples = 1;                      ///< K
    std::vector<Array<int32_t>> forced = {};  ///< as in Decisions
    double temperature = 1;
    const Proposal* proposal = nullptr;
};

/// A model with its source encoded, ready for rollouts, which share the encoded source and nothing
/// else.
class Play {
  public:
    virtual ~Play() = default;
    virtual Played operator()(const Rule& rule) const = 0;
    virtual int64_t rows() const = 0;       ///< B
    virtual int64_t targets() const = 0;    ///< T
    virtual int64_t positions() const = 0;  ///< S
    /// [B, T] 1 where there is a target, else 0.
    virtual const Tensor& counted() const = 0;
    /// [B, T] what is to be predicted.
    virtual const Ids& target() const = 0;
    /// Whether a choice affects no other step (the context does not feed the state).
    virtual bool independent() const = 0;
};

/// The estimate for a batch.
struct Estimated {
    Tensor loss;               ///< scalar, recorded: its gradient is the estimate; its value has no meaning
    Tensor target_loss;        ///< [B, T] nats, not recorded: the objective's value, or an estimate of it
    Array<int32_t> predicted;  ///< [B * T]
};

class Estimator {
  public:
    virtual ~Estimator() = default;
    virtual Aim aim() const = 0;
    /// Whether the mean of its gradients is the gradient of its aim.
    virtual bool unbiased() const { return true; }
    /// Whether it is exact only where choices affect no other step (Play::independent()).
    virtual bool needs_independence() const { return false; }
    /// Whether it is for models with one site that chooses.
    virtual bool needs_one_site() const { return false; }
    /// Whether its gradient depends on draws; where not, its loss is a value and can be
    /// differentiated by differences.
    virtual bool draws() const { return true; }
    /// What choices are drawn from in place of the weights, for the targets of `play`; null: the
    /// weights.
    virtual std::unique_ptr<Proposal> proposal(const Play&) const { return nullptr; }
    /// The losses of the shard's targets are divided by `normaliser`.
    virtual Estimated operator()(const Play& play, double normaliser, const Context& context) const = 0;
};

/// What an estimator is built for.
struct EstimatorSetup {
    int64_t query = 0;         ///< width of the queries; of the first site's where there are several
    int64_t values = 0;        ///< width of what is read
    int64_t vocabulary = 0;    ///< of the targets
    bool independent = false;  ///< choices affect no other step: Play::independent()
};

using EstimatorTable = Table<std::unique_ptr<Estimator>(const Scope&, const EstimatorSetup&)>;
const EstimatorTable& estimator_table();

/// The options of a selection that chooses, for its model.
struct HardChoice {
    Selection estimator{estimator_table(), "reinforce"};  ///< of the gradient of the choices
    /// What is read outside of training: the likeliest position, a drawn one, or each in turn,
    /// their predictions summed by weight (Wu, Shapiro and Cotterell 2018, eq. 5).
    enum class Evaluate { likeliest, drawn, marginal } evaluate = Evaluate::likeliest;
    int64_t soft_steps = 0;  ///< training steps that read with the weights before choices begin
};

/// Declares the option `samples`.
void samples_field(Visitor& v, int64_t& samples);
/// The estimate with the loss sum / (normaliser K), `sum` a scalar over all samples of `played`; it
/// reports the losses of `played`.
Estimated averaged(const Played& played, const Tensor& sum, double normaliser);
/// Mean over the samples, not recorded: [B, K, T] to [B, T].
Tensor mean_of_samples(const Tensor& x);
/// What the first sample of every example predicts: [B * T].
Array<int32_t> first_sample(const Played& played);
/// [B, 1, T] 1 where a target from t on is counted: where a choice that affects later steps is
/// credited with a loss.
Tensor still_counted(const Tensor& counted);
/// For each (b, k, t) the sum over t' >= t, not recorded: [B, K, T]. Where x is 0 after a row's
/// last target, so is the sum.
Tensor from_each_step_on(const Tensor& x);

}  // namespace attend::ATTEND_PRECISION
