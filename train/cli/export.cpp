#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <ostream>

#include "core/base/own_files.h"
#include "data/pair_task.h"
#include "data/tasks/classification.h"
#include "data/text/tokenizer.h"
#include "train/cli/cli.h"
#include "train/exchange/published.h"
#include "train/learn/restored.h"

namespace attend::cli {

namespace {
struct Arguments {
    std::string run, folder;
};
}  // namespace

Action declare_export(CommandLine& app) {
    auto a = std::make_shared<Arguments>();
    app.add_option("RUN", a->run, "a run's folder, or one of its checkpoints").required();
    app.add_option("DIR", a->folder, "the folder to write, made if need be").required();
    app.footer(
        "Writes config.json and model.safetensors as Hugging Face's transformers library reads them, and the tokenizer: in the "
        "files of its kind where it is one that the library has (bpe: vocab.json and merges.txt, wordpiece: vocab.txt), and as "
        "tokenizer.txt, which is ours. init.from reads such folders, and data.tokenizer.vocabulary does.");
    return [a](Streams& streams) {
        const Restored run = restore(a->run, Data::vocabularies);
        const PublishedLayout layout = run.made.model->published_layout();
        std::vector<std::string> names(std::begin(published_tokenizer_files), std::end(published_tokenizer_files));
        names.insert(names.end(), {tokenizer_file, labels_file, source_vocabulary_file, target_vocabulary_file});
        for (const std::string& name : names)
            require(kind_of(std::filesystem::path(a->folder) / name) == Kind::missing,
                    "{}/{}: there is one already, and it is not overwritten: files {}, allowed 0", a->folder, name, 1);
        write_published(a->folder, layout, *run.made.store);
        run.task->save(a->folder);
        const std::vector<std::string> tokenizer = run.task->publish(a->folder);
        streams.out << fmt::format("{}: {} with {} tensors, step {}\n", a->folder, layout.architecture, layout.tensors.size(),
                                   run.step);
        streams.out << (tokenizer.empty() ? "tokenizer: of a kind that was not published; tokenizer.txt is ours\n"
                                          : fmt::format("tokenizer: {}\n", fmt::join(tokenizer, ", ")));
        return 0;
    };
}

}  // namespace attend::cli
