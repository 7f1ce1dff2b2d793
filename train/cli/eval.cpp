#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/run/numbers.h"
#include "train/run/restored.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
struct Arguments {
    std::string run, split;
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
}  // namespace

Action declare_eval(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    app.add_option("RUN", a->run, "a run's folder, or one of its checkpoints")->required();
    app.add_option("--split", a->split, "train, valid or test (default: test, or valid where there is no test split)");
    app.add_flag("--json", a->json, "one JSON object, as a line of metrics.jsonl");
    add_threads(app, a->threads);
    return [a](Streams& streams) {
        const Restored restored = restore(a->run, Data::splits);
        const Split split = chosen_split(a->split, *restored.task);
        Workers workers(a->threads);
        const EvaluationSetup setup{.split = split,
                                    .batch = restored.experiment.train.evaluate_batch,
                                    .decode = Decode::yes,
                                    .max_length = restored.experiment.decode.max_length,
                                    .samples = 0,
                                    .seed = static_cast<uint64_t>(restored.experiment.seed)};
        const std::optional<Evaluation> e = evaluate(*restored.made.model, *restored.task, setup, workers);
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
