#include "train/records/run_contents.h"

#include <algorithm>
#include <charconv>
#include <ranges>

#include "core/base/files.h"
#include "core/base/own_files.h"
#include "data/pair_task.h"
#include "data/tasks/classification.h"
#include "data/text/tokenizer.h"
#include "train/config/document.h"
#include "train/records/older_checkpoints.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* vocabulary_files[] = {source_vocabulary_file, target_vocabulary_file, tokenizer_file, labels_file};

// N of a name "BEGIN N END" as we write it, without leading zeros but those of event files; none
// for any other name.
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

// What stands directly in a run's folder, besides config.json and the event files.
std::vector<fs::path> files_of(const RunFolder& run) {
    return {run.metrics(),          run.summary(), run.log(),    run.samples(),
            run.bundle(),           run.lab(),     run.report(), run.scores(Split::valid),
            run.scores(Split::test)};
}
std::vector<fs::path> folders_of(const RunFolder& run) { return {run.vocabulary(), run.maps(), run.checkpoints()}; }

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

// The folders in checkpoints/ that hold a checkpoint of a run or what is left of one, or an average
// of several. A copy of one under a name that its user gave is the user's.
std::vector<fs::path> checkpoint_folders(const fs::path& checkpoints) {
    std::vector<fs::path> found;
    for (const fs::path& folder : folders_in(checkpoints))
        if (number_between(folder.filename().string(), step_begin, "") || is_average(folder))
            found.push_back(folder);
    return found;
}

}  // namespace

void remove_or_throw(const fs::path& path) {
    const int code = remove_file(path);
    ensure(code == 0, "{}: cannot be removed: {}", path.string(), reason_of(code));
}

std::vector<std::pair<int64_t, fs::path>> numbered_files(const fs::path& folder, std::string_view begin, std::string_view end) {
    std::vector<std::pair<int64_t, fs::path>> found;
    std::error_code error;  // no folder, no files
    for (fs::directory_iterator entry(folder, error), stop; !error && entry != stop; entry.increment(error))
        if (const auto number = number_between(entry->path().filename().string(), begin, end))
            found.emplace_back(*number, entry->path());
    std::sort(found.begin(), found.end());
    return found;
}

int remove_checkpoint(const fs::path& folder) {
    // state.json first: without it nobody takes it for a checkpoint
    for (const char* name : std::views::reverse(checkpoint_files))
        if (const int code = remove_file(folder / name); code != 0)
            return code;
    return remove_empty_folder(folder);
}

std::vector<fs::path> vocabulary_contents(const RunFolder& run) {
    std::vector<fs::path> found;
    for (const char* name : vocabulary_files)
        if (is_file_or_link(run.vocabulary() / name))
            found.push_back(run.vocabulary() / name);
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<fs::path> contents_of(const RunFolder& run) {
    std::vector<fs::path> all = run.events();
    for (const fs::path& path : files_of(run)) all.push_back(path);
    for (const fs::path& folder : folders_of(run))
        if (kind_of(folder) == Kind::link)
            all.push_back(folder);  // nothing that it leads to is ours
    if (kind_of(run.vocabulary()) == Kind::folder)
        for (const fs::path& path : vocabulary_contents(run)) all.push_back(path);
    if (kind_of(run.maps()) == Kind::folder)
        for (const auto& [step, path] : numbered_files(run.maps(), step_begin, map_end)) all.push_back(path);
    if (kind_of(run.checkpoints()) == Kind::folder) {
        for (const fs::path& path : {run.last(), run.best()}) all.push_back(path);
        for (const auto& [step, path] : numbered_files(run.checkpoints(), step_begin, ""))
            if (kind_of(path) == Kind::link)
                all.push_back(path);
        for (const fs::path& folder : checkpoint_folders(run.checkpoints()))
            for (const char* name : checkpoint_files) all.push_back(folder / name);
    }
    all.push_back(run.config());
    std::erase_if(all, [](const fs::path& path) { return !is_file_or_link(path); });
    return all;
}

std::string found_of_others(const RunFolder& run) {
    for (const fs::path& folder : folders_of(run)) {
        std::error_code error;
        for (fs::directory_iterator entry(folder, error), stop; !error && entry != stop; entry.increment(error))
            if (abandoned_name(entry->path().filename().string()).empty())
                return entry->path().lexically_relative(run.root()).string();
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

void check_kinds(const RunFolder& run) {
    std::vector<fs::path> files = files_of(run);
    files.insert(files.begin(), run.config());
    for (const fs::path& path : files) {
        const Kind kind = kind_of(path);
        require(kind == Kind::missing || is_file_or_link(path),
                "{}: {} stands where a file of the run is needed; move it or give another --out", path.string(),
                kind_name(kind));
    }
    for (const fs::path& path : folders_of(run))
        if (kind_of(path) != Kind::link)
            require_folder(path);
    for (const fs::path& path : {run.last(), run.best()}) {
        const Kind kind = kind_of(path);
        require(
            kind == Kind::missing || kind == Kind::link,
            "{}: {} stands where a link to a checkpoint is needed; where it is a copy of one, remove it, and link to the one "
            "that it is a copy of: ln -s step-N {}",
            path.string(), kind_name(kind), shell_word(path.string()));
    }
}

void remove_contents(const RunFolder& run) {
    std::vector<fs::path> folders;
    if (kind_of(run.checkpoints()) == Kind::folder)
        folders = checkpoint_folders(run.checkpoints());
    for (const fs::path& path : contents_of(run))
        if (path != run.config())
            remove_or_throw(path);
    for (const fs::path& folder : folders_of(run)) folders.push_back(folder);
    for (const fs::path& folder : folders) remove_empty_folder(folder);
    // The config last: it is the mark of a run, by which one that is killed before here can be
    // begun again.
    synchronise_folder(run.root());
    remove_or_throw(run.config());
}

void remove_abandoned(const RunFolder& run) {
    remove_abandoned_files(run.root(), Guard::lock);
    for (const fs::path& folder : folders_of(run)) {
        if (kind_of(folder) != Kind::folder)
            continue;
        remove_abandoned_files(folder, Guard::lock);
        for (const fs::path& half : folders_in(folder)) {
            if (abandoned_name(half.filename().string()).empty())
                continue;
            remove_abandoned_files(half, Guard::lock);
            (void)!remove_checkpoint(half);  // what cannot be removed does no harm
        }
    }
}

}  // namespace attend::ATTEND_PRECISION
