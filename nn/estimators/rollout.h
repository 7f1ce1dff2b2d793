#pragma once
/// Rollouts: passes of a model under a way of choosing, as estimators see them. Here a return is a
/// loss: what is to be small.
#include <functional>
#include <vector>

#include "core/base/ids.h"
#include "nn/attention/choosing.h"
#include "nn/attention/sites.h"

namespace attend::ATTEND_PRECISION {

/// One site in a rollout. Its queries are those of the T targets, call after call in the order of
/// time; with Affects::all they are those of a sequence of its own.
struct SiteRollout {
    Site site;
    Sightings calls;

    /// [B, K, T, S] the weights, recorded, of B examples with K samples each; a view where there is
    /// one call. The same of the queries: [B, K, T, Dq].
    Tensor weights(int64_t examples, int64_t samples) const;
    Tensor queries(int64_t examples, int64_t samples) const;
};

/// One pass: B examples, K samples of each, T targets.
struct Rollout {
    Tensor loss;                     ///< [B, K, T] nats, recorded; 0 where there is no target
    Array<int32_t> predicted;        ///< [B * K * T] most likely class
    std::vector<SiteRollout> sites;  ///< those that chose, in the order of their numbers

    /// One number for each target's choices, their sum over sites; those that affect all targets are
    /// counted with the first. [B, K, T], recorded. Of a query that could see no position: 0.
    Tensor log_probability() const;  ///< of the choices under the weights
    Tensor log_proposal() const;     ///< under what they were drawn from
    Tensor entropy() const;          ///< of the weights in nats
    Tensor divergence() const;       ///< KL(proposal || weights) in nats
    /// [B, K, T] what the weights of the only site gave each choice, recorded; 1 where a query
    /// could see no position.
    Tensor probability() const;
    /// [B, K, T, Dq] queries of the first site that chooses for single targets, not recorded: they
    /// see no choice of their own step. Throws Error where there is no such site.
    Tensor queries() const;
    /// All its choices, to be forced in another rollout.
    Choices choices() const;
};

/// The rollout of a pass that kept its choices: `seen`, by site.
Rollout rollout_of(Tensor loss, Array<int32_t> predicted, Sightings seen, const Sites& sites);

/// For every target the positions of a support: N of them, in any order.
struct Support {
    int64_t count = 0;     ///< N
    Array<int32_t> index;  ///< [B * N * T] positions, -1: fewer than N
};
/// The support for weights [B, T, S].
using SupportOf = std::function<Support(const Tensor& weights)>;
/// The positions that have weight, and at least `threshold`; each query's largest stays whatever it
/// is. N is the most that a query has.
Support with_weight(const Tensor& weights, real threshold = 0);

/// What it would be to read each position of a support alone.
struct ByPosition {
    Tensor weights;            ///< [B, N, T] of the positions, recorded; 0 where there is none
    Tensor loss;               ///< [B, N, T] nats, recorded; 0 where there is none
    Array<int32_t> predicted;  ///< [B * N * T] most likely class
};

/// A model with its source encoded, ready for rollouts, which share the encoded source and nothing
/// else.
class Rollouts {
  public:
    virtual ~Rollouts() = default;
    /// One pass with K samples of every example.
    virtual Rollout operator()(const Choosing& way, int64_t samples) const = 0;
    /// A question of its own, for models with one site whose choices affect their own step alone:
    /// the loss of each target where it reads that one position. Models may answer it faster than
    /// by_position_one_by_one(), which is its oracle.
    virtual ByPosition by_position(const SupportOf& support) const { return by_position_one_by_one(support); }
    /// The same by a rollout with N samples, whose n-th reads the n-th position of the support, and
    /// a pass before it for the weights. Throws Error unless the model has one site, and
    /// its choices affect no other step.
    ByPosition by_position_one_by_one(const SupportOf& support) const;

    /// The model's sites, with and without hard attention.
    virtual const Sites& sites() const = 0;
    virtual int64_t rows() const = 0;       ///< B
    virtual int64_t targets() const = 0;    ///< T
    virtual int64_t positions() const = 0;  ///< S
    /// [B, T] 1 where there is a target, else 0.
    virtual const Tensor& mask() const = 0;
    /// [B, T] what is to be predicted.
    virtual const Ids& target() const = 0;
};

/// Choices with which the n-th of S samples reads position n everywhere, of the one site of
/// `rollouts`.
Choices each_position(const Rollouts& rollouts);
/// Values [B, N, T] of x [B, T, S] at the positions of a support, recorded; 0 where there is none.
Tensor at_support(const Tensor& x, const Support& support);

}  // namespace attend::ATTEND_PRECISION
