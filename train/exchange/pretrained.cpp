#include "train/exchange/pretrained.h"

#include <filesystem>
#include <vector>

#include "core/base/file_errors.h"
#include "data/text/tokenizer.h"
#include "train/config/words.h"
#include "train/config/writer.h"
#include "train/exchange/published.h"
#include "train/exchange/published_weights.h"
#include "train/experiment/assemble.h"
#include "train/experiment/slots.h"
#include "train/records/checkpoint.h"
#include "train/records/older_checkpoints.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

// The files that init.from names: one, or the shards of a published folder.
std::vector<fs::path> weights_files(const InitOptions& o) {
    if (!is_folder(o.from))
        return {o.from};
    if (!is_published(o.from))
        return {find_run(o.from).checkpoint / "model.safetensors"};
    const PublishedWeights weights(o.from);
    std::vector<fs::path> files;
    for (const SafetensorsFile& file : weights.files) files.push_back(file.path());
    return files;
}

// Where the vocabularies come from that the weights' ids mean: the folder that the run in `from`
// saved them to, or a published folder that holds its tokenizer; "" when they are built from the
// data. Throws Error when there is no such run.
std::string taken_vocabulary(const InitOptions& o) {
    if (o.from.empty() || o.vocabulary == "own" || !is_folder(o.from))
        return "";
    if (is_published(o.from)) {
        if (holds_tokenizer(o.from))
            return o.from;
        for (const char* name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"})
            require(!is_there(fs::path(o.from) / name),
                    "{}/{}: only tokenizers of the kinds bpe and wordpiece are read; init.vocabulary \"own\" does without it",
                    o.from, name);
        return "";
    }
    const fs::path folder = find_run(o.from).run.vocabulary();
    return is_folder(folder) ? folder.string() : "";
}

}  // namespace

std::string take_weights(const InitOptions& o, const Model& model, ParameterStore& store) {
    if (o.from.empty())
        return "";
    require(is_there(o.from),
            "init.from: nothing of that name: '{}'; a run's folder, a checkpoint's, a safetensors file or a folder in Hugging "
            "Face's "
            "layout; configs/README.md says what shipped configs want and from where",
            o.from);
    require(has_patterns(o.take), "init.take: no pattern: take '{}', from '{}'", o.take, o.from);
    require_matches("take", o.take, store);
    if (is_published(o.from)) {
        // Where ids are those of the folder's own tokenizer, what it has beyond them are rows that
        // nothing reads.
        const MoreIds more = o.vocabulary != "own" && holds_tokenizer(o.from) ? MoreIds::left_out : MoreIds::refused;
        const PublishedRead read = read_published(
            o.from, model.published_layout(), store, [&](const std::string& name) { return matches_any(o.take, name); }, more);
        std::vector<std::string> said = {
            fmt::format("begun with {} of {} arrays from {}", read.filled, store.table().size(), o.from)};
        said.insert(said.end(), read.notes.begin(), read.notes.end());
        return joined(said, "; ");
    }
    if (is_folder(o.from))
        check_model_of(find_run(o.from));
    const fs::path path = weights_files(o).front();
    const SafetensorsFile file(path);
    std::vector<Slot> slots = model_slots(store);
    const std::size_t all = slots.size();
    std::erase_if(slots, [&](const Slot& s) { return !matches_any(o.take, s.name); });
    read_slots({&file, 1}, slots,
               {.where = "init.from: " + path.string(),
                .file = path.filename().string(),
                .hint = "init.take chooses what is taken",
                .prefix = "",
                .wanted = [&](const std::string& name) { return matches_any(o.take, name); }});
    return fmt::format("begun with {} of {} arrays from {}", slots.size(), all, path.string());
}

std::string weights_seal(const InitOptions& o) { return o.from.empty() ? "" : seal_of(weights_files(o)); }

std::vector<std::string> other_settings(const Experiment& now) {
    const std::string& from = now.init.from;
    if (from.empty() || !is_folder(from) || is_published(from))
        return {};
    // What training alone knows may be another on purpose.
    static const std::vector<std::string> free = {"dropout", "init", "recompute", "context", "max_length"};
    std::vector<std::string> lines;
    for (const config::Difference& d : config::differences(read_experiment(find_run(from).run.config().string(), {}), now)) {
        const std::string last = d.path.substr(d.path.rfind('.') + 1);
        const bool ids = d.path.starts_with("data.") && (last == "lowercase" || last == "unit" || d.path == "data.tokenizer");
        if (ids || (d.path.starts_with("model") && !contains(free, last)))
            lines.push_back(fmt::format("{}: there {}, here {}", d.path, d.before.empty() ? "nothing" : d.before,
                                        d.after.empty() ? "nothing" : d.after));
    }
    return lines;
}

std::unique_ptr<Task> make_task(const Experiment& experiment, const std::string& saved) {
    return task_table().build(experiment.data,
                              task_setup(experiment, saved.empty() ? taken_vocabulary(experiment.init) : saved, Data::splits));
}

}  // namespace attend::ATTEND_PRECISION
