#pragma once
/// Biases: what is added to the scores by position, or by what stands between two positions. Rows of bias_table(), one file
/// each (bias_NAME.cpp).
#include <memory>
#include <optional>

#include "core/base/options.h"
#include "core/parameters.h"
#include "nn/attention/call.h"

namespace attend::ATTEND_PRECISION {

/// What a bias is built for.
struct BiasSetup {
    int64_t query = 0;   ///< width of the queries
    int64_t memory = 0;  ///< width of what is attended to, before a head's projection: the layer's input
    int64_t head = 0;    ///< number of the head, of `heads`
    int64_t heads = 1;
    bool causal = false;  ///< whether the window shows no position after the query's own
};

class PositionBias {
  public:
    virtual ~PositionBias() = default;
    /// What the bias needs of the memory [B, S, Dm], made once per source: [B, S, P], as Call::places;
    /// undefined where it needs nothing.
    virtual Tensor prepare(const Tensor& /*memory*/) const { return {}; }
    /// P of prepare().
    virtual int64_t places() const { return 0; }
    /// Scores [B, T, S] with the bias of each (query, source) pair of positions added. Positions
    /// outside `ranges` (one for each row of B * T) are not read afterwards. Distances are
    /// call.distance().
    virtual Tensor operator()(const Tensor& scores, const Call& call, const Ranges& ranges) const = 0;
    /// Whether the query's position is compared with those of the source, which must be the same
    /// sequence (self-attention).
    virtual bool needs_position() const { return false; }
    /// Whether it reads call.distance().
    virtual bool reads_distances() const { return false; }
    /// Whether it is defined only where no query sees a position after its own.
    virtual bool needs_causal() const { return false; }
    /// m where the bias is -m |query's position - key's position| and nothing else (0: no bias):
    /// such a bias can be part of a fused kernel.
    virtual std::optional<real> slope() const { return {}; }
};

using BiasTable = Table<std::unique_ptr<PositionBias>(const Scope&, const BiasSetup&)>;
const BiasTable& bias_table();

}  // namespace attend::ATTEND_PRECISION
