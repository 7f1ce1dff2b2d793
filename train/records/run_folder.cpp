#include "train/records/run_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/own_files.h"
#include "train/config/document.h"
#include "train/config/reader.h"
#include "train/config/writer.h"
#include "train/records/record_reader.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* samples_mark = "== step ";
constexpr std::size_t largest_record = std::size_t{1} << 32;

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

}  // namespace

const char* status_name(Status status) {
    switch (status) {
        case Status::finished:
            return "finished";
        case Status::stopped:
            return "stopped";
        case Status::diverged:
            return "diverged";
    }
    return "";
}

void RunFolder::check(Existing existing) const {
    require(!is_there(root_) || is_folder(root_), "{}: a run needs a folder: there is a file of that name", root_.string());
    check_kinds();
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
        const std::string others = existing == Existing::overwrite ? found_of_others() : std::string();
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
            "{}: there is a run in this folder: found {}; use --resume to go on, --overwrite to start anew", root_.string(),
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
    remove_abandoned();
    return lock;
}

RunLock RunFolder::lock_to_resume() const {
    RunLock held = lock();
    link_missing_last();
    return held;
}

void RunFolder::prepare_new() const {
    make();
    remove_contents();
}

Experiment RunFolder::experiment() const {
    require(is_there(config()), "{}: no run in this folder: config.json is missing", root_.string());
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

std::string RunFolder::vocabulary_seal() const {
    std::string seal;
    for (const fs::path& file : vocabulary_contents()) {
        const WrittenFile f = crc32_of_file(file);
        seal += fmt::format("{}{} {} {:08x}", seal.empty() ? "" : ", ", file.filename().string(), f.bytes, f.crc32);
    }
    return seal;
}

void RunFolder::check_vocabulary(const std::string& seal) const {
    const std::string found = vocabulary_seal();
    require(found == seal, "{}: not the vocabulary that this run was trained with: files [{}], the checkpoint says [{}]",
            vocabulary().string(), found, seal);
}

void RunFolder::cut_back(int64_t step, int64_t valid_step) const {
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

void RunFolder::write_summary(const RecordWriter& record) const { write_file_atomically(summary(), record.text(1) + "\n"); }

void RunFolder::remove_summary() const {
    const int code = remove_file(summary());
    ensure(code == 0, "{}: cannot be removed: {}", summary().string(), std::generic_category().message(code));
}

RunAndCheckpoint find_run(const fs::path& path) {
    require(fs::exists(path), "{}: no such run: nothing of that name", path.string());
    require(fs::is_directory(path), "{}: a run is a folder: this is a file", path.string());
    if (fs::exists(path / "state.json") && !fs::exists(path / "config.json")) {
        // A checkpoint: RUN/checkpoints/NAME. NAME may be a link, so its parent is taken from the path as given.
        const RunFolder run(fs::absolute(path / "").parent_path().parent_path().parent_path());
        require(fs::exists(run.config()), "{}: a checkpoint outside of its run: config.json is missing, looked for in {}",
                path.string(), run.root().string());
        return {run, path};
    }
    const RunFolder run(path);
    require(fs::exists(run.config()), "{}: no run in this folder: config.json is missing", path.string());
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
