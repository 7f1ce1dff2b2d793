#include "train/learn/step.h"

#include <algorithm>
#include <cmath>

#include "core/base/trace.h"
#include "core/gemm.h"
#include "core/kernels/elementwise.h"

namespace attend::ATTEND_PRECISION {

namespace {
// Elements of one block of the sum over shards. Fixed; the sum of an element does not depend on it.
constexpr int64_t sum_block = 16384;

ObservedChoices observed_choices(const ObservedSums& sums, const AdvantageSums& advantages, std::optional<double> share) {
    ObservedChoices out;
    if (sums.choices > 0)
        out.entropy = sums.entropy / static_cast<double>(sums.choices);
    if (sums.targets > 0) {
        out.expected = sums.expected / static_cast<double>(sums.targets);
        out.marginal = sums.marginal / static_cast<double>(sums.targets);
    }
    if (advantages.count > 0)
        out.advantage_variance = advantages.variance();
    out.gradient_share = share;
    return out;
}
}  // namespace

ShardRows shard_rows(int64_t rows, int64_t shard, int64_t shards) {
    require(shards >= 1 && shard >= 0 && shard < shards, "shard_rows: no such shard: shard {}, shards {}", shard, shards);
    return {shard * rows / shards, (shard + 1) * rows / shards};
}

TrainingStep::TrainingStep(StepParts parts, const StepSettings& settings) : parts_(parts), settings_(settings) {
    const int64_t shards = settings.shards;
    require(shards >= 1 && shards <= 1024, "training step: number of shards out of range: shards {}, allowed 1 to 1024",
            shards);
    reserve_gemm_buffers(parts_.workers.threads());
    const auto n = static_cast<std::size_t>(shards);
    gradients_.reserve(n);
    for (std::size_t s = 0; s < n; ++s) gradients_.emplace_back(parts_.store);
    updates_.assign(n, StateUpdates(parts_.store));
    shards_.resize(n);
}

template <class F>
void TrainingStep::each_part(int64_t step, std::span<const Batch> batches, int64_t shard, F body) {
    int64_t first_row = 0;
    for (const Batch& batch : batches) {
        const ShardRows rows = shard_rows(batch.rows(), shard, settings_.shards);
        if (rows.begin < rows.end) {
            const Context context{.mode = Mode::train,
                                  .seed = settings_.seed,
                                  .step = static_cast<uint32_t>(step),
                                  .first_row = first_row + rows.begin};
            body(batch.slice(rows.begin, rows.end), context);
        }
        first_row += batch.rows();
    }
}

void TrainingStep::run_shard(int64_t step, std::span<const Batch> batches, const LossCounts& whole, int64_t shard) {
    const auto s = static_cast<std::size_t>(shard);
    gradients_[s].reset();
    updates_[s].reset();
    shards_[s] = {};
    each_part(step, batches, shard, [&](const Batch& part, Context context) {
        context.updates = &updates_[s];
        const ShardLoss loss = parts_.objective.evaluate(parts_.model, part, whole, context);
        shards_[s].sums += loss.sums;
        shards_[s].advantages += loss.advantages;
        shards_[s].objective += static_cast<double>(loss.loss.item());
        backward(loss.loss, gradients_[s]);
        shards_[s].has_rows = true;
    });
    gradients_[s].finish();
}

void TrainingStep::observe_shard(int64_t step, std::span<const Batch> batches, const LossCounts& whole, int64_t shard) {
    const auto s = static_cast<std::size_t>(shard);
    gradients_[s].reset();
    shards_[s] = {};
    each_part(step, batches, shard, [&](const Batch& part, const Context& context) {
        const Observed observed(*parts_.model.estimator(), shards_[s].observed);
        const Estimated e =
            parts_.model.estimate(observed, score_input(part), parts_.objective.loss_options(whole, context), context);
        if (!e.loss.defined())
            return;
        backward(e.loss, gradients_[s]);
        shards_[s].has_rows = true;
    });
    gradients_[s].finish();
}

// Before the step itself, whose arenas it uses; the direct part of the gradient is kept.
ObservedSums TrainingStep::observe(int64_t step, std::span<const Batch> batches, const LossCounts& whole) {
    parts_.workers.run(static_cast<int>(gradients_.size()), [&](int shard) { observe_shard(step, batches, whole, shard); });
    ObservedSums sums;
    bool direct = false;
    for (const Shard& shard : shards_) {
        sums += shard.observed;
        direct |= shard.has_rows;
    }
    direct_.clear();
    if (direct) {
        sum_gradients();
        direct_.assign(gradients_.front().data(), gradients_.front().data() + parts_.store.size());
    }
    return sums;
}

std::optional<double> TrainingStep::share_of_choices() {
    if (direct_.empty())
        return {};
    const int64_t size = parts_.store.size();
    const double direct = gradient_norm(direct_.data(), size, parts_.workers);
    const real* const gradient = gradients_.front().data();
    for (std::size_t i = 0; i < direct_.size(); ++i) direct_[i] = gradient[i] - direct_[i];
    for (const Parameter& p : parts_.store.table())
        if (is_of_estimator(p.name))
            std::fill_n(direct_.begin() + p.offset, p.shape.size(), real{0});
    const double choices = gradient_norm(direct_.data(), size, parts_.workers);
    const double share = choices / (choices + direct);
    return std::isfinite(share) ? std::optional(share) : std::nullopt;
}

void TrainingStep::sum_gradients() {
    real* const sum = gradients_.front().data();
    parts_.workers.blocks(parts_.store.size(), sum_block, [&](int64_t, int64_t begin, int64_t end) {
        for (std::size_t s = 1; s < gradients_.size(); ++s)
            if (shards_[s].has_rows)
                kernels::axpy(real{1}, gradients_[s].data() + begin, {sum + begin, Write::add}, end - begin);
    });
}

StepReport TrainingStep::run(int64_t step, std::span<const Batch> batches, Observe observing) {
    StepReport report;
    int64_t rows = 0;
    for (const Batch& batch : batches) {
        report.counts += loss_counts(batch);
        rows += batch.rows();
    }
    require(report.counts.all() > 0, "training step {}: a batch must have targets or labels: rows {}, targets {}, labels {}",
            step + 1, rows, report.counts.targets, report.counts.labels);
    const auto shards = static_cast<int>(gradients_.size());
    const HardChoice* const hard = parts_.model.hard();
    std::optional<ObservedSums> observed;
    if (observing == Observe::yes && hard != nullptr && parts_.model.estimator() != nullptr && step >= hard->soft_steps)
        observed = observe(step, batches, report.counts);
    parts_.workers.run(shards, [&](int shard) { run_shard(step, batches, report.counts, shard); });
    for (const Shard& shard : shards_) {
        report.sums += shard.sums;
        report.objective += shard.objective;
        report.advantages += shard.advantages;
    }
    sum_gradients();
    real* const gradient = gradients_.front().data();
    report.gradient_norm = gradient_norm(gradient, parts_.store.size(), parts_.workers);
    report.learning_rate = parts_.schedule.rate(step);
    // The loss alone would not do: an objective may have terms that it does not count, with
    // gradients that stay finite.
    if (!std::isfinite(report.loss()) || !std::isfinite(report.objective) || !std::isfinite(report.gradient_norm)) [[unlikely]]
        explain(step, batches, report);

    if (observed)
        report.choices = observed_choices(*observed, report.advantages, share_of_choices());
    double norm = report.gradient_norm;
    if (settings_.clip_value > 0) {
        clip_value(gradient, parts_.store.size(), settings_.clip_value, parts_.workers);
        norm = gradient_norm(gradient, parts_.store.size(), parts_.workers);
    }
    const double scale = clip_factor(norm, settings_.clip_norm);
    update(parts_.optimizer, parts_.store, gradient,
           {.step = step, .learning_rate = report.learning_rate, .gradient_scale = scale}, parts_.workers);
    StateUpdates::apply(updates_, parts_.store);
    return report;
}

void TrainingStep::explain(int64_t step, std::span<const Batch> batches, const StepReport& report) {
    try {
        const trace::Checked checked;
        for (std::size_t s = 0; s < gradients_.size(); ++s) run_shard(step, batches, report.counts, static_cast<int64_t>(s));
    } catch (const Diverged& d) {
        throw StepDiverged(fmt::format("step {}: {}", step + 1, d.what()), d.found(), report);
    }
    throw StepDiverged(fmt::format("step {}: not finite: loss {}, gradient norm {}; no single op made it: a sum over shards or "
                                   "over the parameters did",
                                   step + 1, report.loss(), report.gradient_norm),
                       {}, report);
}

}  // namespace attend::ATTEND_PRECISION
