#include "train/records/run_checkpoints.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/files.h"
#include "core/base/own_files.h"
#include "train/records/checkpoint.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

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

std::string linked_checkpoint(const fs::path& link) {
    std::error_code error;
    const fs::path target = fs::read_symlink(link, error);
    return error ? std::string() : target.filename().string();
}

}  // namespace attend::ATTEND_PRECISION
