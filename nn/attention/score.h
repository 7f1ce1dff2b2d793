#pragma once
/// Scoring functions: how well a query fits each key. Rows of score_table(), one file each
/// (score_NAME.cpp).
#include <memory>
#include <optional>

#include "core/base/options.h"
#include "core/parameters.h"
#include "nn/attention/call.h"

namespace attend::ATTEND_PRECISION {

/// Whether queries and memory are projected already, as for the heads of multi-head attention: then
/// W q . U m is q . m.
enum class Projected { no, yes };

/// Sizes a score is built for.
struct ScoreSetup {
    int64_t query = 0;   ///< Dq
    int64_t memory = 0;  ///< Dm, the width of what is attended to
    int64_t width = 0;   ///< A, the width of the alignment space
    Projected projected = Projected::no;
};

/// The result of a score.
struct AttentionScores {
    AttentionScores(Tensor v, Tensor s = {}) : values(std::move(v)), state(std::move(s)) {}
    Tensor values;  ///< [B, T, S]
    Tensor state;   ///< for the next step's Previous::score; undefined when there is none
};

/// Scores as a scaled product: factor (q_t . k_s).
struct ScaledProduct {
    Tensor queries;     ///< [B, T, A] projected
    Tensor keys;        ///< [B, S, A]
    double factor = 1;  ///< 1 / sqrt(A)
};

class Score {
  public:
    virtual ~Score() = default;
    /// The part that does not depend on the query, made once per source: memory [B, S, Dm] to keys
    /// [B, S, ...].
    virtual Tensor prepare(const Tensor& memory) const = 0;
    /// Scores [B, T, S]. Positions outside `ranges` (one for each row of B * T) are not computed.
    virtual AttentionScores operator()(const Call& call, const Ranges& ranges) const = 0;
    /// Whether the query is read at all (a location score need not read it).
    virtual bool needs_query() const { return true; }
    /// Whether a key's score depends on where in the source it stands, too.
    virtual bool reads_places() const { return false; }
    /// Longest source that has weights; 0: there is no limit.
    virtual int64_t room() const { return 0; }
    /// Whether the previous step's weights are read: illegal where queries run in parallel.
    virtual bool needs_previous() const { return false; }
    /// A loss [B, T] (nats) that is added to a target's own, of the weights [B, T, S] and the state that
    /// the score returned with them; undefined: none.
    virtual Tensor penalty(const Tensor& /*weights*/, const Tensor& /*state*/) const { return {}; }
    /// Whether there is one: of scores that read the step before alone, as models add it up step by step.
    virtual bool penalises() const { return false; }
    /// f where the score is f (q . m) and nothing else: such a score can be part of a fused kernel.
    virtual std::optional<real> product_factor() const { return {}; }
    /// The definition, for queries [B, T, Dq] and memory [B, S, Dm], of scores that are divided by the
    /// root of their width; none for others. What the call gives is proved against it.
    virtual std::optional<ScaledProduct> scaled_product(const Tensor& /*query*/, const Tensor& /*memory*/) const { return {}; }
};

using ScoreTable = Table<std::unique_ptr<Score>(const Scope&, const ScoreSetup&)>;
const ScoreTable& score_table();

}  // namespace attend::ATTEND_PRECISION
