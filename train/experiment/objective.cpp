#include "train/experiment/objective.h"

#include <algorithm>

namespace attend::ATTEND_PRECISION {

namespace {

struct ScheduledSamplingOptions {
    double share = 0;
    int64_t steps = 1000;
    std::string symbol = "drawn";
    void fields(Visitor& v) {
        v.number("share", share, {0, 1},
                 "largest share of the decoder's input symbols in training that are the model's own predictions; 0: teacher "
                 "forcing");
        v.integer("steps", steps, {0, 4'000'000'000}, "training steps over which the share rises linearly from 0");
        v.choice("symbol", symbol, {"drawn", "likeliest"}, "drawn: from the model's prediction; likeliest: its first choice");
    }
    // share * min(1, step / steps), step from 0
    double at(uint32_t step) const {
        return share * (steps == 0 ? 1 : std::min(1.0, static_cast<double>(step) / static_cast<double>(steps)));
    }
};

struct LikelihoodOptions {
    double label_smoothing = 0;
    ScheduledSamplingOptions scheduled_sampling;
    void fields(Visitor& v) {
        v.object("scheduled_sampling", scheduled_sampling,
                 "the model's own symbols as inputs in training (Bengio et al. 2015)");
        v.number("label_smoothing", label_smoothing, {0, 0.99},
                 "share of the probability spread evenly over all classes in training (Szegedy et al. 2016)");
    }
};

// L = -1/N sum over targets of ln p(y_t | what the model reads) - 1/M sum over rows of ln p(label |
// row), with N the targets and M the labels of the whole batch; a term without any is left out.
class Likelihood final : public Objective {
  public:
    explicit Likelihood(const LikelihoodOptions& options) : options_(options) {}

    ShardLoss evaluate(const Model& model, const Batch& shard, const LossCounts& whole, const Context& context) const override {
        const Scored scored = model.score(score_input(shard), loss_options(whole, context), context);
        return {scored.loss, loss_sums(scored), scored.advantages};
    }

    LossOptions loss_options(const LossCounts& whole, const Context& context) const override {
        const ScheduledSamplingOptions& own = options_.scheduled_sampling;
        return {.normaliser = static_cast<double>(std::max<int64_t>(1, whole.targets)),
                .label_normaliser = static_cast<double>(std::max<int64_t>(1, whole.labels)),
                .label_smoothing = options_.label_smoothing,
                .ignored = id_ignored,
                .own_inputs = own.at(context.step),
                .own = own.symbol == "drawn" ? LossOptions::Own::drawn : LossOptions::Own::likeliest};
    }

    void check(const Model& model) const override {
        const double share = options_.scheduled_sampling.share;
        require(share == 0 || model.reads_own_symbols(),
                "objective.scheduled_sampling.share: this model reads all symbols of a target at once, and cannot read its "
                "own predictions: share {}, allowed 0; recurrent models can",
                share);
    }

  private:
    LikelihoodOptions options_;
};

}  // namespace

const Table<std::unique_ptr<Objective>()>& objective_table() {
    using ObjectiveTable = Table<std::unique_ptr<Objective>()>;
    static const ObjectiveTable table(
        "objective", {ObjectiveTable::row<Likelihood, LikelihoodOptions>(
                         "likelihood", "mean cross-entropy of the targets (teacher forcing), plus that of the rows' labels")});
    return table;
}
const registry::AtStart objective_listed(objective_table());

}  // namespace attend::ATTEND_PRECISION
