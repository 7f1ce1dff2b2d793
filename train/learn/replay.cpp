#include "train/learn/replay.h"

#include <cmath>

#include "core/base/trace.h"
#include "core/engine.h"
#include "train/experiment/assemble.h"
#include "train/learn/step.h"
#include "train/records/resume.h"

namespace attend::ATTEND_PRECISION {

namespace {

using Verdict = Replayed::Verdict;

bool same_place(const StepFailure& a, const StepFailure& b) {
    if (!a.found || !b.found)
        return !a.found && !b.found;
    return a.found->module == b.found->module && a.found->what == b.found->what && a.found->op == b.found->op;
}

LargestWeight largest_weight(ParameterStore& store) {
    LargestWeight largest;
    double most = -1;
    for (const Parameter& p : store.table())
        for (int64_t i = 0; i < p.shape.size(); ++i) {
            const auto value = static_cast<double>(store.values(p)[i]);
            if (!std::isfinite(value))
                return {p.name, i, value};
            if (std::abs(value) > most) {
                most = std::abs(value);
                largest = {p.name, i, value};
            }
        }
    return largest;
}

// Row r alone, with the columns of all.
Batch one_row(const Batch& all, int64_t r) {
    Batch one = all.slice(r, r + 1);
    for (Ids Batch::*part : {&Batch::source, &Batch::input, &Batch::target, &Batch::segments})
        if (const Ids& ids = all.*part; ids.rows > 0) {
            (one.*part).columns = ids.columns;
            (one.*part).values.assign(ids.row(r), ids.row(r) + ids.columns);
        }
    return one;
}

// No op mixes examples, so a row that fails in its shard fails alone, as wide as there, with the
// draws of its place in the batch.
void find_failing_rows(Replayed& r, const Bundle& bundle, const Objective& objective, const Model& model,
                       const ParameterStore& store) {
    Gradients gradients(store);
    StateUpdates updates(store);
    LossCounts counts;
    for (const Batch& batch : bundle.batches) counts += loss_counts(batch);
    const auto fails = [&](const Batch& row, int64_t place) {
        const Context context{.mode = Mode::train,
                              .seed = static_cast<uint64_t>(bundle.experiment.seed),
                              .step = static_cast<uint32_t>(bundle.steps_done),
                              .first_row = place,
                              .updates = &updates};
        gradients.reset();
        updates.reset();
        try {
            const trace::Checked checked;
            backward(objective.evaluate(model, row, counts, context).loss, gradients);
            return false;
        } catch (const Diverged&) {
            return true;
        } catch (const Error&) {  // a row that its model refuses alone (no source) tells nothing
            return false;
        }
    };
    int64_t before = 0;
    const int64_t shards = bundle.experiment.train.shards;
    for (const Batch& batch : bundle.batches) {
        for (int64_t s = 0; s < shards; ++s) {
            const ShardRows rows = shard_rows(batch.rows(), s, shards);
            const Batch shard = batch.slice(rows.begin, rows.end);
            for (int64_t row = rows.begin; row < rows.end; ++row)
                if (fails(one_row(shard, row - rows.begin), before + row)) {
                    r.rows.push_back(before + row);
                    r.examples.push_back(batch.examples[static_cast<std::size_t>(row)]);
                }
        }
        before += batch.rows();
    }
}

}  // namespace

Replayed replay(const BundleFile& file, const Model& model, ParameterStore& store, int threads) {
    const Bundle& bundle = file.bundle();
    const Experiment& e = bundle.experiment;
    file.load(store);
    Replayed r;
    r.recorded = bundle.failure;
    r.recorded_precision = bundle.precision;
    r.precision = precision_name;
    r.name = e.name;
    r.step = bundle.steps_done + 1;
    r.shards = e.train.shards;
    r.seed = e.seed;
    for (const Batch& batch : bundle.batches) r.batch_rows += batch.rows();
    r.largest = largest_weight(store);

    Workers workers(threads);
    const std::unique_ptr<Objective> objective = objective_table().build(e.objective);
    const std::unique_ptr<Optimizer> optimizer = optimizer_table().build(e.optimizer, store);
    const std::unique_ptr<Schedule> schedule = schedule_of(e, optimizer->learning_rate());
    TrainingStep step({model, store, *objective, *optimizer, *schedule, workers}, step_settings(e));
    try {
        const StepReport report = step.run(bundle.steps_done, bundle.batches);
        r.now.loss = report.loss();
        r.now.gradient_norm = report.gradient_norm;
    } catch (const StepDiverged& d) {
        r.now = failure_of(d);
        r.verdict = same_place(r.now, r.recorded) ? Verdict::reproduced : Verdict::differs;
        find_failing_rows(r, bundle, *objective, model, store);
    }
    return r;
}

Replayed replay(const BundleFile& file, int threads) {
    const Experiment& e = file.bundle().experiment;
    const ModelInStore made = with_room_to_train(make_model(e, file.bundle().vocabularies), e.train);
    return replay(file, *made.model, *made.store, threads);
}

}  // namespace attend::ATTEND_PRECISION
