#include "core/base/own_files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/system_call.h"

namespace attend {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view partial_mark = ".attend-partial-";

// Numbers of names in this process go up from a time, so that those of an earlier process with the
// same id were lower.
const uint64_t first_number = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
std::atomic<uint64_t> next_number{first_number};

template <class T>
std::optional<T> number_in(std::string_view text) {
    T number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// The kind of what is at a path, and 0 or the system's error number.
std::pair<Kind, int> look_at(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return {Kind::missing, errno == ENOENT || errno == ENOTDIR ? 0 : errno};
    return {S_ISREG(status.st_mode)   ? Kind::file
            : S_ISDIR(status.st_mode) ? Kind::folder
            : S_ISLNK(status.st_mode) ? Kind::link
                                      : Kind::other,
            0};
}

// A process that has ended but whose parent has not asked for it yet (state Z in proc(5)) writes
// nothing more.
bool is_alive(pid_t process) {
    if (::kill(process, 0) != 0 && errno == ESRCH)
        return false;
    std::ifstream in(fmt::format("/proc/{}/stat", process));
    std::string text;
    std::getline(in, text);
    const std::size_t name_end = text.rfind(") ");
    return name_end == std::string::npos || (text[name_end + 2] != 'Z' && text[name_end + 2] != 'X');
}

}  // namespace

Kind kind_of(const fs::path& path) {
    const auto [kind, code] = look_at(path);
    if (code != 0)
        fail_to_write(path, "cannot be looked at", code);
    return kind;
}

const char* kind_name(Kind kind) {
    constexpr const char* names[] = {"nothing", "a file", "a folder", "a link", "a pipe, a socket or a device"};
    return names[static_cast<std::size_t>(kind)];
}

fs::path partial_path(const fs::path& path) {
    return path.parent_path() /
           fmt::format(".{}{}{}-{}", path.filename().string(), partial_mark, ::getpid(), next_number.fetch_add(1));
}

std::string abandoned_name(std::string_view name) {
    const std::size_t mark = name.rfind(partial_mark);
    if (!name.starts_with('.') || mark == std::string_view::npos || mark < 2)
        return {};
    const std::string_view numbers = name.substr(mark + partial_mark.size());
    const std::size_t dash = std::min(numbers.find('-'), numbers.size());
    const std::optional<pid_t> process = number_in<pid_t>(numbers.substr(0, dash));
    const std::optional<uint64_t> number = number_in<uint64_t>(numbers.substr(std::min(dash + 1, numbers.size())));
    if (!process || *process <= 0 || !number)
        return {};
    const bool ours = *process == ::getpid() && *number >= first_number && *number < next_number.load();
    const bool in_use = ours || (*process != ::getpid() && is_alive(*process));
    return in_use ? std::string() : std::string(name.substr(1, mark - 1));
}

void require_folder(const fs::path& path) {
    const Kind kind = kind_of(path);
    std::error_code ignored;
    require(
        kind != Kind::link,
        "{}: there is a link where a folder is needed: it leads to {}; put the folder itself there, or make the run's whole "
        "folder the link",
        path.string(), fs::read_symlink(path, ignored).string());
    require(kind == Kind::missing || kind == Kind::folder,
            "{}: there is {} where a folder is needed; move it or give another --out", path.string(), kind_name(kind));
}

void make_folder(const fs::path& path) {
    if (::mkdir(path.c_str(), 0777) == 0)
        return;
    const int code = errno;
    if (code != EEXIST)
        fail_to_write(path, "the folder cannot be made", code);
    require_folder(path);
}

int remove_file(const fs::path& path) {
    const auto [kind, code] = look_at(path);
    if (kind != Kind::file && kind != Kind::link)
        return code;
    return ::unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

int remove_empty_folder(const fs::path& path) {
    const auto [kind, code] = look_at(path);
    if (kind != Kind::folder || ::rmdir(path.c_str()) == 0)
        return code;
    return errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST ? 0 : errno;
}

void remove_abandoned_files(const fs::path& folder, Guard guard) {
    const auto is_old = [](const fs::path& path) {
        std::error_code unknown;
        const fs::file_time_type written = fs::last_write_time(path, unknown);
        return !unknown && fs::file_time_type::clock::now() - written > std::chrono::hours(24);
    };
    std::vector<fs::path> found;
    std::error_code error;  // no folder, no files
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (!abandoned_name(entry->path().filename().string()).empty() && (guard == Guard::lock || is_old(entry->path())))
            found.push_back(entry->path());
    for (const fs::path& path : found) remove_file(path);  // what cannot be removed does no harm
}

int synchronise(int descriptor) {
    return uninterrupted([&] { return ::fsync(descriptor); }) == 0 ? 0 : errno;
}

void synchronise_folder(const fs::path& folder) {
    const Descriptor opened(uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (opened.get() < 0)
        return;  // a folder that may be written but not read: nothing to do
    const int code = synchronise(opened.get());
    ensure(code == 0 || code == EINVAL || code == ENOTSUP, "{}: cannot be brought to the disk: {}", folder.string(),
           reason_of(code));
}

}  // namespace attend
