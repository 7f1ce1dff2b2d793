/// Writes what the first steps of a training run are made of into one file, so that another program
/// can train the same model from the same weights on the same batches.
///
///     attend_bench_batches CONFIG FILE [--set a.b=value ...]
///
/// The file is a bundle (train/records/bundle.h) of all train.steps batches: `model.NAME`,
/// `batch.N.input`, `.target`, ..., and the resolved config in its metadata.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/records/bundle.h"

namespace attend::ATTEND_PRECISION {
namespace {

int run(int argc, char** argv) {
    CLI::App app("writes the first weights and the batches of a run");
    std::string config, file;
    std::vector<std::string> assignments;
    app.add_option("CONFIG", config, "a config")->required();
    app.add_option("FILE", file, "what to write")->required();
    app.add_option("--set", assignments, "change a value of the config");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    }
    const Experiment asked = read_experiment(config, assignments);
    const auto task = make_task(asked, "");
    Bundle bundle;
    bundle.experiment = resolve_for(asked, *task);
    bundle.vocabularies = vocabularies_of(*task);
    const ModelInStore made = make_model(bundle.experiment, *task);
    take_weights(bundle.experiment.init, *made.model, *made.store);
    const auto batches = task->batches(Split::train, training_order(bundle.experiment));
    for (int64_t k = 0; k < bundle.experiment.train.steps * bundle.experiment.train.accumulate; ++k)
        bundle.batches.push_back(batches->at(k));
    write_bundle(file, bundle, *made.store);
    return 0;
}

}  // namespace
}  // namespace attend::ATTEND_PRECISION

int main(int argc, char** argv) {
    try {
        return attend::run(argc, argv);
    } catch (const attend::Error& e) {
        fmt::print(stderr, "attend_bench_batches: {}\n", e.what());
        return 2;
    } catch (const std::exception& e) {
        fmt::print(stderr, "attend_bench_batches: {}\n", e.what());
        return 1;
    }
}
