#include "train/learn/replay.h"

#include <algorithm>
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
Ids one_row(const Ids& all, int64_t r) {
    Ids one(1, all.columns);
    std::copy_n(all.row(r), all.columns, one.values.data());
    one.lengths[0] = all.length(r);
    return one;
}
Batch one_row(const Batch& all, int64_t r) {
    Batch one;
    if (all.source.rows > 0)
        one.source = one_row(all.source, r);
    one.input = one_row(all.input, r);
    one.target = one_row(all.target, r);
    if (all.segments.rows > 0)
        one.segments = one_row(all.segments, r);
    if (!all.labels.empty())
        one.labels = {all.labels[static_cast<std::size_t>(r)]};
    one.examples = {all.examples[static_cast<std::size_t>(r)]};
    return one;
}

// No op mixes examples, so a row that fails in its shard fails alone, as wide as there, with the
// draws of its place in the batch.
class RowFinder {
  public:
    RowFinder(const Bundle& bundle, const Objective& objective, const Model& model, const ParameterStore& store)
        : bundle_(bundle), objective_(objective), model_(model), gradients_(store), updates_(store) {
        for (const Batch& batch : bundle.batches) counts_ += loss_counts(batch);
    }

    void find(Replayed& r) {
        int64_t before = 0;
        const int64_t shards = bundle_.experiment.train.shards;
        for (const Batch& batch : bundle_.batches) {
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

  private:
    bool fails(const Batch& row, int64_t place) {
        Context context;
        context.mode = Mode::train;
        context.seed = static_cast<uint64_t>(bundle_.experiment.seed);
        context.step = static_cast<uint32_t>(bundle_.steps_done);
        context.first_row = place;
        context.updates = &updates_;
        gradients_.reset();
        updates_.reset();
        try {
            const trace::Checked checked;
            backward(objective_.evaluate(model_, row, counts_, context).loss, gradients_);
            return false;
        } catch (const Diverged&) {
            return true;
        } catch (const Error&) {  // a row that its model refuses alone (no source) tells nothing
            return false;
        }
    }

    const Bundle& bundle_;
    const Objective& objective_;
    const Model& model_;
    Gradients gradients_;
    StateUpdates updates_;
    LossCounts counts_;
};

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
        RowFinder(bundle, *objective, model, store).find(r);
    }
    return r;
}

Replayed replay(const BundleFile& file, int threads) {
    const Experiment& e = file.bundle().experiment;
    const ModelInStore made = with_room_to_train(make_model(e, file.bundle().vocabularies), e.train);
    return replay(file, *made.model, *made.store, threads);
}

}  // namespace attend::ATTEND_PRECISION
