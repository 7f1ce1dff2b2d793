#include "train/study/compare/compare.h"

#include <algorithm>

#include "core/base/files.h"
#include "core/base/interruption.h"
#include "core/base/own_files.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/present.h"
#include "train/config/writer.h"
#include "train/study/plan/plan.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

bool contains(const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
    return text;
}

// What a variant's runs will measure, and where.
struct Measured {
    std::vector<std::string> metrics;  // of an evaluation
    bool valid = false, test = false;
};

Split split_for(const CompareOptions& options, const std::vector<Measured>& measured, const Comparison& c) {
    const auto every = [&](bool Measured::*has) {
        return std::all_of(measured.begin(), measured.end(), [&](const Measured& m) { return m.*has; });
    };
    const bool valid = every(&Measured::valid), test = every(&Measured::test);
    if (options.split == "auto")
        return test ? Split::test : valid ? Split::valid : Split::train;
    for (std::size_t i = 0; i < measured.size(); ++i)
        require(options.split == "train" || (options.split == "valid" ? measured[i].valid : measured[i].test),
                "{}: compare.split: variant '{}' has no examples of it: split '{}', examples 0", c.path, c.variants[i].name,
                options.split);
    return options.split == "train" ? Split::train : options.split == "valid" ? Split::valid : Split::test;
}

Settings settings_for(const Comparison& c, const std::vector<Measured>& measured, const std::vector<Experiment>& resolved) {
    const CompareOptions& o = c.options;
    Settings s;
    s.split = split_for(o, measured, c);
    s.metric = !o.metric.empty()                                                  ? o.metric
               : s.split == Split::train || resolved[0].train.best_metric.empty() ? "loss"
                                                                                  : resolved[0].train.best_metric;
    for (std::size_t i = 0; i < measured.size(); ++i) {
        const std::vector<std::string> known = s.split == Split::train ? std::vector<std::string>{"loss"} : measured[i].metrics;
        const std::string near = nearest_name(s.metric, known);
        require(contains(known, s.metric),
                "{}: compare.metric: variant '{}' does not measure it on the {} split: '{}'{}; known: {}", c.path,
                c.variants[i].name, split_name(s.split), s.metric,
                near.empty() ? "" : fmt::format("; did you mean '{}'?", near), joined(known));
    }
    s.better = better_of(s.metric);
    s.judged = o.evaluation == "best" ? Judged::best : Judged::last;
    s.reference = c.reference();
    if (o.threshold != 0)
        s.threshold = o.threshold;
    s.confidence = o.confidence;
    s.power = o.power;
    for (const double step : o.steps) s.steps.push_back(static_cast<int64_t>(step));
    return s;
}

std::string other_batches(const Experiment& reference, const Experiment& variant) {
    std::vector<std::string> paths;
    for (const config::Difference& d : config::differences(reference, variant))
        if (d.path.starts_with("data.") || d.path == "train.batch" || d.path == "train.accumulate" ||
            d.path == "train.overfit_one_batch")
            paths.push_back(d.path);
    return joined(paths);
}

Job job_of(const Comparison& c, const Planned& run, const Experiment& resolved, const Found& found, Extend extend,
           int threads) {
    const std::string& variant = c.variants[run.variant].name;
    Job job;
    job.name = fmt::format("{} {}", variant, seed_name(run.experiment.seed));
    job.variant = variant;
    job.folder = run.folder;
    job.steps = resolved.train.steps;
    if (found.ending != Ending::missing)
        job.first = std::min(step_reached(run.folder), job.steps);
    job.arguments = {"train",
                     (run.folder.parent_path() / variant_file).string(),
                     fmt::format("--seed={}", run.experiment.seed),
                     "--set=name=" + run.experiment.name,
                     "--out=" + run.folder.string(),
                     fmt::format("--threads={}", threads)};
    if (found.ending != Ending::missing)
        job.arguments.emplace_back("--resume");
    if (found.shorter) {
        job.arguments.emplace_back("--extend");
        if (extend == Extend::with_schedule)
            job.arguments.push_back("--set=schedule.type=" + resolved.schedule.name());
    }
    return job;
}

// "soft: data.task" and so on: variants that are not trained on the same batches as the reference.
void say_other_batches(Observer& log, const Comparison& c, const Prepared& p) {
    for (std::size_t i = 0; i < c.variants.size(); ++i)
        if (!p.other_batches[i].empty())
            log.warning("{}: not trained on the batches of '{}', as it changes {}", c.variants[i].name,
                        c.variants[p.settings.reference].name, p.other_batches[i]);
}

// Bits of training may differ between programs.
void say_other_programs(Observer& log, const std::vector<VariantRecord>& records) {
    std::vector<std::string> programs;
    for (const VariantRecord& v : records)
        for (const RunRecord& run : v.runs)
            if (!run.program.empty() && !contains(programs, run.program))
                programs.push_back(run.program);
    if (programs.size() > 1)
        log.warning("the runs were made by {} programs, whose bits can differ: attend {}", programs.size(), joined(programs));
}

}  // namespace

Prepared prepare(const Comparison& c, const std::string& folder) {
    Prepared p;
    std::vector<Measured> measured;
    for (const Variant& v : c.variants) {
        try {
            Experiment asked = v.experiment;
            asked.seed = c.seeds.front();
            const plan::Built built = plan::build(asked);
            p.resolved.push_back(built.experiment);
            p.parameters.push_back(built.made.store->count());
            measured.push_back({computed_metrics(built.task->metrics(), Decode::yes), built.task->size(Split::valid) > 0,
                                built.task->size(Split::test) > 0 && !asked.train.overfit_one_batch});
        } catch (const Error& e) {
            throw Error(fmt::format("{}: variants.{}: {}", c.path, v.name, e.what()));
        }
    }
    p.settings = settings_for(c, measured, p.resolved);
    for (const Experiment& e : p.resolved) p.other_batches.push_back(other_batches(p.resolved[p.settings.reference], e));
    for (std::size_t s = 0; s < c.seeds.size(); ++s)
        for (std::size_t v = 0; v < c.variants.size(); ++v) {
            const Variant& variant = c.variants[v];
            Planned run{v, s, fs::path(folder) / variant.name / seed_name(c.seeds[s]), variant.experiment};
            run.experiment.seed = c.seeds[s];
            run.experiment.name = variant.name + "-" + seed_name(c.seeds[s]);
            p.runs.push_back(std::move(run));
        }
    return p;
}

Compared run_comparison(const CompareRequest& request) {
    const Comparison& c = request.comparison;
    const fs::path root = request.folder;
    const RunFolder as_run(root);
    check_folder(root, c);
    Compared result;
    result.stopped = true;  // so it is until all runs have come to their end
    const auto told_to_stop = [&] { return request.stop && request.stop() != 0; };
    std::optional<Prepared> made;  // of data, which may take long
    if (interruptibly(told_to_stop, [&] { made.emplace(prepare(c, request.folder)); }) == Ended::interrupted)
        return result;
    const Prepared& prepared = *made;
    const bool anew = request.existing == Existing::overwrite;
    Observer nobody;
    Observer& log = request.observer != nullptr ? *request.observer : nobody;
    // A folder that is not there yet is made after all has been looked at.
    std::optional<RunLock> lock;
    if (fs::exists(root))
        lock = as_run.lock();
    if (!busy(prepared, root).empty()) {
        log.open_log(as_run.log(), LogFile::append);
        if (!wait_until_free(prepared, root, request.patience, log, request.stop))
            return result;
    }
    std::vector<Found> found(prepared.runs.size());
    if (!anew && interruptibly(told_to_stop, [&] { found = look(c, prepared, root, request.extend); }) == Ended::interrupted)
        return result;
    result.stopped = told_to_stop();
    if (result.stopped)
        return result;
    if (!lock)
        lock = as_run.lock();
    for (std::size_t v = 0; v < c.variants.size(); ++v) {  // the mark of a comparison's folder, so before all other files
        make_folder(root / c.variants[v].name);
        write_file_atomically(root / c.variants[v].name / variant_file, config::write(c.variants[v].experiment));
    }
    log.open_log(as_run.log(), anew ? LogFile::begin : LogFile::append);
    std::vector<std::size_t> todo;
    for (std::size_t i = 0; i < prepared.runs.size(); ++i) {
        if (anew) {
            const RunFolder run(prepared.runs[i].folder);
            const RunLock held = run.lock();
            run.prepare_new();
        }
        const Ending ending = found[i].ending;
        if (ending == Ending::missing || ending == Ending::unfinished || (ending == Ending::finished && found[i].shorter))
            todo.push_back(i);
    }
    const int parallel = std::max(1, std::min(request.threads, static_cast<int>(todo.size())));
    std::vector<Job> jobs;
    for (const std::size_t i : todo) {
        const Planned& run = prepared.runs[i];
        make_folder(run.folder);
        jobs.push_back(
            job_of(c, run, prepared.resolved[run.variant], found[i], request.extend, std::max(1, request.threads / parallel)));
    }
    log.info("{}: {} variant{} x {} seed{}, {} on the {} split; {} of {} runs to do, {} side by side; {}", c.name,
             c.variants.size(), c.variants.size() == 1 ? "" : "s", c.seeds.size(), c.seeds.size() == 1 ? "" : "s",
             prepared.settings.metric, split_name(prepared.settings.split), jobs.size(), prepared.runs.size(), parallel,
             root.string());
    say_other_batches(log, c, prepared);
    const std::vector<std::optional<JobEnd>> ends = run_jobs(
        jobs, {.parallel = parallel, .start = request.start, .stop = request.stop, .observer = &log});

    result.begun = static_cast<int64_t>(jobs.size());
    std::vector<VariantRecord> records;
    for (const Variant& v : c.variants) records.push_back({v.name, {}});
    for (const Planned& run : prepared.runs) records[run.variant].runs.push_back(read_run(run.folder, run.experiment.seed));
    for (std::size_t k = 0; k < todo.size(); ++k) {
        const Planned& run = prepared.runs[todo[k]];
        RunRecord& record = records[run.variant].runs[run.seed];
        if (!ends[k] || ends[k]->code == 130 || ends[k]->code == 143)
            result.stopped = true;
        else if (ends[k]->code != 0 && ends[k]->code != 3) {
            record.ending = Ending::failed;
            record.message = ends[k]->message;
        }
    }
    say_other_programs(log, records);
    result.table = tabulate(records, prepared.settings);
    if (result.stopped)
        return result;
    result.json = json_of(c, prepared, records, result.table);
    lock->check_folder();
    write_file_atomically(root / "compare.json", result.json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
    result.records = std::move(records);
    if (request.compared)
        request.compared(result);
    log.info("{}", (root / "compare.html").string());
    return result;
}

Json json_of(const Comparison& c, const Prepared& p, const std::vector<VariantRecord>& records, const Result& table) {
    Json json;
    json["format"] = 1;
    json["name"] = c.name;
    json["config"] = fs::absolute(c.path).lexically_normal().string();
    json.update(json_of(table));
    const Experiment& reference = p.resolved[p.settings.reference];
    for (std::size_t v = 0; v < records.size(); ++v) {
        Json& variant = json["variants"][v];
        variant["parameters"] = p.parameters[v];
        Json changed = Json::array();
        for (const config::Difference& d : config::differences(reference, p.resolved[v], config::Rows::in_full))
            if (d.path != "name")
                changed.push_back({{"option", d.path}, {"reference", d.before}, {"variant", d.after}});
        variant["changed"] = std::move(changed);
        variant["other_batches"] = p.other_batches[v];
        variant["each"] = Json::array();
        for (std::size_t s = 0; s < records[v].runs.size(); ++s) {
            const RunRecord& run = records[v].runs[s];
            Json each = {{"seed", run.seed},
                         {"folder", c.variants[v].name + "/" + seed_name(run.seed)},
                         {"status", ending_name(run.ending)},
                         {"steps", run.steps},
                         {"seconds", number_to_json(run.seconds)},
                         {"value", table.rows[v].values[s] ? Json(*table.rows[v].values[s]) : Json(nullptr)}};
            if (const auto& at = table.rows[v].at_threshold[s])
                each["threshold"] = {{"step", at->step}, {"targets", number_to_json(at->targets)}, {"seconds", at->seconds}};
            if (!run.program.empty())
                each["program"] = run.program;
            if (!run.message.empty())
                each["message"] = run.message;
            if (!run.exploded.is_null())
                each["loss_exploded"] = run.exploded;
            if (!run.extended.is_null())
                each["extended"] = run.extended;
            variant["each"].push_back(std::move(each));
        }
    }
    return json;
}

}  // namespace attend::compare
