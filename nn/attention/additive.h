#pragma once
/// What the additive scores share: that of queries and keys alone, and those that look at the steps before, too.
#include "nn/attention/call.h"
#include "nn/attention/score.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

/// v . tanh(W q_t + U m_s + extra_ts): W = query.weight [Dq, A], U = key.weight [Dm, A], v [A].
struct AdditiveWith {
    AdditiveWith(const Scope& scope, const ScoreSetup& s);
    /// Scores [B, T, S] of a call whose keys are U m; `extra` [B, T, S, A], or undefined for none.
    Tensor operator()(const Call& call, const Tensor& extra, const Ranges& ranges) const;
    Linear query, key;
    Tensor v;
};

/// Weights [B, T, S] of the step before, 0 at the first.
Tensor weights_before(const Call& call);

}  // namespace attend::ATTEND_PRECISION
