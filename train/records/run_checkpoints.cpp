// The checkpoints of a run: put in their place, linked to, removed.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/files.h"
#include "core/base/own_files.h"
#include "train/records/run_folder.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

// The step that a link `last` or `best` points to, as "step-N"; "" where there is no link.
std::string target_of(const fs::path& link) {
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    return error ? std::string() : target.filename().string();
}

int rename_to(const fs::path& from, const fs::path& to) { return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno; }

// Where somebody keeps files of theirs in step-N, ours go beside them one by one: state.json, which makes it a checkpoint,
// last.
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

}  // namespace

int remove_checkpoint(const fs::path& folder) {
    for (std::size_t i = std::size(checkpoint_files);
         i-- > 0;)  // state.json first: without it nobody takes it for a checkpoint
        if (const int code = remove_file(folder / checkpoint_files[i]); code != 0)
            return code;
    return remove_empty_folder(folder);
}

void put_checkpoint_in_place(const fs::path& from, const fs::path& to) {
    int code = kind_of(to) == Kind::link ? remove_file(to) : remove_checkpoint(to);
    ensure(code == 0, "{}: cannot be removed: {}", to.string(), std::strerror(code));
    code = rename_to(from, to);
    if (code == ENOTEMPTY || code == EEXIST)
        code = move_into(from, to);
    ensure(code == 0, "{}: a checkpoint cannot be put in its place: {}", to.string(), std::strerror(code));
    synchronise_folder(to.parent_path());
}

fs::path RunFolder::step(int64_t step) const { return checkpoints() / fmt::format("step-{}", step); }

void RunFolder::link(const fs::path& name, int64_t at) const {
    const fs::path target = step(at).filename();
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
    synchronise_folder(checkpoints());
}

void RunFolder::link_last(int64_t step) const { link(last(), step); }
void RunFolder::link_best(int64_t step) const { link(best(), step); }

void RunFolder::link_missing_last() const {
    if (kind_of(last()) != Kind::missing)
        return;
    const std::vector<fs::path> all = steps();
    for (std::size_t i = all.size(); i-- > 0;)
        if (is_whole_checkpoint(all[i])) {
            const std::string number = all[i].filename().string().substr(std::strlen("step-"));
            link_last(std::strtoll(number.c_str(), nullptr, 10));
            return;
        }
    require(all.empty(),
            "{}: no link to the checkpoint to go on from, and none is whole: checkpoints {}, the last of them {}; --overwrite "
            "starts anew",
            last().string(), all.size(), all.empty() ? "" : all.back().filename().string());
}

std::vector<fs::path> RunFolder::steps() const {
    std::vector<fs::path> paths;
    std::error_code closed;  // then it is no checkpoint for us
    for (const auto& [number, path] : step_folders())
        if (fs::exists(fs::symlink_status(path / checkpoint_files[std::size(checkpoint_files) - 1], closed)))
            paths.push_back(path);
    return paths;
}

std::vector<NotRemoved> RunFolder::remove_unlinked_steps(int64_t keep) const {
    const std::string last_step = target_of(last()), best_step = target_of(best());
    const std::vector<fs::path> whole = steps();
    std::vector<fs::path> old;
    int64_t kept = 0;
    const std::vector<std::pair<int64_t, fs::path>> all = step_folders();
    for (std::size_t i = all.size(); i-- > 0;) {
        const fs::path& path = all[i].second;
        if (path.filename() == last_step || path.filename() == best_step)
            continue;
        if (std::find(whole.begin(), whole.end(), path) != whole.end() && kept < keep)
            ++kept;
        else
            old.push_back(path);
    }
    std::vector<NotRemoved> left;
    for (const fs::path& path : old)
        if (const int code = remove_checkpoint(path); code != 0)
            left.push_back({path, std::strerror(code)});
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

}  // namespace attend::ATTEND_PRECISION
