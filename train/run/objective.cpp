#include "train/run/objective.h"

#include "core/kernels/reduce.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

struct LikelihoodOptions {
    double label_smoothing = 0;
    void fields(Visitor& v) {
        v.number("label_smoothing", label_smoothing, {0, 0.99},
                 "share of the probability spread evenly over all classes in training (Szegedy et al. 2016)");
    }
};

// L = -1/N sum over targets of ln p(y_t | y_<t, x), with N the targets of the whole batch.
class Likelihood final : public Objective {
  public:
    explicit Likelihood(const LikelihoodOptions& options) : options_(options) {}

    ShardLoss evaluate(const Model& model, const Batch& shard, double normaliser, const Context& context) const override {
        const LossOptions loss{.normaliser = normaliser, .label_smoothing = options_.label_smoothing, .ignored = id_ignored};
        const Scored scored = model.score(shard.source, shard.input, shard.target, loss, context);
        return {scored.loss, kernels::sum_double(scored.target_loss.data(), scored.target_loss.size())};
    }

  private:
    LikelihoodOptions options_;
};

}  // namespace

const Table<std::unique_ptr<Objective>()>& objective_table() {
    using ObjectiveTable = Table<std::unique_ptr<Objective>()>;
    static const ObjectiveTable table(
        "objective",
        {
            ObjectiveTable::make<LikelihoodOptions>(
                "likelihood", "mean cross-entropy of the targets (teacher forcing)",
                [](const LikelihoodOptions& o) -> std::unique_ptr<Objective> { return std::make_unique<Likelihood>(o); }),
        });
    return table;
}
// Constructed at program start, so that all_seams() knows it.
[[maybe_unused]] static const Seam& registered_objectives = objective_table();

}  // namespace attend::inline ATTEND_PRECISION
