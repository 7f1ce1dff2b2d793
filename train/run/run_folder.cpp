#include "train/run/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/files.h"
#include "data/text/json_text.h"
#include "train/config/document.h"
#include "train/config/reader.h"
#include "train/config/writer.h"

namespace attend::inline ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* samples_mark = "== step ";
constexpr std::string_view events_begin = "events.out.tfevents.", events_end = ".attend";
constexpr std::size_t largest_record = std::size_t{1} << 32;

void erase(const fs::path& path) {
    std::error_code error;
    fs::remove_all(path, error);
    ensure(!error, "{}: cannot be removed: {}", path.string(), error.message());
}

// The step that a link `last` or `best` points to, as "step-N"; "" where there is no link.
std::string target_of(const fs::path& link) {
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    return error ? std::string() : target.filename().string();
}

// SECONDS of the name of an event file of ours; none for any other name.
std::optional<int64_t> events_number(std::string_view name) {
    if (!name.starts_with(events_begin) || !name.ends_with(events_end) ||
        name.size() <= events_begin.size() + events_end.size())
        return {};
    name = name.substr(events_begin.size(), name.size() - events_begin.size() - events_end.size());
    int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && end == name.data() + name.size() && number >= 0 ? std::optional(number) : std::nullopt;
}

// Keeps the lines for which `keep` says so; the file is only written when that changes it.
void filter_lines(const fs::path& path, FunctionRef<bool(std::string_view line, int64_t number)> keep) {
    if (!fs::exists(path))
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

fs::path RunFolder::step(int64_t step) const { return checkpoints() / fmt::format("step-{}", step); }

std::vector<fs::path> RunFolder::contents() const {
    std::vector<fs::path> all = events();
    for (const fs::path& path :
         {metrics(), summary(), log(), samples(), vocabulary(), bundle(), maps(), checkpoints(), report(), config()})
        all.push_back(path);
    return all;
}

std::vector<fs::path> RunFolder::events() const {
    std::vector<fs::path> found;
    std::error_code error;  // no folder, no files
    for (fs::directory_iterator entry(root_, error), end; !error && entry != end; entry.increment(error))
        if (events_number(entry->path().filename().string()))
            found.push_back(entry->path());
    std::sort(found.begin(), found.end());
    return found;
}

fs::path RunFolder::new_events(int64_t now) const {
    for (const fs::path& path : events()) now = std::max(now, *events_number(path.filename().string()) + 1);
    return root_ / fmt::format("{}{:010}{}", events_begin, now, events_end);
}

std::string RunFolder::found() const {
    for (const fs::path& path : contents())
        if (fs::exists(fs::symlink_status(path)))
            return path.filename().string();
    return {};
}

void RunFolder::check(Existing existing) const {
    std::error_code error;
    const fs::file_status status = fs::status(root_, error);
    require(!error || !fs::status_known(status) || status.type() == fs::file_type::not_found, "{}: cannot be looked at: {}",
            root_.string(), error.message());
    require(!fs::exists(status) || fs::is_directory(status), "{}: a run needs a folder: there is a file of that name",
            root_.string());
    if (existing == Existing::refuse)
        require(found().empty(),
                "{}: there is a run in this folder: found {}; use --resume to go on, --overwrite to start anew", root_.string(),
                found());
    if (existing == Existing::resume)
        require(fs::exists(config()), "{}: there is no run to resume: no config.json in it; leave out --resume",
                root_.string());
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
    return RunLock(root_);
}

void RunFolder::prepare_new() const {
    make();
    for (const fs::path& path : contents()) erase(path);  // the config last: a run is there until all else has gone
}

Experiment RunFolder::experiment() const {
    require(fs::exists(config()), "{}: no run in this folder: config.json is missing", root_.string());
    return config::read<Experiment>(config::load(config().string()));
}

void RunFolder::write_config(const Experiment& experiment) const { write_file_atomically(config(), config::write(experiment)); }

std::string RunFolder::vocabulary_seal() const {
    std::vector<fs::path> files;
    if (fs::is_directory(vocabulary()))
        for (const auto& entry : fs::directory_iterator(vocabulary())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::string seal;
    for (const fs::path& file : files) {
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

void RunFolder::link(const fs::path& name, int64_t at) const {
    if (target_of(name) == step(at).filename().string())
        return;
    const fs::path fresh = checkpoints() / ("." + name.filename().string() + ".new");
    erase(fresh);
    std::error_code error;
    fs::create_symlink(step(at).filename(), fresh, error);
    ensure(!error, "{}: a link cannot be made: {}", fresh.string(), error.message());
    fs::rename(fresh, name, error);
    ensure(!error, "{}: a link cannot be replaced: {}", name.string(), error.message());
}

void RunFolder::link_last(int64_t step) const { link(last(), step); }
void RunFolder::link_best(int64_t step) const { link(best(), step); }

std::vector<fs::path> RunFolder::steps() const {
    std::vector<std::pair<int64_t, fs::path>> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(checkpoints())) {
        const std::string name = entry.path().filename().string(), number = name.substr(std::min<std::size_t>(5, name.size()));
        if (name.starts_with("step-") && !number.empty() && number.find_first_not_of("0123456789") == std::string::npos)
            found.emplace_back(std::strtoll(number.c_str(), nullptr, 10), entry.path());
    }
    std::sort(found.begin(), found.end());
    std::vector<fs::path> paths;
    paths.reserve(found.size());
    for (auto& [number, path] : found) paths.push_back(std::move(path));
    return paths;
}

void RunFolder::remove_unlinked_steps(int64_t keep) const {
    const std::string last_step = target_of(last()), best_step = target_of(best());
    std::vector<fs::path> old, unlinked;
    for (const fs::path& path : steps())
        if (path.filename() != last_step && path.filename() != best_step)
            unlinked.push_back(path);
    for (std::size_t i = 0; static_cast<int64_t>(unlinked.size() - i) > keep; ++i) old.push_back(unlinked[i]);
    for (const fs::directory_entry& entry : fs::directory_iterator(checkpoints()))  // what was left half written
        if (entry.path().filename().string().starts_with("."))
            old.push_back(entry.path());
    for (const fs::path& path : old) erase(path);
}

void RunFolder::save(const Checkpointed& trained, const Progressed& progressed) const {
    const fs::path to = step(progressed.step), fresh = checkpoints() / fmt::format(".step-{}", progressed.step);
    erase(fresh);
    save_checkpoint(fresh, trained, progressed);
    erase(to);  // of an earlier life of this run; no link points there
    std::error_code error;
    fs::rename(fresh, to, error);
    ensure(!error, "{}: a checkpoint cannot be put in its place: {}", to.string(), error.message());
}

void RunFolder::cut_back(int64_t step, int64_t valid_step) const {
    filter_lines(metrics(), [&](std::string_view line, int64_t number) {
        const Json json = parse_json<Json>(fmt::format("{}:{}", metrics().string(), number), line);
        const bool good =
            json.is_object() && json.contains("step") && json["step"].is_number_integer() && json.contains("split");
        require(good, "{}:{}: not a line of metrics: an object with 'step' and 'split' was expected", metrics().string(),
                number);
        const auto at = json["step"].get<int64_t>();
        return (json["split"] == "train" && at <= step) || (json["split"] == "valid" && at <= valid_step);
    });
    bool keep = true;
    filter_lines(samples(), [&](std::string_view line, int64_t) {
        if (line.starts_with(samples_mark))
            keep = line.find("  attention of ") == std::string_view::npos &&  // drawn at the end of a run, which comes again
                   std::strtoll(std::string(line.substr(std::strlen(samples_mark))).c_str(), nullptr, 10) <= valid_step;
        return keep;
    });
}

void RunFolder::write_summary(const Json& summary_json) const { write_file_atomically(summary(), summary_json.dump(1) + "\n"); }

LineFile::LineFile(fs::path path) : path_(std::move(path)) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const int code = errno;
    if (file_ < 0)
        fail_to_write(path_, "cannot be opened for writing", code);
}
LineFile::~LineFile() { ::close(file_); }

void LineFile::append(const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t n = ::write(file_, text.data() + done, text.size() - done);
        const int code = errno;
        if (n < 0 && code == EINTR)
            continue;
        ensure(n >= 0, "{}: cannot be written: {} of {} bytes done, {}", path_.string(), done, text.size(),
               std::strerror(code));
        done += static_cast<std::size_t>(n);
    }
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
    fail("{}: the run has no checkpoint yet: neither {} nor {} is there", path.string(), run.best().string(),
         run.last().string());
}

}  // namespace attend::inline ATTEND_PRECISION
