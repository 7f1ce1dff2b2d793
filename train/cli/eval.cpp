#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <ostream>

#include "core/base/output_file.h"
#include "train/cli/search.h"
#include "train/config/utf8.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/metrics/bootstrap.h"
#include "train/evaluate/metrics/confusion.h"
#include "train/learn/restored.h"
#include "train/records/record_writer.h"
#include "train/study/compare/examples.h"

namespace attend::cli {

namespace {
struct EvalArguments {
    std::string run, split, examples;
    SearchArguments search;
    int64_t resamples = 1000;
    int threads = 1;
    bool json = false, tables = false;
};

Split chosen_split(const std::string& name, const Task& task) {
    if (name.empty())
        return task.size(Split::test) > 0 ? Split::test : Split::valid;
    return split_named(name, "--split");
}

// What the examples add to a metric, and the interval that follows.
struct Resampled {
    std::string name;
    Metric metric;
    ExampleStatistics examples;
    std::optional<Interval> interval;  // for new examples

    explicit Resampled(const std::string& of) : name(of), metric(metric_of(of)) {}
};

// Of a share exact, or nearly: resampling examples that are all right says that all others are.
std::optional<Interval> interval_for(const Resampled& r, const BootstrapSetup& setup) {
    std::vector<Statistics> of;
    for (int64_t e = 0; e < r.examples.examples(); ++e) of.emplace_back(r.examples[e].begin(), r.examples[e].end());
    if (const auto limits = compare::limits_of_share(r.metric, of, setup.level))
        return Interval{limits->low, limits->high};
    return bootstrap(r.metric, r.examples, setup);
}

const Interval* interval_of(const std::vector<Resampled>& all, const std::string& name) {
    const auto found = std::ranges::find(all, name, &Resampled::name);
    return found != all.end() && found->interval ? &*found->interval : nullptr;
}

// One line an example, in the order of the split. Text that is not UTF-8 (byte tokenizers) has
// U+FFFD where it is not.
void write_examples(const std::string& path, const std::vector<Sample>& samples) {
    std::string lines;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const Sample& s = samples[i];
        const RecordWriter line = {{"example", static_cast<int64_t>(i)}, {"source", s.source},
                                   {"reference", s.reference},           {"decoded", s.decoded},
                                   {"log_likelihood", s.log_likelihood}, {"score", s.score}};
        lines += line.text(-1, Broken::replaced) + "\n";
    }
    write_output_file(path, lines);
}
}  // namespace

Action declare_eval(CommandLine& app) {
    auto a = std::make_shared<EvalArguments>();
    app.add_option("RUN", a->run, "a run's folder, or one of its checkpoints").required();
    app.add_option("--split", a->split, "train, valid or test (default: test, or valid where there is no test split)");
    app.add_flag("--json", a->json,
                 "one JSON object, as a line of metrics.jsonl, and the intervals: \"intervals\": {metric: [low, high]}");
    app.add_option("--examples", a->examples,
                   "write every example to a file, one JSON object a line: example (from 0), source, reference, decoded, "
                   "log_likelihood (nats, of decoded) and score (what the search ranked it by)")
        .type_name("FILE");
    app.add_integer(
           "--resamples", a->resamples, {0, 1'000'000},
           "resamples of the examples (bootstrap) for the 95 % intervals of what is no share; shares have exact ones (Clopper "
           "and Pearson); 0: no intervals")
        .type_name("N");
    app.add_flag(
           "--tables", a->tables,
           "how often each target symbol or class is right, and which are predicted in place of which: where they are few")
        .excludes(app.get_option("--json"));
    add_search(app, a->search);
    add_threads(app, a->threads);
    return [a](Streams& streams) {
        const Restored restored = restore(a->run, Data::splits);
        if (!restored.warning.empty())
            streams.error << "attend: warning: " << utf8::shown(restored.warning) << '\n';
        const bool texts = restored.task->source_vocabulary_size() > 0;
        const int64_t classes = restored.task->classes();
        require(texts || (a->examples.empty() && !a->search.beam && !a->search.length_penalty && (classes > 0 || !a->tables)),
                "{}: nothing is decoded from sources here: source vocabulary {}, classes {}; --examples, --beam and "
                "--length-penalty have no meaning, and --tables is for sources or classes",
                a->run, 0, classes);
        const Split split = chosen_split(a->split, *restored.task);
        require_positions(*restored.task, *restored.made.model, split);
        Workers workers(a->threads);
        const DecodeOptions decode = chosen(restored.experiment.decode, a->search);
        const int64_t symbols = classes > 0 ? classes : restored.task->target_vocabulary_size() - first_free_id;
        require(!a->tables || symbols <= most_classes, "--tables: too many target symbols for a table: symbols {}, most {}",
                symbols, most_classes);
        std::vector<Resampled> resampled;
        if (a->resamples > 0)
            for (const std::string& name : computed_metrics(restored.task->metrics(), Decode::yes))
                resampled.emplace_back(name);
        Confusion confusion;
        const EvaluationSetup setup{.split = split,
                                    .batch = restored.experiment.train.evaluate_batch,
                                    .decode = Decode::yes,
                                    .max_length = decode.max_length,
                                    .search = decode.search(),
                                    .samples = a->examples.empty() ? 0 : std::numeric_limits<int64_t>::max(),
                                    .seed = static_cast<uint64_t>(restored.experiment.seed),
                                    .each_example = [&](const EvaluatedExample& e) {
                                        for (Resampled& r : resampled) r.examples.add(r.metric.statistics(e));
                                        if (a->tables)
                                            confusion.add(e);
                                    }};
        const std::optional<Evaluation> e = evaluate(*restored.made.model, *restored.task, setup, workers);
        if (e->cut > 0)
            streams.error << fmt::format("attend: warning: {} of {} outputs were cut before they ended (decode.max_length)\n",
                                         e->cut, e->decoded);
        workers.run(static_cast<int>(resampled.size()), [&](int i) {
            Resampled& r = resampled[static_cast<std::size_t>(i)];
            r.interval = interval_for(r, {.resamples = a->resamples, .seed = setup.seed});
        });
        if (!a->examples.empty())
            write_examples(a->examples, e->samples);
        if (a->json) {
            RecordWriter line = {{"step", restored.step}, {"split", split_name(split)}}, intervals;
            line.set_scores(e->scores);
            for (const auto& [name, value] : e->scores.values)
                if (const Interval* interval = interval_of(resampled, name))
                    intervals.set(name, std::vector<double>{interval->low, interval->high});
            if (a->resamples > 0)
                line.set("intervals", intervals);
            streams.out << line.text() << '\n';
        } else {
            streams.out << fmt::format("{:<20} {}\n{:<20} {}\n", "split", split_name(split), "step", restored.step);
            if (a->resamples > 0)
                streams.out << fmt::format(
                    "{:<20} 95 %, this model on new examples: of shares exact, others from {} resamples\n", "[intervals]",
                    a->resamples);
            for (const auto& [name, value] : e->scores.values) {
                streams.out << fmt::format("{:<20} {:.6f}", name, value);
                if (const Interval* interval = interval_of(resampled, name))
                    streams.out << fmt::format("  [{:.6f}, {:.6f}]", interval->low, interval->high);
                streams.out << '\n';
            }
            if (a->tables)
                streams.out << '\n'
                            << utf8::shown(class_table(confusion)) << '\n'
                            << utf8::shown(mistake_table(confusion, 20)) << '\n'
                            << utf8::shown(confusion_table(confusion));
        }
        return 0;
    };
}

}  // namespace attend::cli
