#pragma once
/// Estimators: what makes a gradient of hard choices. Two objectives, never confused, to be made small:
///
///     expected    E_a[-log p(y | a, x)]          (Xu et al. 2015, eq. 10: an upper bound of the marginal)
///     marginal    -log sum_a p(a) p(y | a, x)    (Wu, Shapiro and Cotterell 2018, eq. 5, position by position)
///
/// Rows of estimator_table(), one file each (estimator_NAME.cpp).
#include <memory>
#include <span>
#include <vector>

#include "core/context.h"
#include "core/options.h"
#include "core/parameters.h"

namespace attend::inline ATTEND_PRECISION {

/// One pass of a model under a rule of choice: B examples, K samples of each, T targets.
struct Played {
    Tensor loss;                      ///< [B, K, T] nats, recorded; 0 where there is no target
    Array<int32_t> predicted;         ///< [B * K * T] most likely class
    std::vector<Decision> decisions;  ///< of the pass, in the order of time
    /// [B, K, T] what the weights gave each choice, recorded; 1 where a query could see no position.
    Tensor probability() const;
    /// [B, K, T] entropy of the weights of each choice in nats, recorded.
    Tensor entropy() const;
    /// [B, K, T, Dq] the queries, not recorded.
    Tensor queries() const;
};

/// How one pass chooses.
struct Rule {
    Choose how = Choose::drawn;
    int64_t samples = 1;                      ///< K
    std::vector<Array<int32_t>> forced = {};  ///< as in Decisions
    double temperature = 1;
};

/// A model with its source encoded, ready to play. Passes share the encoded source and nothing else.
class Play {
  public:
    virtual ~Play() = default;
    virtual Played operator()(const Rule& rule) const = 0;
    virtual int64_t rows() const = 0;       ///< B
    virtual int64_t targets() const = 0;    ///< T
    virtual int64_t positions() const = 0;  ///< S
    /// [B, T] 1 where there is a target, else 0.
    virtual const Tensor& counted() const = 0;
    /// Whether what is chosen at a step reaches no other step (the context does not feed the state).
    virtual bool independent() const = 0;
};

/// What an estimator makes of a batch.
struct Estimated {
    Tensor loss;               ///< scalar, recorded: its gradient is the estimate; its value has no meaning
    Tensor target_loss;        ///< [B, T] nats, not recorded: the objective's value, or an estimate of it
    Array<int32_t> predicted;  ///< [B * T]
};

enum class Aim { expected, marginal };
/// "expected", "marginal".
const char* aim_name(Aim aim);

class Estimator {
  public:
    virtual ~Estimator() = default;
    virtual Aim aim() const = 0;
    /// Whether the mean of its gradients is the gradient of its aim.
    virtual bool unbiased() const { return true; }
    /// Whether it is exact only where choices of one step reach no other (Play::independent()).
    virtual bool needs_independence() const { return false; }
    /// The losses of the shard's targets are divided by `normaliser`.
    virtual Estimated operator()(const Play& play, double normaliser, const Context& context) const = 0;
};

/// What an estimator is built for.
struct EstimatorSetup {
    int64_t query = 0;  ///< width of the queries
};

using EstimatorTable = Table<std::unique_ptr<Estimator>(const Scope&, const EstimatorSetup&)>;
const EstimatorTable& estimator_table();

/// Mean over the samples, not recorded: [B, K, T] to [B, T].
Tensor mean_of_samples(const Tensor& x);
/// What the first sample of every example predicts: [B * T].
Array<int32_t> first_sample(const Played& played);
/// For each (b, k, t) the sum over t' >= t, not recorded: [B, K, T]. Where x is 0 behind a row's last target, so is the sum.
Tensor from_each_step_on(const Tensor& x);

}  // namespace attend::inline ATTEND_PRECISION
