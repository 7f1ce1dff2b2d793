#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/run/published.h"
#include "train/run/restored.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
struct Arguments {
    std::string run, folder;
};
}  // namespace

Action declare_export(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    app.add_option("RUN", a->run, "a run's folder, or one of its checkpoints")->required();
    app.add_option("DIR", a->folder, "the folder to write, made if need be")->required();
    app.footer(
        "Writes config.json and model.safetensors as Hugging Face's transformers library reads them. init.from reads such "
        "folders.");
    return [a](Streams& streams) {
        const Restored run = restore(a->run, Data::vocabularies);
        const PublishedLayout layout = run.made.model->published_layout();
        write_published(a->folder, layout, *run.made.store);
        run.task->save(a->folder);
        streams.out << fmt::format("{}: {} with {} tensors, step {}\n", a->folder, layout.architecture, layout.tensors.size(),
                                   run.step);
        return 0;
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
