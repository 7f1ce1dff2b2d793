#include "train/compare/compare.h"

#include <algorithm>

#include "core/files.h"
#include "train/compare/page.h"
#include "train/config/writer.h"
#include "train/plan/plan.h"

namespace attend::inline ATTEND_PRECISION::compare {

namespace fs = std::filesystem;

namespace {

constexpr const char* variant_file = "variant.json";

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

// What the run in the folder is, where there is one; refused where it is not the one asked for.
Ending ending_of(const Planned& run, const Experiment& resolved) {
    const RunFolder folder(run.folder);
    if (!fs::exists(folder.config())) {
        require(folder.found().empty(), "{}: files of a run without its config.json: found {}; --overwrite starts anew",
                run.folder.string(), folder.found());
        return Ending::missing;
    }
    const Experiment before = folder.experiment();
    Experiment now = resolved;
    now.name = run.experiment.name;
    now.seed = run.experiment.seed;
    if (run.experiment.train.shards == 0)
        now.train.shards = before.train.shards;
    if (run.experiment.train.epochs > 0)
        now.train.steps = before.train.steps;  // as many as this seed's epochs came to
    const bool longer = now.train.steps != before.train.steps;
    static const std::vector<std::string> intervals = {"train.log_every", "train.evaluate_every", "train.checkpoint_every"},
                                          harmless = {"name", "train.steps", "train.keep", "train.tensorboard"};
    std::string list;
    for (const config::Difference& d : config::differences(before, now))
        if (!contains(harmless, d.path) && !(longer && contains(intervals, d.path)))
            list += fmt::format("\n  {}: before {}, now {}", d.path, d.before.empty() ? "nothing" : d.before,
                                d.after.empty() ? "nothing" : d.after);
    require(list.empty(),
            "{}: not the run that this comparison asks for:{}\nuse --overwrite to start anew, or --out for another folder",
            folder.config().string(), list);
    require(now.train.steps >= before.train.steps,
            "{}: the run was asked for more steps than this comparison does: train.steps before {}, now {}; use --overwrite to "
            "start anew",
            folder.config().string(), before.train.steps, now.train.steps);
    const Ending ending = read_run(run.folder, run.experiment.seed).ending;
    return longer && ending == Ending::finished ? Ending::unfinished : ending;
}

std::string seed_name(int64_t seed) { return fmt::format("seed-{}", seed); }

Job job_of(const Comparison& c, const Planned& run, const Experiment& resolved, Ending ending, int threads) {
    const std::string& variant = c.variants[run.variant].name;
    Job job;
    job.name = fmt::format("{} {}", variant, seed_name(run.experiment.seed));
    job.variant = variant;
    job.folder = run.folder;
    job.steps = resolved.train.steps;
    if (ending == Ending::unfinished)
        job.first = std::min(step_reached(run.folder), job.steps);
    job.arguments = {"train",
                     (run.folder.parent_path() / variant_file).string(),
                     fmt::format("--seed={}", run.experiment.seed),
                     "--set=name=" + run.experiment.name,
                     "--out=" + run.folder.string(),
                     fmt::format("--threads={}", threads)};
    if (ending == Ending::unfinished)
        job.arguments.emplace_back("--resume");
    return job;
}

// "soft: data.task" and so on: variants that are not trained on the same batches as the reference.
void say_other_batches(const Log& log, const Comparison& c, const Prepared& p) {
    for (std::size_t i = 0; i < c.variants.size(); ++i)
        if (!p.other_batches[i].empty())
            log.warning("{}: not trained on the batches of '{}', as it changes {}", c.variants[i].name,
                        c.variants[p.settings.reference].name, p.other_batches[i]);
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
    as_run.check(Existing::overwrite);
    require(!fs::exists(as_run.config()) && !fs::exists(as_run.metrics()),
            "{}: there is a training run in this folder: found {}; a comparison needs a folder of its own (--out)",
            root.string(), as_run.found());
    const Prepared prepared = prepare(c, request.folder);
    const bool anew = request.existing == Existing::overwrite;
    std::vector<Ending> endings;
    for (const Planned& run : prepared.runs)
        endings.push_back(anew ? Ending::missing : ending_of(run, prepared.resolved[run.variant]));

    const RunLock lock = as_run.lock();
    const Log log =
        request.terminal ? make_log(request.terminal, as_run.log().string(), anew ? LogFile::begin : LogFile::append) : Log();
    for (std::size_t v = 0; v < c.variants.size(); ++v) {
        fs::create_directories(root / c.variants[v].name);
        write_file_atomically(root / c.variants[v].name / variant_file, config::write(c.variants[v].experiment));
    }
    std::vector<std::size_t> todo;
    for (std::size_t i = 0; i < prepared.runs.size(); ++i) {
        if (anew)
            RunFolder(prepared.runs[i].folder).prepare_new();
        if (endings[i] == Ending::missing || endings[i] == Ending::unfinished)
            todo.push_back(i);
    }
    const int parallel = std::max(1, std::min(request.threads, static_cast<int>(todo.size())));
    std::vector<Job> jobs;
    for (const std::size_t i : todo) {
        const Planned& run = prepared.runs[i];
        fs::create_directories(run.folder);
        jobs.push_back(job_of(c, run, prepared.resolved[run.variant], endings[i], std::max(1, request.threads / parallel)));
    }
    log.info("{}: {} variant{} x {} seed{}, {} on the {} split; {} of {} runs to do, {} side by side; {}", c.name,
             c.variants.size(), c.variants.size() == 1 ? "" : "s", c.seeds.size(), c.seeds.size() == 1 ? "" : "s",
             prepared.settings.metric, split_name(prepared.settings.split), jobs.size(), prepared.runs.size(), parallel,
             root.string());
    say_other_batches(log, c, prepared);
    const std::vector<std::optional<JobEnd>> ends = run_jobs(
        jobs, {.parallel = parallel, .start = request.start, .stop = request.stop, .terminal = request.terminal, .log = log});

    Compared result;
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
    result.table = tabulate(records, prepared.settings);
    if (result.stopped)
        return result;
    result.json = json_of(c, prepared, records, result.table);
    write_file_atomically(root / "compare.json", result.json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
    write_file_atomically(root / "compare.html", page_of(c.name, result.json, records, result.table));
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
        for (const config::Difference& d : config::differences(reference, p.resolved[v]))
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
            if (!run.message.empty())
                each["message"] = run.message;
            variant["each"].push_back(std::move(each));
        }
    }
    return json;
}

}  // namespace attend::inline ATTEND_PRECISION::compare
