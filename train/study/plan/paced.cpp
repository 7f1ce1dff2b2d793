#include "train/study/plan/paced.h"

namespace attend::plan {

namespace {

constexpr int64_t unknown = -1;

class PacedState final : public DecoderState {
  public:
    std::unique_ptr<DecoderState> inner;
    std::vector<int64_t> left;  // symbols until and with eos, or unknown

    int64_t rows() const override { return inner->rows(); }
    std::unique_ptr<DecoderState> select(std::span<const int32_t> rows) const override {
        auto out = std::make_unique<PacedState>();
        out->inner = inner->select(rows);
        for (const int32_t r : rows) out->left.push_back(left.at(static_cast<std::size_t>(r)));
        return out;
    }
};

std::vector<int32_t> key_of(const Ids& source, int64_t row) { return {source.row(row), source.row(row) + source.length(row)}; }

}  // namespace

void PacedModel::learn(const Batch& batch) {
    for (int64_t r = 0; r < batch.source.rows; ++r) lengths_[key_of(batch.source, r)] = batch.target.length(r);
}

Scored PacedModel::score(const ScoreInput& batch, const LossOptions& options, const Pass& pass) const {
    return inner_.score(batch, options, pass);
}

std::unique_ptr<DecoderState> PacedModel::start(const Ids& source, const Pass& pass) const {
    auto state = std::make_unique<PacedState>();
    state->inner = inner_.start(source, pass);
    for (int64_t r = 0; r < source.rows; ++r) {
        const auto found = lengths_.find(key_of(source, r));
        state->left.push_back(found == lengths_.end() ? unknown : found->second);
    }
    return state;
}

Advanced PacedModel::advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const {
    auto& paced = dynamic_cast<PacedState&>(state);
    Advanced next = inner_.advance(*paced.inner, ids, pass);
    Tensor& logits = next.logits;
    constexpr real surely = real{1e30};
    const int64_t classes = logits.dim(1);
    for (std::size_t r = 0; r < paced.left.size(); ++r) {
        if (paced.left[r] == unknown)
            continue;
        const bool ends = paced.left[r] <= 1;
        paced.left[r] -= ends ? 0 : 1;
        logits.writable()[static_cast<int64_t>(r) * classes + id_eos] = ends ? surely : -surely;
    }
    return next;
}

}  // namespace attend::plan
