#pragma once
/// What a model is to the trainer and the decoders. Models are rows of model_table(), one file each.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/ids.h"
#include "core/ops/cross_entropy.h"
#include "core/options.h"
#include "core/parameters.h"
#include "nn/models/published.h"

namespace attend::inline ATTEND_PRECISION {

/// What a model is told when it is built.
struct ModelSetup {
    int64_t source_vocabulary = 0;  ///< 0: no source
    int64_t target_vocabulary = 0;
};

/// How the targets of one shard are scored.
struct LossOptions {
    double normaliser = 1;       ///< count of targets of the whole batch: the loss is the sum over this shard divided by it
    double label_smoothing = 0;  ///< share of the probability spread evenly over all classes
    int32_t ignored = -1;        ///< target id without a loss
    /// Scheduled sampling (Bengio, Vinyals, Jaitly and Shazeer 2015): in training each input symbol but the first is with this
    /// probability the model's own, drawn from its prediction at the step before, or the likeliest one.
    double own_inputs = 0;
    enum class Own { drawn, likeliest } own = Own::drawn;

    CrossEntropyOptions cross_entropy() const {
        return {.normaliser = normaliser, .label_smoothing = label_smoothing, .ignored = ignored};
    }
};

/// The scores of a shard's targets [B, T].
struct Scored {
    Tensor loss;               ///< scalar: sum of target losses / normaliser, recorded
    Tensor target_loss;        ///< [B, T] nats, 0 where ignored, not recorded
    Array<int32_t> predicted;  ///< [B * T] most likely class
};

/// Where a decoder stands for every row of a batch. Made and changed by the model alone.
class DecoderState {
  public:
    virtual ~DecoderState() = default;
    virtual int64_t rows() const = 0;
    /// A new state whose row i is this one's row rows[i] (beam search, dropping finished rows).
    virtual std::unique_ptr<DecoderState> select(std::span<const int32_t> rows) const = 0;
};

class Model {
  public:
    virtual ~Model() = default;
    /// Scores target ids given the source (0 rows: none) and the decoder's input. Ids outside the vocabulary throw Error.
    virtual Scored score(const Ids& source, const Ids& input, const Ids& target, const LossOptions& options,
                         const Context& context) const = 0;
    /// Step-by-step decoding, never recorded: encodes the source (or, for a model that has none, reads what is written
    /// already), then one id a row a step to logits [B, V].
    virtual std::unique_ptr<DecoderState> start(const Ids& source, const Context& context) const = 0;
    virtual Tensor advance(DecoderState& state, std::span<const int32_t> ids, const Context& context) const = 0;
    /// Most symbols of a sequence that the model has positions for; 0: there is no limit.
    virtual int64_t longest() const { return 0; }
    /// Whether LossOptions::own_inputs can be more than 0: the model must read step by step.
    virtual bool reads_own_symbols() const { return false; }
    /// The layout that models of this kind were published in. Throws Error when there is none, or when it has no place for
    /// what this model's options ask for.
    virtual PublishedLayout published_layout() const;
};

/// The target ids in order, with those behind a row's length ignored.
Array<int32_t> ignoring_padding(const Ids& target, int32_t ignored);

const Table<std::unique_ptr<Model>(const Scope&, const ModelSetup&)>& model_table();

}  // namespace attend::inline ATTEND_PRECISION
