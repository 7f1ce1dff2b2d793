#include "tests/planted/faults.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <utility>

#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/attention/attention.h"
#include "tests/oracles/composites.h"

namespace attend::planted {

namespace {

// What the kernels' stand-ins do, and for which module.
Fault in_kernel = Fault::none;
std::string kernel_module;

bool planted_here(Fault fault) { return in_kernel == fault && kernel_module == trace::module(); }

// The same window by its definition, with other ranges: change(its own range, length, longest
// length, position of the query, queries of the call).
struct Query {
    int32_t length, longest;
    int64_t position, queries;
};
class OtherRanges final : public Window {
  public:
    using Change = Range (*)(const Range& own, const Query& query);
    OtherRanges(std::shared_ptr<const Window> declared, Change change) : declared_(std::move(declared)), change_(change) {}
    Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t position) const override {
        Ranges all = declared_->ranges(lengths, queries, position);
        const int32_t longest = *std::ranges::max_element(lengths);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto row = static_cast<int64_t>(i) / queries;
            all[i] = change_(all[i], {lengths[static_cast<std::size_t>(row)], longest,
                                      position + static_cast<int64_t>(i) % queries, queries});
        }
        return all;
    }
    bool sees(int64_t query, int64_t key) const override { return declared_->sees(query, key); }
    bool needs_position() const override { return declared_->needs_position(); }
    bool is_causal() const override { return declared_->is_causal(); }

  private:
    std::shared_ptr<const Window> declared_;
    Change change_;
};

int32_t at_most(int64_t position, int32_t length) { return static_cast<int32_t>(std::min<int64_t>(position, length)); }

OtherRanges::Change change_of(Fault fault) {
    switch (fault) {
        case Fault::inverted_mask:
            return [](const Range&, const Query& q) { return Range{at_most(q.position, q.length), q.length}; };
        case Fault::cross_made_causal:
            return [](const Range&, const Query& q) { return Range{0, at_most(q.position + 1, q.length)}; };
        case Fault::window_ignored:
            return [](const Range&, const Query& q) { return Range{0, q.length}; };
        case Fault::padding_in_softmax:
            return [](const Range& own, const Query& q) { return Range{own.begin, q.longest}; };
        case Fault::cache_off_by_one:
            return [](const Range& own, const Query& q) {
                return q.queries == 1 && own.end > 1 ? Range{own.begin, own.end - 1} : own;
            };
        default:
            return nullptr;
    }
}

// a = softmax(5 tanh(e / 5)) over all positions, of scores e that are -10,000 where they are masked
class CappedAfterMask final : public attend::Align {
  public:
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        const Tensor mask = oracles::mask_of(ranges, scores.shape().rows(), scores.shape().columns()).reshape(scores.shape());
        const Tensor masked = scores * mask + scale(mask - Tensor::full(mask.shape(), 1), 10'000);
        return softmax(scale(tanh(scale(masked, real{0.2})), 5), {});
    }
};

// softmax(e), with e = -inf in the whole row of a query after its sequence's end: exp(-inf + inf)
class NothingSeenAfterEnd final : public attend::Align {
  public:
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call& call) const override {
        Tensor weights = softmax(scores, ranges);
        Tensor nan = Tensor::zeros(weights.shape());
        for (int64_t b = 0; b < weights.dim(0); ++b)
            for (int64_t t = 0; t < weights.dim(1); ++t)
                for (int64_t s = 0; s < weights.dim(2); ++s)
                    if (call.position + t >= call.lengths[static_cast<std::size_t>(b)])
                        nan.writable()[(b * weights.dim(1) + t) * weights.dim(2) + s] = std::numeric_limits<real>::quiet_NaN();
        return weights + nan;
    }
};

class Rescaled final : public Score {
  public:
    using Factor = real (*)(const Call& call);
    Rescaled(std::shared_ptr<const Score> declared, Factor factor) : declared_(std::move(declared)), factor_(factor) {}
    Tensor prepare(const Tensor& memory) const override { return declared_->prepare(memory); }
    AttentionScores operator()(const Call& call, const Ranges& ranges) const override {
        return scale((*declared_)(call, ranges).values, factor_(call));
    }
    std::optional<ScaledProduct> scaled_product(const Tensor& query, const Tensor& memory) const override {
        return declared_->scaled_product(query, memory);
    }

  private:
    std::shared_ptr<const Score> declared_;
    Factor factor_;
};

Rescaled::Factor factor_of(Fault fault) {
    switch (fault) {
        case Fault::no_scale:
            return [](const Call& call) { return std::sqrt(static_cast<real>(call.query.dim(2))); };
        case Fault::nan_scores:
            return [](const Call&) { return std::numeric_limits<real>::quiet_NaN(); };
        default:
            return nullptr;
    }
}

// Each of two batches counts half.
class MeanOfMeans final : public Objective {
  public:
    explicit MeanOfMeans(std::unique_ptr<Objective> inner) : inner_(std::move(inner)) {}
    ShardLoss evaluate(const Model& model, const Batch& shard, const LossCounts& whole, const Context& c) const override {
        LossCounts counts = loss_counts(shard);
        if (counts.targets != whole.targets)
            counts.targets *= 2;
        return inner_->evaluate(model, shard, counts, c);
    }
    LossOptions loss_options(const LossCounts& whole, const Context& c) const override {
        return inner_->loss_options(whole, c);
    }

  private:
    std::unique_ptr<Objective> inner_;
};

// Every loss a bit larger on other threads than the first.
class OfThread final : public Objective {
  public:
    explicit OfThread(std::unique_ptr<Objective> inner) : inner_(std::move(inner)) {}
    ShardLoss evaluate(const Model& model, const Batch& shard, const LossCounts& whole, const Context& c) const override {
        ShardLoss loss = inner_->evaluate(model, shard, whole, c);
        if (std::this_thread::get_id() != first_)
            loss.loss = scale(loss.loss, real{1.0001F});
        return loss;
    }
    LossOptions loss_options(const LossCounts& whole, const Context& c) const override {
        return inner_->loss_options(whole, c);
    }

  private:
    std::unique_ptr<Objective> inner_;
    std::thread::id first_ = std::this_thread::get_id();
};

// Stays in training mode, ignores its inputs, or begins each output but the first with other logits.
class FaultyModel final : public Model {
  public:
    FaultyModel(std::unique_ptr<Model> inner, Fault fault) : inner_(std::move(inner)), fault_(fault) {}
    Scored score(const ScoreInput& batch, const LossOptions& o, const Pass& pass) const override {
        Pass p = pass;
        if (fault_ == Fault::dropout_in_evaluation)
            p.mode = Mode::train;
        if (fault_ != Fault::inputs_ignored)
            return inner_->score(batch, o, p);
        Ids same = batch.input;
        std::ranges::fill(same.values, int32_t{id_bos});
        return inner_->score({batch.source, same, batch.target}, o, p);
    }
    const Sites& sites() const override { return inner_->sites(); }
    std::unique_ptr<DecoderState> start(const Ids& s, const Pass& p) const override {
        begins_ = true;
        return inner_->start(s, p);
    }
    Advanced advance(DecoderState& s, std::span<const int32_t> ids, const Pass& p) const override {
        Advanced next = inner_->advance(s, ids, p);
        const bool later = std::exchange(any_, true);
        if (fault_ == Fault::cache_left_over && std::exchange(begins_, false) && later)
            return {scale(next.logits, -1)};
        return next;
    }
    int64_t longest() const override { return inner_->longest(); }
    PositionLimits positions() const override { return inner_->positions(); }

  private:
    std::unique_ptr<Model> inner_;
    Fault fault_;
    mutable bool begins_ = false, any_ = false;
};

// The heads of a module, which a pass over the model tells of.
std::vector<Attention*> heads_of(const prove::Subject& subject, const std::string& module) {
    for (const prove::Passed passed = prove::run(subject, subject.batch, prove::evaluating(subject));
         const Reading& reading : passed.readings)
        if (reading.path == module) {
            std::vector<Attention*> heads;
            for (const Attention* head : reading.heads) heads.push_back(const_cast<Attention*>(head));
            return heads;
        }
    fail("planted: no module of attention with this path: {}", module);
}

// The parts of [B, S, 2 G K] that keys and values are, one of them detached.
Tensor detached(const Tensor& kv, Fault fault) {
    const int64_t half = kv.dim(2) / 2;
    const Tensor keys = slice(kv, -1, 0, half), values = slice(kv, -1, half, 2 * half);
    return fault == Fault::no_key_gradient ? concat({keys.detach(), values}, -1) : concat({keys, values.detach()}, -1);
}

}  // namespace

Planted::Planted(prove::Subject& subject, Fault fault, const std::string& module) {
    in_kernel = fault;
    kernel_module = module;
    if (fault == Fault::unweighted_accumulation) {
        subject.objective = std::make_unique<MeanOfMeans>(std::move(subject.objective));
    } else if (fault == Fault::thread_in_result) {
        subject.objective = std::make_unique<OfThread>(std::move(subject.objective));
    } else if (fault == Fault::dropout_in_evaluation || fault == Fault::inputs_ignored || fault == Fault::cache_left_over) {
        subject.made.model = std::make_unique<FaultyModel>(std::move(subject.made.model), fault);
    } else if (const auto heads = heads_of(subject, module); fault == Fault::map_of_another_head) {
        std::swap(heads[0]->site.number, heads[1]->site.number);
    } else {
        for (Attention* head : heads) {
            if (change_of(fault) != nullptr)
                head->window = std::make_shared<OtherRanges>(head->window, change_of(fault));
            if (fault == Fault::capped_after_mask)
                head->align = std::make_shared<CappedAfterMask>();
            if (fault == Fault::nan_in_masked_row)
                head->align = std::make_shared<NothingSeenAfterEnd>();
            if (factor_of(fault) != nullptr)
                head->score = std::make_shared<Rescaled>(head->score, factor_of(fault));
        }
    }
}

Planted::~Planted() { in_kernel = Fault::none; }

// The stand-ins of core/ops/attention.h, under the names that the linker gives.
Tensor self_stand_in(const Tensor& qkv, const FusedAttentionOptions& options,
                     const Ranges& ranges) asm("__wrap_" PLANTED_SELF_ATTENTION);
Tensor self_real(const Tensor& qkv, const FusedAttentionOptions& options,
                 const Ranges& ranges) asm("__real_" PLANTED_SELF_ATTENTION);
Tensor cross_stand_in(const Tensor& q, const Tensor& kv, const FusedAttentionOptions& options,
                      const Ranges& ranges) asm("__wrap_" PLANTED_CROSS_ATTENTION);
Tensor cross_real(const Tensor& q, const Tensor& kv, const FusedAttentionOptions& options,
                  const Ranges& ranges) asm("__real_" PLANTED_CROSS_ATTENTION);

Tensor self_stand_in(const Tensor& qkv, const FusedAttentionOptions& options, const Ranges& ranges) {
    if (planted_here(Fault::mask_lost_with_dropout) && options.dropout > 0)
        return self_real(qkv, options, {});
    return self_real(qkv, options, ranges);
}

Tensor cross_stand_in(const Tensor& q, const Tensor& kv, const FusedAttentionOptions& options, const Ranges& ranges) {
    FusedAttentionOptions o = options;
    if (planted_here(Fault::no_scale) || planted_here(Fault::no_scale_in_kernel))
        o.scale = 1;
    if (planted_here(Fault::no_query_gradient))
        return cross_real(q.detach(), kv, o, ranges);
    for (const Fault fault : {Fault::no_key_gradient, Fault::no_value_gradient})
        if (planted_here(fault))
            return cross_real(q, detached(kv, fault), o, ranges);
    return cross_real(q, kv, o, ranges);
}

}  // namespace attend::planted
