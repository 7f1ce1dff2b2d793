// What below a run's folder is the run's own. Everything else is somebody else's.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/base/files.h"
#include "core/base/own_files.h"
#include "data/pair_task.h"
#include "data/tasks/classification.h"
#include "data/text/tokenizer.h"
#include "train/config/document.h"
#include "train/records/older_checkpoints.h"
#include "train/records/run_folder.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view events_begin = "events.out.tfevents.", events_end = ".attend";
constexpr std::string_view step_begin = "step-", map_end = ".safetensors";
constexpr const char* vocabulary_files[] = {source_vocabulary_file, target_vocabulary_file, tokenizer_file, labels_file};

// N of a name "BEGIN N END" as we write it, without leading zeros but those of event files; none for any other name.
std::optional<int64_t> number_between(std::string_view name, std::string_view begin, std::string_view end) {
    if (!name.starts_with(begin) || !name.ends_with(end) || name.size() <= begin.size() + end.size())
        return {};
    name = name.substr(begin.size(), name.size() - begin.size() - end.size());
    int64_t number = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || stop != name.data() + name.size() || number < 0)
        return {};
    const std::string written = begin == events_begin ? fmt::format("{:010}", number) : std::to_string(number);
    return name == written ? std::optional(number) : std::nullopt;
}

// The files and links of a folder whose names are BEGIN N END, by their numbers.
std::vector<std::pair<int64_t, fs::path>> numbered(const fs::path& folder, std::string_view begin, std::string_view end) {
    std::vector<std::pair<int64_t, fs::path>> found;
    std::error_code error;  // no folder, no files
    for (fs::directory_iterator entry(folder, error), stop; !error && entry != stop; entry.increment(error))
        if (const auto number = number_between(entry->path().filename().string(), begin, end))
            found.emplace_back(*number, entry->path());
    std::sort(found.begin(), found.end());
    return found;
}

bool is_file_or_link(const fs::path& path) {
    const Kind kind = kind_of(path);
    return kind == Kind::file || kind == Kind::link;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), stop; !error && entry != stop; entry.increment(error))
        if (kind_of(entry->path()) == Kind::folder)
            found.push_back(entry->path());
    std::sort(found.begin(), found.end());
    return found;
}

// The folders in checkpoints/ that hold a checkpoint of a run or what is left of one, or an average of several. A copy of one
// under a name that its user gave is the user's.
std::vector<fs::path> checkpoint_folders(const fs::path& checkpoints) {
    std::vector<fs::path> found;
    for (const fs::path& folder : folders_in(checkpoints))
        if (number_between(folder.filename().string(), step_begin, "") || is_average(folder))
            found.push_back(folder);
    return found;
}

// The names of checkpoints that were being written when their process was killed.
std::vector<fs::path> abandoned_folders(const fs::path& checkpoints) {
    std::vector<fs::path> found;
    for (const fs::path& folder : folders_in(checkpoints))
        if (!abandoned_name(folder.filename().string()).empty())
            found.push_back(folder);
    return found;
}

void remove_or_throw(const fs::path& path) {
    const int code = remove_file(path);
    ensure(code == 0, "{}: cannot be removed: {}", path.string(), std::strerror(code));
}

}  // namespace

std::vector<fs::path> RunFolder::events() const {
    std::vector<fs::path> found;
    for (auto& [number, path] : numbered(root_, events_begin, events_end)) found.push_back(std::move(path));
    std::sort(found.begin(), found.end());
    return found;
}

fs::path RunFolder::new_events(int64_t now) const {
    for (const auto& [number, path] : numbered(root_, events_begin, events_end)) now = std::max(now, number + 1);
    return root_ / fmt::format("{}{:010}{}", events_begin, now, events_end);
}

std::vector<std::pair<int64_t, fs::path>> RunFolder::step_folders() const {
    std::vector<std::pair<int64_t, fs::path>> found = numbered(checkpoints(), step_begin, "");
    std::erase_if(found, [](const auto& step) { return kind_of(step.second) != Kind::folder; });
    return found;
}

std::vector<fs::path> RunFolder::vocabulary_contents() const {
    std::vector<fs::path> found;
    for (const char* name : vocabulary_files)
        if (is_file_or_link(vocabulary() / name))
            found.push_back(vocabulary() / name);
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<fs::path> RunFolder::contents() const {
    std::vector<fs::path> all = events();
    for (const fs::path& path : {metrics(), summary(), log(), samples(), bundle(), lab(), report()}) all.push_back(path);
    for (const fs::path& folder : {vocabulary(), maps(), checkpoints()})
        if (kind_of(folder) == Kind::link)
            all.push_back(folder);  // nothing that it leads to is ours
    if (kind_of(vocabulary()) == Kind::folder)
        for (const fs::path& path : vocabulary_contents()) all.push_back(path);
    if (kind_of(maps()) == Kind::folder)
        for (const auto& [step, path] : numbered(maps(), step_begin, map_end)) all.push_back(path);
    if (kind_of(checkpoints()) == Kind::folder) {
        for (const fs::path& path : {last(), best()}) all.push_back(path);
        for (const auto& [step, path] : numbered(checkpoints(), step_begin, ""))
            if (kind_of(path) == Kind::link)
                all.push_back(path);
        for (const fs::path& folder : checkpoint_folders(checkpoints()))
            for (const char* name : checkpoint_files) all.push_back(folder / name);
    }
    all.push_back(config());
    std::erase_if(all, [](const fs::path& path) { return !is_file_or_link(path); });
    return all;
}

std::string RunFolder::found() const {
    const std::vector<fs::path> all = contents();
    return all.empty() ? std::string() : all.front().lexically_relative(root_).string();
}

std::string RunFolder::found_of_others() const {
    for (const fs::path& folder : {vocabulary(), maps(), checkpoints()}) {
        std::error_code error;
        for (fs::directory_iterator entry(folder, error), stop; !error && entry != stop; entry.increment(error))
            if (abandoned_name(entry->path().filename().string()).empty())
                return entry->path().lexically_relative(root_).string();
    }
    return {};
}

bool is_written_config(const fs::path& path) {
    if (kind_of(path) != Kind::file)
        return false;
    try {
        const config::Value value = config::load(path.string());
        const auto has = [&](const char* object, const char* key) {
            const config::Member* member = value.find(object);
            return member != nullptr && (*key == '\0' || member->value.find(key) != nullptr);
        };
        const config::Member* format = value.find("format");
        return format != nullptr && format->value.kind == config::Value::Kind::integer && format->value.integer >= 1 &&
               has("name", "") && has("seed", "") && has("data", "task") && has("model", "type") && has("optimizer", "type") &&
               has("schedule", "type") && has("train", "steps") && has("train", "shards");
    } catch (const Error&) {
        return false;
    }
}

std::string RunFolder::not_ours() const {
    const Kind kind = kind_of(config());
    if (kind != Kind::file)
        return kind == Kind::missing ? "config.json is missing" : fmt::format("config.json is {}", kind_name(kind));
    return is_written_config(config()) ? "" : "config.json is none that attend train wrote";
}

void RunFolder::check_kinds() const {
    for (const fs::path& path : {config(), metrics(), summary(), log(), samples(), bundle(), lab(), report()}) {
        const Kind kind = kind_of(path);
        require(kind == Kind::missing || kind == Kind::file || kind == Kind::link,
                "{}: {} stands where a file of the run is needed; move it or give another --out", path.string(),
                kind_name(kind));
    }
    for (const fs::path& path : {vocabulary(), maps(), checkpoints()})
        if (kind_of(path) != Kind::link)
            require_folder(path);
    for (const fs::path& path : {last(), best()}) {
        const Kind kind = kind_of(path);
        require(
            kind == Kind::missing || kind == Kind::link,
            "{}: {} stands where a link to a checkpoint is needed; where it is a copy of one, remove it, and link to the one "
            "that it is a copy of: ln -s step-N {}",
            path.string(), kind_name(kind), shell_word(path.string()));
    }
}

void RunFolder::remove_contents() const {
    std::vector<fs::path> folders;
    if (kind_of(checkpoints()) == Kind::folder)
        folders = checkpoint_folders(checkpoints());
    for (const fs::path& path : contents())
        if (path != config())
            remove_or_throw(path);
    for (const fs::path& folder : {vocabulary(), maps(), checkpoints()}) folders.push_back(folder);
    for (const fs::path& folder : folders) remove_empty_folder(folder);
    // The config last: it is the mark of a run, by which one that is killed before here can be begun again.
    synchronise_folder(root_);
    remove_or_throw(config());
}

void RunFolder::remove_abandoned() const {
    remove_abandoned_files(root_, Guard::lock);
    for (const fs::path& folder : {vocabulary(), maps(), checkpoints()}) {
        if (kind_of(folder) != Kind::folder)
            continue;
        remove_abandoned_files(folder, Guard::lock);
        for (const fs::path& half : abandoned_folders(folder)) {
            remove_abandoned_files(half, Guard::lock);
            (void)!remove_checkpoint(half);  // what cannot be removed does no harm
        }
    }
}

}  // namespace attend::ATTEND_PRECISION
