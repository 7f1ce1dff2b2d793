#include "nn/models/row_rollouts.h"

#include "nn/estimators/pathwise.h"

namespace attend::ATTEND_PRECISION {

Tensor target_mask(const Ids& target, int32_t ignored) {
    Tensor mask = Tensor::zeros({target.rows, target.columns});
    for (int64_t b = 0; b < target.rows; ++b)
        for (int64_t t = 0; t < target.length(b); ++t)
            mask.writable()[b * target.columns + t] = target.at(b, t) == ignored ? 0 : 1;
    return mask;
}

namespace {
// Nobody reads what is after a row's end: queries there have made no choice.
// `read` is what an encoder reads, of which each row is there `samples` times.
void drop_after_end(Rollout& rollout, const Ids& read, int64_t samples) {
    for (SiteRollout& s : rollout.sites)
        if (s.site.affects == Affects::all)
            for (Seen& call : s.calls)
                for (int64_t r = 0; r < read.rows * samples; ++r)
                    for (int64_t q = read.length(r / samples); q < read.columns; ++q)
                        call.index[static_cast<std::size_t>(r * read.columns + q)] = -1;
}
}  // namespace

BatchRollouts row_rollouts(const ScoreInput& batch, const Tensor& mask, const Context& context, const Sites& sites,
                           RunRows run) {
    const auto rollout = [batch, context, &sites, run = std::move(run)](const Choosing& way, int64_t samples) {
        // Every sample is a row of its own: for the sites there is one sample.
        Pass pass(context, Keep::choices);
        pass.choosing = &way;
        pass.first_row *= samples;
        RowPass made = run(samples, pass);
        Rollout out = rollout_of(made.loss.reshape({batch.input.rows, samples, batch.input.columns}), std::move(made.predicted),
                                 std::move(made.seen), sites);
        drop_after_end(out, batch.source.rows > 0 ? batch.source : batch.input, samples);
        return out;
    };
    return BatchRollouts(batch, mask, sites, {.run = rollout});
}

const Estimator& estimator_at(const Model& model, const Context& context) {
    return static_cast<int64_t>(context.step) < model.hard()->soft_steps ? soft_start() : *model.estimator();
}

Scored score_by_estimator(const Model& model, const ScoreInput& batch, const LossOptions& options, const Context& context) {
    Estimated e = model.estimate(estimator_at(model, context), batch, options, context);
    return {.loss = e.loss, .target_loss = e.target_loss, .predicted = std::move(e.predicted), .advantages = e.advantages};
}

void require_for_many_sites(const std::string& model, const Estimator& estimator) {
    require(
        !estimator.needs_independence() && !estimator.needs_one_site(),
        "model {}: this estimator is for one choice in each step that affects no other step, and here every head of every "
        "layer "
        "chooses: "
        "needs independent steps {}, needs one site {}; 'reinforce' with reward 'following', 'straight_through', 'imle' and "
        "'gumbel_softmax' need neither",
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
    for (const HardChoice* other : sites)
        require(
            other->evaluate == first.evaluate,
            "model {}: all of its hard attention is evaluated in one way, here two sites differ: sites that choose {}, ways {}",
            model, sites.size(), 2);
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
