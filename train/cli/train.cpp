#include <memory>

#include "train/cli/cli.h"
#include "train/run/signals.h"
#include "train/run/training.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
struct Arguments {
    ConfigArguments config;
    std::string out;
    int threads = 1;
    bool resume = false, overwrite = false;
};
}  // namespace

Action declare_train(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    add_config(app, a->config);
    app.add_option("--out", a->out, "the run's folder, in place of runs/NAME")->type_name("DIR");
    add_threads(app, a->threads);
    CLI::Option* resume = app.add_flag("--resume", a->resume, "go on with the run in the folder");
    app.add_flag("--overwrite", a->overwrite, "remove the run in the folder and start anew")->excludes(resume);
    return [a](Streams&) {
        TrainRequest request;
        request.experiment = read_experiment(a->config.config, a->config.assignments());
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
