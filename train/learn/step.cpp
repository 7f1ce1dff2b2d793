#include "train/learn/step.h"

#include <cmath>

#include "core/base/trace.h"
#include "core/gemm.h"
#include "core/kernels/elementwise.h"

namespace attend::ATTEND_PRECISION {

namespace {
// Elements of one block of the sum over shards. Fixed; the sum of an element does not depend on it.
constexpr int64_t sum_block = 16384;
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

void TrainingStep::run_shard(int64_t step, std::span<const Batch> batches, const LossCounts& whole, int64_t shard) {
    const auto s = static_cast<std::size_t>(shard);
    gradients_[s].reset();
    updates_[s].reset();
    shards_[s] = {};
    int64_t first_row = 0;
    for (const Batch& batch : batches) {
        const ShardRows rows = shard_rows(batch.rows(), shard, settings_.shards);
        if (rows.begin < rows.end) {
            const Context context{.mode = Mode::train,
                                  .seed = settings_.seed,
                                  .step = static_cast<uint32_t>(step),
                                  .first_row = first_row + rows.begin,
                                  .updates = &updates_[s]};
            const ShardLoss loss = parts_.objective.evaluate(parts_.model, batch.slice(rows.begin, rows.end), whole, context);
            shards_[s].sums += loss.sums;
            shards_[s].objective += static_cast<double>(loss.loss.item());
            backward(loss.loss, gradients_[s]);
            shards_[s].has_rows = true;
        }
        first_row += batch.rows();
    }
    gradients_[s].finish();
}

void TrainingStep::sum_gradients() {
    real* const sum = gradients_.front().data();
    parts_.workers.blocks(parts_.store.size(), sum_block, [&](int64_t, int64_t begin, int64_t end) {
        for (std::size_t s = 1; s < gradients_.size(); ++s)
            if (shards_[s].has_rows)
                kernels::axpy(real{1}, gradients_[s].data() + begin, {sum + begin, Write::add}, end - begin);
    });
}

StepReport TrainingStep::run(int64_t step, std::span<const Batch> batches) {
    StepReport report;
    int64_t rows = 0;
    for (const Batch& batch : batches) {
        report.counts += loss_counts(batch);
        rows += batch.rows();
    }
    require(report.counts.all() > 0, "training step {}: a batch must have targets or labels: rows {}, targets {}, labels {}",
            step + 1, rows, report.counts.targets, report.counts.labels);
    const auto shards = static_cast<int>(gradients_.size());
    parts_.workers.run(shards, [&](int shard) { run_shard(step, batches, report.counts, shard); });
    for (const Shard& shard : shards_) {
        report.sums += shard.sums;
        report.objective += shard.objective;
    }
    sum_gradients();
    real* const gradient = gradients_.front().data();
    report.gradient_norm = gradient_norm(gradient, parts_.store.size(), parts_.workers);
    report.learning_rate = parts_.schedule.rate(step);
    // The loss alone would not do: an objective may have terms that it does not count, with
    // gradients that stay finite.
    if (!std::isfinite(report.loss()) || !std::isfinite(report.objective) || !std::isfinite(report.gradient_norm)) [[unlikely]]
        explain(step, batches, report);

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
