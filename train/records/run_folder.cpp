#include "train/records/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ranges>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/own_files.h"
#include "train/config/document.h"
#include "train/config/reader.h"
#include "train/config/writer.h"
#include "train/experiment/assemble.h"
#include "train/records/example_scores.h"
#include "train/records/record_reader.h"
#include "train/records/run_contents.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* samples_mark = "== step ";
constexpr std::size_t largest_record = std::size_t{1} << 32;

// A run of the comparison in this folder, or of one of its variants, as "soft/seed-1"; "" where there is none.
std::string run_below(const fs::path& folder) {
    std::vector<std::string> all;
    for (const fs::directory_entry& e : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied))
        if (e.path().filename() == "config.json" && e.path().parent_path().filename().string().starts_with("seed-"))
            all.push_back(e.path().parent_path().lexically_relative(folder).string());
    return all.empty() ? "" : *std::ranges::min_element(all);
}

// A comparison's folder (train/study/compare/folder.h) has several runs, so it says which to name.
void require_run(const RunFolder& run) {
    if (is_there(run.config()))
        return;
    const fs::path& root = run.root();
    const bool comparison = is_there(root / "comparison.json") || is_there(root / "compare.json"),
               variant = is_there(root / "variant.json");
    if (!comparison && !variant)
        fail("{}: no run in this folder: config.json is missing", root.string());
    const std::string below = run_below(root);
    fail("{}: this is the folder of {}, which has several runs: name one of them, {}{}", root.string(),
         comparison ? "a comparison" : "a variant of a comparison",
         (root / (comparison ? "VARIANT/seed-N" : "seed-N")).string(),
         below.empty() ? "" : fmt::format(", as {}", (root / below).string()));
}

// Keeps the lines for which `keep` says so; the file is only written when that changes it.
void filter_lines(const fs::path& path, FunctionRef<bool(std::string_view line, int64_t number)> keep) {
    if (!fs::is_regular_file(path))
        return;
    const std::string text = read_file(path, largest_record);
    std::string kept;
    int64_t number = 0;
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const std::string_view line(text.data() + begin, end - begin);
        if (keep(line, ++number))
            kept.append(line).push_back('\n');
    }
    if (kept != text)
        write_file_atomically(path, kept);
}

int rename_to(const fs::path& from, const fs::path& to) { return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno; }

// Where somebody keeps files of theirs in step-N, ours go beside them one by one: state.json, which
// makes it a checkpoint, last.
int move_into(const fs::path& from, const fs::path& to) {
    for (const char* name : checkpoint_files) {
        if (kind_of(from / name) == Kind::missing)
            continue;
        if (const int code = rename_to(from / name, to / name); code != 0)
            return code;
    }
    synchronise_folder(to);
    return remove_empty_folder(from);
}

// Renames a checkpoint's folder to `to`, in place of the checkpoint or the link there; where other
// people's files are in it, they stay, and the checkpoint's come beside them. Throws MachineError
// when that fails.
void put_checkpoint_in_place(const fs::path& from, const fs::path& to) {
    int code = kind_of(to) == Kind::link ? remove_file(to) : remove_checkpoint(to);
    ensure(code == 0, "{}: cannot be removed: {}", to.string(), std::strerror(code));
    code = rename_to(from, to);
    if (code == ENOTEMPTY || code == EEXIST)
        code = move_into(from, to);
    ensure(code == 0, "{}: a checkpoint cannot be put in its place: {}", to.string(), std::strerror(code));
    synchronise_folder(to.parent_path());
}

// Makes `name` a link to `checkpoint` beside it by renaming a new link over it, and brings it to
// the disk. Throws MachineError when the file system refuses.
void link_to_checkpoint(const fs::path& name, const fs::path& checkpoint) {
    const fs::path target = checkpoint.filename();
    std::error_code error;
    if (fs::read_symlink(name, error) == target)
        return;
    const fs::path fresh = partial_path(name);
    fs::create_symlink(target, fresh, error);
    ensure(!error, "{}: a link cannot be made: {}", fresh.string(), error.message());
    const int code = rename_to(fresh, name);
    if (code != 0)
        remove_file(fresh);
    ensure(code == 0, "{}: a link cannot be replaced: {}", name.string(), std::strerror(code));
    synchronise_folder(name.parent_path());
}

// The name of the checkpoint that a link points to, "step-N"; "" where there is no link.
std::string linked_checkpoint(const fs::path& link) {
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    return error ? std::string() : target.filename().string();
}

}  // namespace

const char* status_name(Status status) {
    switch (status) {
        case Status::finished:
            return "finished";
        case Status::stopped:
            return "stopped";
        default:
            return "diverged";
    }
}

void RunFolder::check(Existing existing) const {
    require(!is_there(root_) || is_folder(root_), "{}: a run needs a folder: there is a file of that name", root_.string());
    check_kinds(*this);
    if (existing == Existing::resume) {
        require(fs::is_regular_file(config()), "{}: there is no run to resume: no config.json in it; leave out --resume",
                root_.string());
        for (const fs::path& folder : {checkpoints(), maps()}) require_folder(folder);
        // Without a checkpoint it begins again, in the place of all that is there.
        require(has_checkpoint() || !steps().empty() || not_ours().empty(),
                "{}: no run of this program to resume: {}; nothing is changed: leave out --resume, or give another --out",
                root_.string(), not_ours());
        return;
    }
    const std::string there = found(), why = not_ours();
    if (there.empty()) {
        const std::string others = existing == Existing::overwrite ? found_of_others(*this) : std::string();
        require(
            others.empty(),
            "{}: no run of this program to overwrite: found {}, and {}; nothing is removed: leave out --overwrite to begin a "
            "run beside it, or give another --out",
            root_.string(), others, why);
        return;
    }
    require(
        why.empty(),
        "{}: files of the names that a run writes, and no run that this program made: found {}, and {}; nothing is removed: "
        "move them or give another --out",
        root_.string(), there, why);
    require(existing == Existing::overwrite,
            "{}: there is a run in this folder: found {}; use --resume to continue, --overwrite to start again", root_.string(),
            there);
}

void RunFolder::make() const {
    std::error_code error;
    fs::create_directories(root_, error);
    if (error)
        fail_to_write(root_, "the run's folder cannot be made", error.value());
    if (::access(root_.c_str(), W_OK | X_OK) != 0) {
        const int code = errno;  // before anything else can change it
        fail_to_write(root_, "the run's folder cannot be written to", code);
    }
}

RunLock RunFolder::lock() const {
    make();
    RunLock lock(root_);
    remove_abandoned(*this);
    return lock;
}

RunLock RunFolder::lock_to_resume() const {
    RunLock held = lock();
    link_missing_last();
    return held;
}

void RunFolder::link_missing_last() const {
    if (kind_of(last()) != Kind::missing)
        return;
    const std::vector<std::pair<int64_t, fs::path>> folders = step_folders();
    for (auto step = folders.rbegin(); step != folders.rend(); ++step)
        if (is_complete_checkpoint(step->second))
            return link_last(step->first);
    const std::vector<fs::path> all = steps();
    require(all.empty(),
            "{}: no link to the checkpoint to continue from, and none is complete: checkpoints {}, the last of them {}; "
            "--overwrite "
            "starts again",
            last().string(), all.size(), all.empty() ? "" : all.back().filename().string());
}

void RunFolder::prepare_new() const {
    make();
    remove_contents(*this);
}

Experiment RunFolder::experiment() const {
    require_run(*this);
    require(is_regular(config()), "{}: the config of a run is a file: it is {}", config().string(),
            is_folder(config()) ? "a folder" : "a pipe or a device");
    return config::read<Experiment>(config::load(config().string()));
}

void RunFolder::write_config(const Experiment& experiment) const { write_file_atomically(config(), config::write(experiment)); }

bool RunFolder::restore_config(const Experiment& experiment) const {
    const std::string text = config::write(experiment);
    if (kind_of(config()) == Kind::file && read_file(config(), std::max(text.size(), std::size_t{1} << 24)) == text)
        return false;
    write_file_atomically(config(), text);
    return true;
}

std::vector<fs::path> RunFolder::events() const {
    std::vector<fs::path> found;
    for (auto& [number, path] : numbered_files(root_, events_begin, events_end)) found.push_back(std::move(path));
    std::sort(found.begin(), found.end());
    return found;
}

fs::path RunFolder::new_events(int64_t now) const {
    for (const auto& [number, path] : numbered_files(root_, events_begin, events_end)) now = std::max(now, number + 1);
    return root_ / fmt::format("{}{:010}{}", events_begin, now, events_end);
}

std::vector<std::pair<int64_t, fs::path>> RunFolder::step_folders() const {
    std::vector<std::pair<int64_t, fs::path>> found = numbered_files(checkpoints(), step_begin, "");
    std::erase_if(found, [](const auto& step) { return kind_of(step.second) != Kind::folder; });
    return found;
}

std::string RunFolder::found() const {
    const std::vector<fs::path> all = contents_of(*this);
    return all.empty() ? std::string() : all.front().lexically_relative(root_).string();
}

std::string RunFolder::not_ours() const {
    const Kind kind = kind_of(config());
    if (kind != Kind::file)
        return kind == Kind::missing ? "config.json is missing" : fmt::format("config.json is {}", kind_name(kind));
    return is_written_config(config()) ? "" : "config.json is none that attend train wrote";
}

std::string RunFolder::vocabulary_seal() const { return seal_of(vocabulary_contents(*this)); }

void RunFolder::check_vocabulary(const std::string& seal) const {
    const std::string found = vocabulary_seal();
    require(found == seal, "{}: not the vocabulary that this run was trained with: files [{}], the checkpoint says [{}]",
            vocabulary().string(), found, seal);
}

void RunFolder::cut_back(int64_t step, int64_t valid_step) const {
    remove_or_throw(scores(Split::test));
    if (step_of_scores(scores(Split::valid)).value_or(valid_step + 1) > valid_step)
        remove_or_throw(scores(Split::valid));
    filter_lines(metrics(), [&](std::string_view line, int64_t number) {
        const auto record = RecordReader::of_text(fmt::format("{}:{}", metrics().string(), number), std::string(line));
        const std::string split = record.text("split");
        const int64_t at = record.integer("step");
        return (split == "train" && at <= step) || (split == "valid" && at <= valid_step);
    });
    bool keep = true;
    filter_lines(samples(), [&](std::string_view line, int64_t) {
        if (line.starts_with(samples_mark))
            keep = line.find("  attention of ") == std::string_view::npos &&  // drawn at the end of a run, which comes again
                   std::strtoll(std::string(line.substr(std::strlen(samples_mark))).c_str(), nullptr, 10) <= valid_step;
        return keep;
    });
}

fs::path RunFolder::scores(Split split) const { return root_ / fmt::format("{}_scores.jsonl", split_name(split)); }

void RunFolder::write_summary(const RecordWriter& record) const { write_file_atomically(summary(), record.text(1) + "\n"); }

void RunFolder::remove_summary() const { remove_or_throw(summary()); }

fs::path RunFolder::step(int64_t step) const { return checkpoints() / fmt::format("step-{}", step); }

void RunFolder::link_last(int64_t step) const { link_to_checkpoint(last(), this->step(step)); }
void RunFolder::link_best(int64_t step) const { link_to_checkpoint(best(), this->step(step)); }

std::vector<fs::path> RunFolder::steps() const {
    std::vector<fs::path> paths;
    std::error_code closed;  // then it is no checkpoint for us
    for (const auto& [number, path] : step_folders())
        if (fs::exists(fs::symlink_status(path / checkpoint_files[std::size(checkpoint_files) - 1], closed)))
            paths.push_back(path);
    return paths;
}

std::vector<NotRemoved> RunFolder::remove_unlinked_steps(int64_t keep) const {
    const std::string last_step = linked_checkpoint(last()), best_step = linked_checkpoint(best());
    const std::vector<fs::path> complete = steps();
    std::vector<NotRemoved> left;
    int64_t kept = 0;
    const std::vector<std::pair<int64_t, fs::path>> all = step_folders();
    for (const auto& [number, path] : std::views::reverse(all)) {
        if (path.filename() == last_step || path.filename() == best_step)
            continue;
        if (std::ranges::find(complete, path) != complete.end() && kept < keep)
            ++kept;
        else if (const int code = remove_checkpoint(path); code != 0)
            left.push_back({path, std::strerror(code)});
    }
    return left;
}

void RunFolder::save(const Checkpointed& trained, const Progressed& progressed) const {
    make_folder(checkpoints());
    const fs::path to = step(progressed.step), fresh = partial_path(to);
    try {
        save_checkpoint(fresh, trained, progressed);
        put_checkpoint_in_place(fresh, to);
    } catch (...) {
        (void)!remove_checkpoint(fresh);
        throw;
    }
}

void RunFolder::cut_back_checkpoints(const Progressed& progressed) const {
    if (progressed.best && fs::exists(step(progressed.best->step)))
        link_best(progressed.best->step);  // the run may have been killed between the two links
    else if (const int code = remove_file(best()); code != 0)
        fail_to_write(best(), "a link cannot be removed", code);
    for (const auto& [number, path] : step_folders())
        if (number > progressed.step)
            if (const int code = remove_checkpoint(path); code != 0)
                fail_to_write(path, "a later checkpoint, which the run will make again, cannot be removed", code);
}

RunAndCheckpoint find_run(const fs::path& path) {
    require(fs::exists(path), "{}: no such run: nothing of that name", path.string());
    require(fs::is_directory(path), "{}: a run is a folder: this is a file", path.string());
    if (fs::exists(path / "state.json") && !fs::exists(path / "config.json")) {
        // A checkpoint: RUN/checkpoints/NAME. NAME may be a link, so its parent is taken from the
        // path as given.
        const RunFolder run(fs::absolute(path / "").parent_path().parent_path().parent_path());
        require(fs::exists(run.config()), "{}: a checkpoint outside of its run: config.json is missing, looked for in {}",
                path.string(), run.root().string());
        return {run, path};
    }
    const RunFolder run(path);
    require_run(run);
    for (const fs::path& checkpoint : {run.best(), run.last()})
        if (fs::exists(fs::symlink_status(checkpoint)))
            return {run, checkpoint};
    const std::vector<fs::path> steps = run.steps();
    fail("{}: the run has no checkpoint yet: neither {} nor {} is there{}", path.string(), run.best().string(),
         run.last().string(),
         steps.empty() ? ""
                       : fmt::format("; checkpoints without a link: {}, the newest {}", steps.size(), steps.back().string()));
}

}  // namespace attend::ATTEND_PRECISION
