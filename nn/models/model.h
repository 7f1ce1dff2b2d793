#pragma once
/// What a model is to the trainer and the decoders. Models are rows of model_table(), one file
/// each.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/options.h"
#include "core/context.h"
#include "core/ops/cross_entropy.h"
#include "core/parameters.h"
#include "nn/attention/select.h"
#include "nn/estimators/estimator.h"
#include "nn/models/published.h"

namespace attend::ATTEND_PRECISION {

/// Whether an id means the same symbol in both vocabularies.
enum class Symbols { same, separate };

/// What a model is built for.
struct ModelSetup {
    int64_t source_vocabulary = 0;  ///< 0: no source
    int64_t target_vocabulary = 0;
    TargetKind targets = TargetKind::following;
    int64_t classes = 0;              ///< of the rows' labels; 0: rows have none
    int64_t segments = 0;             ///< texts in a row that have numbers of their own; 0: none
    Symbols symbols = Symbols::same;  ///< of source and target
};

/// The longest sequences, special symbols included, for which a model has positions; 0: there is no
/// limit.
struct PositionLimits {
    int64_t source = 0, input = 0;
    const char* option = "";  ///< of the model, that sets the limit
};

/// No ids.
inline const Ids no_ids;

/// What a model is given to score: parts of one shard, referred to for the call and not copied.
struct ScoreInput {
    const Ids& source;                     ///< [B, S]; no rows: there is none
    const Ids& input;                      ///< [B, T] what the decoder reads
    const Ids& target;                     ///< [B, T] what is to be predicted
    const Ids& segments = no_ids;          ///< [B, T] which of several texts an input is of; no rows: there is one
    std::span<const int32_t> labels = {};  ///< [B] class of each row; empty: rows have none
};

/// How one shard is scored.
struct LossOptions {
    double normaliser = 1;        ///< count of targets of the whole batch: their loss is the sum over this shard divided by it
    double label_normaliser = 1;  ///< the same of its labels
    double label_smoothing = 0;   ///< share of the probability spread evenly over all classes
    int32_t ignored = -1;         ///< target id without a loss
    /// Scheduled sampling (Bengio, Vinyals, Jaitly and Shazeer 2015): in training each input symbol
    /// but the first is with this probability the model's own, drawn from its prediction at the
    /// step before, or the likeliest one.
    double own_inputs = 0;
    enum class Own { drawn, likeliest } own = Own::drawn;

    CrossEntropyOptions cross_entropy() const {
        return {.normaliser = normaliser, .label_smoothing = label_smoothing, .ignored = ignored};
    }
    CrossEntropyOptions label_cross_entropy() const {
        return {.normaliser = label_normaliser, .label_smoothing = label_smoothing, .ignored = ignored};
    }
};

/// The scores of a shard's targets [B, T] and labels [B].
struct Scored {
    Tensor loss;                           ///< scalar: target losses / normaliser + label losses / label_normaliser, recorded
    Tensor target_loss;                    ///< [B, T] nats, 0 where ignored, not recorded
    Array<int32_t> predicted;              ///< [B * T] most likely id, of no meaning where ignored
    Tensor label_loss = {};                ///< [B] nats, not recorded; undefined where no labels were scored
    Array<int32_t> predicted_labels = {};  ///< [B] most likely class; or empty
    Sightings seen = {};                   ///< what its sites saw, where the pass asks for it
    AdvantageSums advantages = {};         ///< of hard choices, in training
};

/// One step of a decoder.
struct Advanced {
    Tensor logits;  ///< [B, V]
    Sightings seen = {};
};

/// The state of a decoder for every row of a batch. Made and changed by the model alone.
class DecoderState {
  public:
    virtual ~DecoderState() = default;
    virtual int64_t rows() const = 0;
    /// A new state whose row i is this one's row rows[i] (beam search, dropping finished rows).
    virtual std::unique_ptr<DecoderState> select(std::span<const int32_t> rows) const = 0;
};

/// The state of `model` as its own kind, before a step of one id a row. Throws Error for another
/// number of ids, and MachineError for the state of another model.
template <class State>
State& own_state(const char* model, DecoderState& state, std::span<const int32_t> ids) {
    auto* own = dynamic_cast<State*>(&state);
    ensure(own != nullptr, "model {}: decoder state of another model: {} rows, {} ids", model, state.rows(), ids.size());
    require(static_cast<int64_t>(ids.size()) == own->rows() && own->rows() > 0, "model {}: one id a row: {} ids, {} rows",
            model, ids.size(), own->rows());
    return *own;
}

class Model {
  public:
    virtual ~Model() = default;
    /// Scores targets and labels. Ids outside the vocabulary, labels that are no classes, and parts
    /// that do not fit together or that the model has no use for throw Error.
    virtual Scored score(const ScoreInput& batch, const LossOptions& options, const Pass& pass) const = 0;
    /// The same by an estimator of hard attention, whichever the model's own is (comparing
    /// estimators needs this). Throws Error when the model has no hard attention, or when this
    /// estimator does not fit its form.
    virtual Estimated estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& options,
                               const Context& context) const;
    /// Estimates the gradient of its hard choices in training; null where it makes none.
    virtual const Estimator* estimator() const { return nullptr; }
    /// The options of its hard selection; null where it makes no choices.
    virtual const HardChoice* hard() const { return nullptr; }
    /// What estimators for it are built for; of no meaning where there is no hard attention.
    virtual EstimatorSetup estimator_setup() const { return {}; }
    /// Its attentions, by number.
    virtual const Sites& sites() const = 0;
    /// Whether it writes sequences: start() and advance() work.
    virtual bool decodes() const { return true; }
    /// Step-by-step decoding, never recorded: encodes the source (or, for a model that has none,
    /// reads what is written already), then one id a row a step to logits [B, V].
    virtual std::unique_ptr<DecoderState> start(const Ids& source, const Pass& pass) const = 0;
    virtual Advanced advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const = 0;
    /// Most symbols of a sequence that the model has positions for; 0: there is no limit.
    virtual int64_t longest() const { return 0; }
    /// The longest sequences that it can read: tasks are checked against it before training.
    virtual PositionLimits positions() const { return {}; }
    /// Whether LossOptions::own_inputs can be more than 0: the model must read step by step.
    virtual bool reads_own_symbols() const { return false; }
    /// The layout in which models of this kind were published. Throws Error when there is none, or
    /// when it cannot represent this model's options.
    virtual PublishedLayout published_layout() const;
};

/// Throws Error unless the task of `setup` has targets that follow their input, and no labels: what
/// a model needs that writes.
void require_following(const char* model, const ModelSetup& setup);
/// Throws Error for a batch with segments or labels, which such a model has no use for.
void require_plain(const char* model, const ScoreInput& batch);

/// Throws Error for a batch whose parts do not fit together; `sources`: rows of the source that it
/// has.
void require_fit(const char* model, const ScoreInput& batch, int64_t sources);

using ModelTable = Table<std::unique_ptr<Model>(const Scope&, const ModelSetup&)>;
const ModelTable& model_table();

}  // namespace attend::ATTEND_PRECISION
