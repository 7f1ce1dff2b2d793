#include <limits>
#include <memory>
#include <ostream>

#include "core/files.h"
#include "train/cli/search.h"
#include "train/run/numbers.h"
#include "train/run/restored.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
struct Arguments {
    std::string run, split, examples;
    SearchArguments search;
    int threads = 1;
    bool json = false;
};

Split chosen_split(const std::string& name, const Task& task) {
    if (name.empty())
        return task.size(Split::test) > 0 ? Split::test : Split::valid;
    for (Split s : {Split::train, Split::valid, Split::test})
        if (name == split_name(s))
            return s;
    fail("--split: no such split: '{}', known train, valid, test", name);
}

// One line an example, in the order of the split. Text that is not UTF-8 (byte tokenizers) has U+FFFD where it is not.
void write_examples(const std::string& path, const std::vector<Sample>& samples) {
    write_file_atomically(path, [&](FileWriter& file) {
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const Sample& s = samples[i];
            Json line;
            line["example"] = i;
            line["source"] = s.source;
            line["reference"] = s.reference;
            line["decoded"] = s.decoded;
            line["log_likelihood"] = number_to_json(s.log_likelihood);
            line["score"] = number_to_json(s.score);
            file.write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
        }
    });
}
}  // namespace

Action declare_eval(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    app.add_option("RUN", a->run, "a run's folder, or one of its checkpoints")->required();
    app.add_option("--split", a->split, "train, valid or test (default: test, or valid where there is no test split)");
    app.add_flag("--json", a->json, "one JSON object, as a line of metrics.jsonl");
    app.add_option("--examples", a->examples,
                   "write every example to a file, one JSON object a line: example (from 0), source, reference, decoded, "
                   "log_likelihood (nats, of decoded) and score (what the search ranked it by)")
        ->type_name("FILE");
    add_search(app, a->search);
    add_threads(app, a->threads);
    return [a](Streams& streams) {
        const Restored restored = restore(a->run, Data::splits);
        const Split split = chosen_split(a->split, *restored.task);
        Workers workers(a->threads);
        const DecodeOptions decode = chosen(restored.experiment.decode, a->search);
        const EvaluationSetup setup{.split = split,
                                    .batch = restored.experiment.train.evaluate_batch,
                                    .decode = Decode::yes,
                                    .max_length = decode.max_length,
                                    .search = decode.search(),
                                    .samples = a->examples.empty() ? 0 : std::numeric_limits<int64_t>::max(),
                                    .seed = static_cast<uint64_t>(restored.experiment.seed)};
        const std::optional<Evaluation> e = evaluate(*restored.made.model, *restored.task, setup, workers);
        if (!a->examples.empty())
            write_examples(a->examples, e->samples);
        if (a->json) {
            Json line;
            line["step"] = restored.step;
            line["split"] = split_name(split);
            add_scores(line, e->scores);
            streams.out << line.dump() << '\n';
        } else {
            streams.out << fmt::format("{:<20} {}\n{:<20} {}\n", "split", split_name(split), "step", restored.step);
            for (const auto& [name, value] : e->scores.values) streams.out << fmt::format("{:<20} {:.6f}\n", name, value);
        }
        return 0;
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
