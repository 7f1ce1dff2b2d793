#include <algorithm>
#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/records/run_folder.h"

namespace attend::cli {

namespace {
struct AverageArguments {
    std::string run, name = "average";
    std::optional<int64_t> last;
};

// The newest `last` of the run's checkpoints, by their steps; without a number those that
// train.keep kept and the last one, so that a best one of long ago is not mixed in.
std::vector<std::filesystem::path> newest(const RunFolder& run, std::optional<int64_t> last) {
    std::vector<std::filesystem::path> steps = run.steps();
    const int64_t kept = std::min<int64_t>(run.experiment().train.keep + 1, static_cast<int64_t>(steps.size()));
    const int64_t wanted = last.value_or(std::max<int64_t>(2, kept));
    require(static_cast<int64_t>(steps.size()) >= wanted,
            "{}: too few checkpoints for a mean: checkpoints {}, needed {}; train.keep says how many a run keeps",
            run.checkpoints().string(), steps.size(), wanted);
    steps.erase(steps.begin(), steps.end() - wanted);
    return steps;
}
}  // namespace

Action declare_average(CommandLine& app) {
    auto a = std::make_shared<AverageArguments>();
    app.add_option("RUN", a->run, "a run's folder").required();
    app.add_integer("--last", a->last, {2, 1'000'000},
                    "how many checkpoints, the newest ones (default: what train.keep kept, and the last)")
        .type_name("N");
    app.add_option("--name", a->name,
                   "the checkpoint's name (default: average): it becomes RUN/checkpoints/NAME, which eval and translate take")
        .type_name("NAME");
    return [a](Streams& streams) {
        require(!a->name.empty() && a->name.find('/') == std::string::npos && a->name[0] != '.' &&
                    !a->name.starts_with("step-") && a->name != "last" && a->name != "best",
                "--name: not a name of its own for a checkpoint: '{}'; names of a run's own are last, best and step-N",
                a->name);
        const RunFolder run = find_run(a->run).run;
        const RunLock lock = run.lock();  // a run that goes on removes checkpoints
        const std::vector<std::filesystem::path> from = newest(run, a->last);
        const std::filesystem::path to = run.checkpoints() / a->name;
        average_checkpoints(from, to);
        streams.out << fmt::format("{}: mean of {} checkpoints, {} to {}\n", to.string(), from.size(),
                                   from.front().filename().string(), from.back().filename().string());
        return 0;
    };
}

}  // namespace attend::cli
