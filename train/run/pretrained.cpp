#include "train/run/pretrained.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "core/file_errors.h"
#include "core/files.h"
#include "data/text/tokenizer.h"
#include "train/config/writer.h"
#include "train/run/checkpoint.h"
#include "train/run/experiment.h"
#include "train/run/older_checkpoints.h"
#include "train/run/published.h"
#include "train/run/published_weights.h"
#include "train/run/run_folder.h"
#include "train/run/slots.h"

namespace attend::inline ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

// "a, b*" to its patterns.
std::vector<std::string> patterns_of(const std::string& text) {
    std::vector<std::string> patterns;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        std::size_t first = begin, last = end;
        while (first < last && text[first] == ' ') ++first;
        while (last > first && text[last - 1] == ' ') --last;
        if (last > first)
            patterns.push_back(text.substr(first, last - first));
        begin = end + 1;
    }
    return patterns;
}

bool matches(const std::string& pattern, const std::string& name) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; }

// A pattern without a parameter is a slip of the pen, and a run that silently trains another thing than was asked for.
void require_matches(const char* key, const std::string& text, const ParameterStore& store) {
    for (const std::string& pattern : patterns_of(text)) {
        const bool found = std::any_of(store.table().begin(), store.table().end(),
                                       [&](const Parameter& p) { return matches(pattern, p.name); });
        require(found,
                "init.{}: matches no parameter: pattern '{}', parameters {}; their names are as '{}', and 'attend plan' "
                "shows all of them",
                key, pattern, store.table().size(), store.table().front().name);
    }
}

// The files that init.from names: one, or the shards of a published folder.
std::vector<fs::path> weights_files(const InitOptions& o) {
    if (!is_folder(o.from))
        return {o.from};
    if (!is_published(o.from))
        return {find_run(o.from).checkpoint / "model.safetensors"};
    const PublishedWeights weights(o.from);
    std::vector<fs::path> files;
    for (const SafetensorsFile* file : weights.files()) files.push_back(file->path());
    return files;
}

}  // namespace

void InitOptions::fields(Visitor& v) {
    v.path("from", from,
           "begin with the weights of a run's folder (its best checkpoint), a checkpoint's folder, a safetensors file or a "
           "folder in Hugging Face's layout; empty: with random ones");
    v.text("take", take, "which weights are taken, by name patterns as 'encoder.*', with commas between them");
    v.text("freeze", freeze, "parameters that training leaves as they are, by name patterns; empty: none");
    v.choice(
        "vocabulary", vocabulary, {"taken", "own"},
        "taken: ids mean what they meant to the run in 'from', symbols it did not know are unknown; own: built from the data");
}

bool matches_any(const std::string& patterns, const std::string& name) {
    const std::vector<std::string> all = patterns_of(patterns);
    return std::any_of(all.begin(), all.end(), [&](const std::string& p) { return matches(p, name); });
}

std::string taken_vocabulary(const InitOptions& o) {
    if (o.from.empty() || o.vocabulary == "own" || !is_folder(o.from))
        return "";
    if (is_published(o.from)) {
        if (holds_tokenizer(o.from))
            return o.from;
        for (const char* name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"})
            require(!is_there(fs::path(o.from) / name),
                    "{}/{}: a tokenizer of a kind that is not read: files {}, of bpe and wordpiece 0; init.vocabulary \"own\" "
                    "does without it",
                    o.from, name, 1);
        return "";
    }
    const fs::path folder = find_run(o.from).run.vocabulary();
    return is_folder(folder) ? folder.string() : "";
}

std::string take_weights(const InitOptions& o, const Model& model, ParameterStore& store) {
    if (o.from.empty())
        return "";
    require(is_there(o.from),
            "init.from: nothing of that name: '{}'; a run's folder, a checkpoint's, a safetensors file or a folder in Hugging "
            "Face's "
            "layout; configs/README.md says what shipped configs want and from where",
            o.from);
    require(!patterns_of(o.take).empty(), "init.take: no pattern: take '{}', from '{}'", o.take, o.from);
    require_matches("take", o.take, store);
    if (is_published(o.from)) {
        // Where ids are those of the folder's own tokenizer, what it has beyond them are rows that nothing reads.
        const MoreIds more = o.vocabulary != "own" && holds_tokenizer(o.from) ? MoreIds::left_out : MoreIds::refused;
        const PublishedRead read = read_published(
            o.from, model.published_layout(), store, [&](const std::string& name) { return matches_any(o.take, name); }, more);
        std::string said = fmt::format("begun with {} of {} arrays from {}", read.filled, store.table().size(), o.from);
        for (const std::string& note : read.notes) said += "; " + note;
        return said;
    }
    fs::path file = o.from;
    if (is_folder(o.from)) {
        const RunAndCheckpoint found = find_run(o.from);
        check_model_of(found);
        file = found.checkpoint / "model.safetensors";
    }
    std::vector<Slot> slots = model_slots(store);
    const std::size_t all = slots.size();
    std::erase_if(slots, [&](const Slot& s) { return !matches_any(o.take, s.name); });
    read_slots(SafetensorsFile(file), slots,
               {.where = "init.from: " + file.string(),
                .file = file.filename().string(),
                .hint = "init.take chooses what is taken",
                .prefix = "",
                .wanted = [&](const std::string& name) { return matches_any(o.take, name); }});
    return fmt::format("begun with {} of {} arrays from {}", slots.size(), all, file.string());
}

std::string weights_seal(const InitOptions& o) {
    if (o.from.empty())
        return "";
    std::string seal;
    for (const fs::path& file : weights_files(o)) {
        const WrittenFile f = crc32_of_file(file);
        seal += fmt::format("{}{} {} {:08x}", seal.empty() ? "" : ", ", file.filename().string(), f.bytes, f.crc32);
    }
    return seal;
}

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
        if (ids || (d.path.starts_with("model") && std::find(free.begin(), free.end(), last) == free.end()))
            lines.push_back(fmt::format("{}: there {}, here {}", d.path, d.before.empty() ? "nothing" : d.before,
                                        d.after.empty() ? "nothing" : d.after));
    }
    return lines;
}

int64_t frozen_count(const ParameterStore& store) {
    int64_t count = 0;
    for (const Parameter& p : store.table()) count += p.trainable ? 0 : p.shape.size();
    return count;
}

void freeze_parameters(const InitOptions& o, ParameterStore& store) {
    if (patterns_of(o.freeze).empty())
        return;
    require_matches("freeze", o.freeze, store);
    for (const Parameter& p : store.table())
        if (matches_any(o.freeze, p.name))
            store.freeze(p.name);
    const bool any = std::any_of(store.table().begin(), store.table().end(), [](const Parameter& p) { return p.trainable; });
    require(any, "init.freeze: nothing is left to train: frozen {}, parameters {}", store.table().size(), store.table().size());
}

}  // namespace attend::inline ATTEND_PRECISION
