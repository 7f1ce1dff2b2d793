#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <ostream>

#include "core/base/output_file.h"
#include "train/cli/lengths.h"
#include "train/cli/search.h"
#include "train/config/utf8.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/metrics/confusion.h"
#include "train/learn/restored.h"
#include "train/records/record_writer.h"
#include "train/study/compare/examples.h"

namespace attend::cli {

namespace {
struct EvalArguments {
    std::string run, split, examples;
    SearchArguments search;
    LengthArguments lengths;
    int64_t resamples = 1000;
    int threads = 1;
    bool json = false, tables = false;
};

Split chosen_split(const std::string& name, const Task& task) {
    if (name.empty())
        return task.size(Split::test) > 0 ? Split::test : Split::valid;
    return split_named(name, "--split");
}

// A metric's interval for new examples.
struct WithInterval {
    std::string name;
    std::optional<compare::Limits> interval = {};
};

// Of all metrics of an evaluation that kept what each example came to.
std::vector<WithInterval> intervals_of(const ExampleScores& scores, const BootstrapSetup& setup, Workers& workers) {
    std::vector<WithInterval> all;
    for (const std::string& name : scores.metrics) all.push_back({name});
    workers.run(static_cast<int>(all.size()), [&](int i) {
        const auto m = static_cast<std::size_t>(i);
        std::vector<Statistics> of;
        for (const ExampleScores::Example& e : scores.examples)
            if (!e.of[m].empty())
                of.push_back(e.of[m]);
        all[m].interval = compare::limits_for_new_examples(metric_of(all[m].name), of, setup);
    });
    return all;
}

const compare::Limits* interval_of(const std::vector<WithInterval>& all, const std::string& name) {
    const auto found = std::ranges::find(all, name, &WithInterval::name);
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
                 "one JSON object, as a line of metrics.jsonl, and the intervals: \"intervals\": {metric: [low, high]}; with "
                 "--by \"by_length\"");
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
    add_lengths(app, a->lengths);
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
        check_lengths(a->lengths, texts);
        const Split split = chosen_split(a->split, *restored.task);
        require_positions(*restored.task, *restored.made.model, split);
        Workers workers(a->threads);
        const DecodeOptions decode = chosen(restored.experiment.decode, a->search);
        const int64_t symbols = classes > 0 ? classes : restored.task->target_vocabulary_size() - first_free_id;
        require(!a->tables || symbols <= most_classes, "--tables: too many target symbols for a table: symbols {}, most {}",
                symbols, most_classes);
        Confusion confusion;
        const EvaluationSetup setup{.split = split,
                                    .batch = restored.experiment.train.evaluate_batch,
                                    .decode = Decode::yes,
                                    .max_length = decode.max_length,
                                    .search = decode.search(),
                                    .samples = a->examples.empty() ? 0 : std::numeric_limits<int64_t>::max(),
                                    .seed = static_cast<uint64_t>(restored.experiment.seed),
                                    .each_example =
                                        [&](const EvaluatedExample& e) {
                                            if (a->tables)
                                                confusion.add(e);
                                        },
                                    .keep = KeepScores::yes};
        const std::optional<Evaluation> e = evaluate(*restored.made.model, *restored.task, setup, workers);
        if (e->cut > 0)
            streams.error << fmt::format("attend: warning: {} of {} outputs were cut before they ended (decode.max_length)\n",
                                         e->cut, e->decoded);
        const BootstrapSetup resampling{.resamples = a->resamples, .seed = setup.seed};
        const std::vector<WithInterval> resampled = intervals_of(e->each, resampling, workers);
        const std::optional<MetricsByLength> by_length = metrics_by_length(a->lengths, e->each, resampling, workers);
        if (!a->examples.empty())
            write_examples(a->examples, e->samples);
        if (a->json) {
            RecordWriter line = {{"step", restored.step}, {"split", split_name(split)}}, intervals;
            line.set_scores(e->scores);
            for (const auto& [name, value] : e->scores.values)
                if (const compare::Limits* interval = interval_of(resampled, name))
                    intervals.set(name, std::vector<double>{interval->low, interval->high});
            if (a->resamples > 0)
                line.set("intervals", intervals);
            if (by_length)
                line.set("by_length", JsonText{json_of(*by_length)});
            streams.out << line.text() << '\n';
        } else {
            streams.out << fmt::format("{:<20} {}\n{:<20} {}\n", "split", split_name(split), "step", restored.step);
            if (a->resamples > 0)
                streams.out << fmt::format(
                    "{:<20} 95 %, this model on new examples: of shares exact, others from {} resamples\n", "[intervals]",
                    a->resamples);
            for (const auto& [name, value] : e->scores.values) {
                streams.out << fmt::format("{:<20} {:.6f}", name, value);
                if (const compare::Limits* interval = interval_of(resampled, name))
                    streams.out << fmt::format("  [{:.6f}, {:.6f}]", interval->low, interval->high);
                streams.out << '\n';
            }
            if (by_length)
                streams.out << '\n' << text_of(*by_length);
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
