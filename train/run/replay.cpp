#include "train/run/replay.h"

#include <cmath>

#include "core/engine.h"
#include "core/trace.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

using Verdict = Replayed::Verdict;

constexpr std::size_t shown_rows = 8;

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

// No op mixes examples, so a row that fails in the batch fails alone, with the draws of its place in the batch.
void find_rows(Replayed& r, const Bundle& bundle, const Objective& objective, const Model& model, ParameterStore& store) {
    Gradients gradients(store);
    StateUpdates updates(store);
    double normaliser = 0;
    for (const Batch& batch : bundle.batches) normaliser += static_cast<double>(batch.targets());
    int64_t before = 0;
    for (const Batch& batch : bundle.batches) {
        for (int64_t row = 0; row < batch.rows(); ++row) {
            Context context;
            context.mode = Mode::train;
            context.seed = static_cast<uint64_t>(bundle.experiment.seed);
            context.step = static_cast<uint32_t>(bundle.steps_done);
            context.first_row = before + row;
            context.updates = &updates;
            gradients.reset();
            updates.reset();
            try {
                const trace::Checked checked;
                const ShardLoss loss = objective.evaluate(model, batch.slice(row, row + 1), normaliser, context);
                backward(loss.loss, gradients);
            } catch (const Diverged&) {
                r.rows.push_back(before + row);
                r.examples.push_back(batch.examples[static_cast<std::size_t>(row)]);
            }
        }
        before += batch.rows();
    }
}

std::string numbers_of(const StepFailure& f) { return fmt::format("loss {}, gradient norm {}", f.loss, f.gradient_norm); }

const char* name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::reproduced:
            return "reproduced";
        case Verdict::differs:
            return "differs";
        case Verdict::finite:
            return "finite";
    }
    return "";
}

Json failure_to_json(const StepFailure& f) {
    Json j;
    j["message"] = f.message;
    j["module"] = f.found ? Json(f.found->module) : Json();
    j["what"] = f.found ? Json(f.found->what) : Json();
    j["op"] = f.found ? Json(f.found->op) : Json();
    j["element"] = f.found ? Json(f.found->element) : Json();
    j["value"] = f.found ? number_to_json(f.found->value) : Json();
    j["loss"] = number_to_json(f.loss);
    j["gradient_norm"] = number_to_json(f.gradient_norm);
    return j;
}

}  // namespace

Replayed replay(const BundleFile& file, const Model& model, ParameterStore& store, int threads) {
    const Bundle& bundle = file.bundle();
    const Experiment& e = bundle.experiment;
    file.load(store);
    Replayed r;
    r.recorded = bundle.failure;
    r.recorded_precision = bundle.precision;
    r.name = e.name;
    r.step = bundle.steps_done + 1;
    r.shards = e.train.shards;
    r.seed = e.seed;
    for (const Batch& batch : bundle.batches) r.batch_rows += batch.rows();
    r.largest = largest_weight(store);

    Workers workers(threads);
    const std::unique_ptr<Objective> objective = objective_table().build(e.objective);
    const std::unique_ptr<Optimizer> optimizer = optimizer_table().build(e.optimizer, store);
    const std::unique_ptr<Schedule> schedule = schedule_table().build(e.schedule, optimizer->learning_rate(), e.train.steps);
    TrainingStep step({model, store, *objective, *optimizer, *schedule, workers}, e.train.shards, e.train.clip_norm,
                      static_cast<uint64_t>(e.seed));
    require(bundle.batches.size() == 1, "{}: a step of this program is one batch: batches {}, allowed 1", file.path(),
            bundle.batches.size());
    try {
        const StepReport report = step.run(bundle.steps_done, bundle.batches.front());
        r.now.loss = report.loss_sum / static_cast<double>(report.targets);
        r.now.gradient_norm = report.gradient_norm;
    } catch (const StepDiverged& d) {
        r.now = StepFailure::of(d);
        r.verdict = same_place(r.now, r.recorded) ? Verdict::reproduced : Verdict::differs;
        find_rows(r, bundle, *objective, model, store);
    }
    return r;
}

Replayed replay(const BundleFile& file, int threads) {
    const Experiment& e = file.bundle().experiment;
    const ModelInStore made = with_room_to_train(make_model(e, file.bundle().vocabularies), e.train.shards);
    return replay(file, *made.model, *made.store, threads);
}

std::string text_of(const Replayed& r) {
    std::string text = fmt::format("step {} of {}: {} rows in {} shards, seed {}; recorded in {}, replayed in {}\n", r.step,
                                   r.name, r.batch_rows, r.shards, r.seed, r.recorded_precision, precision_name);
    text += fmt::format("recorded  {}; {}\n", r.recorded.message, numbers_of(r.recorded));
    text +=
        fmt::format("replayed  {}; {}\n", r.verdict == Verdict::finite ? "all is finite" : r.now.message, numbers_of(r.now));
    if (!r.largest.name.empty())
        text += fmt::format("before it {}: {}, element {} of '{}'\n",
                            std::isfinite(r.largest.value) ? "the largest weight is" : "a weight is not finite already",
                            r.largest.value, r.largest.element, r.largest.name);
    if (!r.rows.empty()) {
        text += fmt::format("alone     {} of {} rows fail; examples", r.rows.size(), r.batch_rows);
        for (std::size_t i = 0; i < std::min(shown_rows, r.rows.size()); ++i) text += fmt::format(" {}", r.examples[i]);
        text += r.rows.size() > shown_rows ? " ...\n" : "\n";
    }
    switch (r.verdict) {
        case Verdict::reproduced:
            text += r.now.message == r.recorded.message ? "reproduced: module, op, place and value are the recorded ones\n"
                                                        : "reproduced: module and op are the recorded ones, the value is not\n";
            break;
        case Verdict::differs:
            text += "not reproduced: it fails elsewhere\n";
            break;
        case Verdict::finite:
            text += "not reproduced: it does not fail\n";
            break;
    }
    return text;
}

Json json_of(const Replayed& r) {
    Json j;
    j["verdict"] = name_of(r.verdict);
    j["step"] = r.step;
    j["name"] = r.name;
    j["seed"] = r.seed;
    j["rows"] = r.batch_rows;
    j["shards"] = r.shards;
    j["recorded_precision"] = r.recorded_precision;
    j["replayed_precision"] = precision_name;
    j["recorded"] = failure_to_json(r.recorded);
    j["replayed"] = failure_to_json(r.now);
    j["largest_weight"] = {
        {"name", r.largest.name}, {"element", r.largest.element}, {"value", number_to_json(r.largest.value)}};
    j["failing_rows"] = r.rows;
    j["failing_examples"] = r.examples;
    return j;
}

}  // namespace attend::inline ATTEND_PRECISION
