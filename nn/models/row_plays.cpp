#include "nn/models/row_plays.h"

#include "nn/estimators/pathwise.h"

namespace attend::ATTEND_PRECISION {

Tensor counted_targets(const Ids& target, int32_t ignored) {
    Tensor counted = Tensor::zeros({target.rows, target.columns});
    for (int64_t b = 0; b < target.rows; ++b)
        for (int64_t t = 0; t < target.length(b); ++t)
            counted.writable()[b * target.columns + t] = target.at(b, t) == ignored ? 0 : 1;
    return counted;
}

BatchPlay row_plays(const ScoreInput& batch, const Tensor& counted, const Context& context, RunRows run) {
    const auto play = [batch, context, run = std::move(run)](const Rule& rule) {
        // Every sample is a row of its own: for the selection there is one sample.
        Decisions decisions{rule.how, 1, {}, rule.forced, rule.temperature, rule.proposal};
        Context asked = context;
        asked.decisions = &decisions;
        asked.first_row *= rule.samples;
        RowPass pass = run(rule.samples, asked);
        Played out{pass.loss.reshape({batch.input.rows, rule.samples, batch.input.columns}), std::move(pass.predicted), {}, {}};
        const Ids& read = batch.source.rows > 0 ? batch.source : batch.input;  // what an encoder reads
        const Ids sources = pass.in_encoder > 0 ? repeated(read, rule.samples) : Ids();
        for (std::size_t i = 0; i < decisions.taken.size(); ++i) {
            Decision& d = decisions.taken[i];
            if (i >= pass.in_encoder) {
                out.decisions.push_back(std::move(d));
                continue;
            }
            for (int64_t r = 0; r < sources.rows; ++r)  // nobody reads what is after a source's end
                for (int64_t q = sources.length(r); q < sources.columns; ++q)
                    d.index[static_cast<std::size_t>(r * sources.columns + q)] = -1;
            out.before.push_back(std::move(d));
        }
        return out;
    };
    return BatchPlay(batch, counted, play);
}

const Estimator& estimator_at(const Model& model, const Context& context) {
    return static_cast<int64_t>(context.step) < model.hard()->soft_steps ? soft_start() : *model.estimator();
}

Scored score_by_estimator(const Model& model, const ScoreInput& batch, const LossOptions& options, const Context& context) {
    Estimated e = model.estimate(estimator_at(model, context), batch, options, context);
    return {.loss = e.loss, .target_loss = e.target_loss, .predicted = std::move(e.predicted)};
}

void require_for_many_sites(const std::string& model, const Estimator& estimator) {
    require(!estimator.needs_independence() && !estimator.needs_one_site(),
            "model {}: this estimator is for one choice in each step that affects no other step, and here every head of every "
            "layer "
            "chooses: "
            "needs independent steps {}, needs one site {}; 'reinforce', 'straight_through' and 'gumbel_softmax' need neither",
            model, estimator.needs_independence(), estimator.needs_one_site());
}

std::unique_ptr<Estimator> estimator_of_sites(const std::string& model, const std::vector<const HardChoice*>& sites,
                                              const Scope& scope, const EstimatorSetup& setup, bool recompute) {
    if (sites.empty())
        return nullptr;
    const HardChoice& first = *sites.front();
    for (const HardChoice* other : sites)
        require(text_of(other->estimator) == text_of(first.estimator) && other->soft_steps == first.soft_steps,
                "model {}: all of its hard attention has one estimator, here they differ: {} soft_steps {}, {} soft_steps {}",
                model, text_of(first.estimator), first.soft_steps, text_of(other->estimator), other->soft_steps);
    require(!recompute, "model {}: recompute would choose a second time: recompute {}, select '{}'", model, recompute, "hard");
    for (const HardChoice* site : sites)
        require(
            site->evaluate != HardChoice::Evaluate::marginal,
            "model {}: evaluate 'marginal' sums over the positions of each step, and here what is read goes into other steps: "
            "sites that choose {}, evaluate known here 'likeliest', 'drawn'",
            model, sites.size());
    std::unique_ptr<Estimator> estimator = estimator_table().build(first.estimator, scope, setup);
    require_for_many_sites(model, *estimator);
    return estimator;
}

}  // namespace attend::ATTEND_PRECISION
