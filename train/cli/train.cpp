#include <filesystem>
#include <memory>

#include "train/cli/cli.h"
#include "train/learn/signals.h"
#include "train/learn/training.h"
#include "train/records/run_contents.h"
#include "train/show/terminal_observer.h"

namespace attend::cli {

namespace {
struct TrainArguments {
    ConfigArguments config;
    std::string out, claim;
    int threads = 1;
    bool resume = false, extend = false, overwrite = false, overfit = false;
};
// Without --out: runs/NAME; where a run's own config.json is to go on, that run's folder, whatever
// its name is.
std::string folder_of(const TrainArguments& a, const std::string& name) {
    const std::filesystem::path config = a.config.config, folder = config.has_parent_path() ? config.parent_path() : ".";
    if (a.resume && config.filename() == RunFolder(folder).config().filename() && is_written_config(config))
        return folder.string();
    return fmt::format("runs/{}", name);
}
}  // namespace

Action declare_train(CommandLine& app) {
    auto a = std::make_shared<TrainArguments>();
    add_config(app, a->config);
    app.add_option("--out", a->out,
                   "the run's folder, in place of runs/NAME (with --resume and a run's own config.json: its folder)")
        .type_name("DIR");
    add_threads(app, a->threads);
    const Option resume = app.add_flag("--resume", a->resume, "continue the run in the folder");
    app.add_flag("--extend", a->extend,
                 "continue beyond the end that the run began with, to more train.steps (or train.max_seconds); it is recorded. "
                 "A schedule that depends on the number of steps needs one for the steps that are added: --set schedule=...")
        .needs(resume);
    app.add_flag("--overwrite", a->overwrite, "remove the run in the folder and start again").excludes(resume);
    app.add_flag("--overfit-one-batch", a->overfit,
                 "train on the first batch alone, again and again (train.overfit_one_batch): a model that can learn drives its "
                 "loss to 0");
    app.add_option("--claim", a->claim,
                   "write nothing more when this file has gone; 'attend compare --join' gives its runs one, which goes when "
                   "another process takes the run over")
        .type_name("FILE");
    return [a](Streams& streams) {
        TrainRequest request;
        std::vector<std::string> assignments = a->config.assignments();
        if (a->overfit)
            assignments.push_back("train.overfit_one_batch=true");
        request.experiment = read_experiment(a->config.config, assignments);
        request.folder = a->out.empty() ? folder_of(*a, request.experiment.name) : a->out;
        request.threads = a->threads;
        request.claim = a->claim;
        request.existing = a->resume ? Existing::resume : a->overwrite ? Existing::overwrite : Existing::refuse;
        request.extend = extend_of(a->extend, assignments);
        TerminalObserver observer;
        request.observer = &observer;
        const StopSignals signals;
        request.stop = [] { return StopSignals::received() != 0; };
        const TrainResult result = attend::train(request);
        if (result.begun == Begun::no)
            streams.error << "attend: stopped before the first step: nothing was changed\n";
        return result.status == Status::stopped ? 128 + StopSignals::received() : 0;
    };
}

}  // namespace attend::cli
