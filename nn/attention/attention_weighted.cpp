#include "nn/attention/kind.h"
#include "nn/multi_head.h"

namespace attend::ATTEND_PRECISION {

namespace {

class WeightedSource final : public SourceAttention {
  public:
    WeightedSource(const Scope& scope, const AttentionOptions& o, const SourceSetup& s)
        : attention_(scope, o, s.query, s.memory, s.kind, {}, s.site) {
        require(
            o.gate == "none" && !o.talking && !o.differential,
            "{}: gate, talking and differential are parts of the multi-head attention of transformer blocks, and a recurrent "
            "decoder's attention has one head without projections of its own: gate {}, talking {}, differential {}",
            scope.path(), o.gate, o.talking, o.differential);
    }
    Attendable prepare(const Tensor& memory, std::span<const int32_t> lengths) const override {
        return attention_.prepare(memory, lengths);
    }
    Attended operator()(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous,
                        const Pass& pass) const override {
        return attention_(query, source, position, previous, pass);
    }
    Tensor weigh(const Tensor& query, const Attendable& source, int64_t position, const Pass& pass) const override {
        return attention_.weigh(query, source, position, pass);
    }
    const HardChoice* hard() const override { return attention_.select->hard(); }
    Sites sites() const override { return {attention_.site}; }

  private:
    Attention attention_;
};

class Weighted final : public AttentionKind {
  public:
    explicit Weighted(const AttentionOptions& o) : options_(o) {}
    std::unique_ptr<SourceAttention> to_source(const Scope& scope, const SourceSetup& setup) const override {
        return std::make_unique<WeightedSource>(scope, options_, setup);
    }
    std::unique_ptr<BlockAttention> in_block(const Scope& scope, const BlockAttentionSetup& setup,
                                             std::span<const Selection> heads) const override {
        std::vector<AttentionOptions> each(static_cast<std::size_t>(setup.heads), options_);
        for (std::size_t h = 0; h < heads.size(); ++h) each[h] = heads[h].as<AttentionOptions>();
        return std::make_unique<MultiHead>(scope, each, setup);
    }

  private:
    AttentionOptions options_;
};

}  // namespace

AttentionTable::Row attention_weighted() {
    return AttentionTable::row<Weighted, AttentionOptions>(
        "weighted", "values read with weights: score, bias, window, align, select (Bahdanau 2015; Vaswani 2017)");
}

}  // namespace attend::ATTEND_PRECISION
