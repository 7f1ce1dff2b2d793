#include "core/ops.h"
#include "nn/attention/kind.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// A decoder that knows of its source what its first state holds (Sutskever, Vinyals and Le 2014).
class NoSource final : public SourceAttention {
  public:
    Attendable prepare(const Tensor& memory, std::span<const int32_t> lengths) const override {
        return {{}, memory, Array<int32_t>(lengths.begin(), lengths.end())};
    }
    Attended operator()(const Tensor&, const Attendable&, int64_t, const Previous&, const Pass&) const override { return {}; }
};

/// Every position by itself: the block adds nothing here.
class NoBlock final : public BlockAttention {
  public:
    Output operator()(const Tensor& x, std::span<const int32_t>, const Pass&) const override { return {scale(x, 0)}; }
    Output extend(const Tensor& x, KeyValues& past, const Pass&) const override {
        past.positions += x.dim(1);
        past.lengths.assign(static_cast<std::size_t>(x.dim(0)), static_cast<int32_t>(past.positions));
        return {scale(x, 0)};
    }
    KeyValues prepare(const Tensor&, std::span<const int32_t>) const override { return {}; }
    Output operator()(const Tensor& x, const KeyValues&, int64_t, const Pass&) const override { return {scale(x, 0)}; }
};

class NoAttention final : public AttentionKind {
  public:
    int64_t context(int64_t) const override { return 0; }
    std::unique_ptr<SourceAttention> to_source(const Scope&, const SourceSetup&) const override {
        return std::make_unique<NoSource>();
    }
    std::unique_ptr<BlockAttention> in_block(const Scope& scope, const BlockAttentionSetup& setup) const override {
        require(setup.memory == 0,
                "{}: attention 'none' would leave the decoder without its source: memory width {}, read {}; the recurrent "
                "encoder-decoder has its encoder's last state without attention",
                scope.path(), setup.memory, 0);
        return std::make_unique<NoBlock>();
    }
};

}  // namespace

AttentionTable::Row attention_none() {
    return AttentionTable::row<NoAttention>(
        "none", "nothing is attended to: the encoder's last state alone (Sutskever 2014), or each position by itself");
}

}  // namespace attend::ATTEND_PRECISION
