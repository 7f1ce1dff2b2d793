#include <memory>

#include "train/cli/cli.h"
#include "train/run/signals.h"
#include "train/run/training.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
struct Arguments {
    std::string config, out;
    std::vector<std::string> set;
    int64_t seed = 0;
    int threads = 1;
    bool resume = false, overwrite = false;
};
}  // namespace

Action declare_train(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    app.add_option("CONFIG", a->config, "a JSON file")->required();
    app.add_option("--set", a->set, "change an option: a.b=value; may be given again")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    const CLI::Option* seed = app.add_option("--seed", a->seed, "in place of the config's seed")->check(CLI::NonNegativeNumber);
    app.add_option("--out", a->out, "the run's folder, in place of runs/NAME")->type_name("DIR");
    add_threads(app, a->threads);
    CLI::Option* resume = app.add_flag("--resume", a->resume, "go on with the run in the folder");
    app.add_flag("--overwrite", a->overwrite, "remove the run in the folder and start anew")->excludes(resume);
    return [a, seed](Streams&) {
        std::vector<std::string> assignments = a->set;
        if (seed->count() > 0)
            assignments.push_back("seed=" + std::to_string(a->seed));
        TrainRequest request;
        request.experiment = read_experiment(a->config, assignments);
        request.folder = a->out.empty() ? "runs/" + request.experiment.name : a->out;
        request.threads = a->threads;
        request.existing = a->resume ? Existing::resume : a->overwrite ? Existing::overwrite : Existing::refuse;
        request.terminal = std::make_shared<Terminal>();
        const StopSignals signals;
        request.stop = [] { return StopSignals::received() != 0; };
        const TrainResult result = attend::train(request);
        return result.status == Status::stopped ? 128 + StopSignals::received() : 0;
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
