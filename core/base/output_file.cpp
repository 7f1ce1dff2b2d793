#include "core/base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "core/base/files.h"
#include "core/base/system_call.h"

namespace attend {

namespace {
// A file is never replaced where a link points to an open descriptor: who opened it would go on
// with the old file.
struct Destination {
    std::filesystem::path file;  // at the end of all links
    Descriptor opened{};         // what is written into in place; none: `file` is replaced
};

// The number of a descriptor of this process that `path` names (/proc/self/fd/N); -1 for any other.
int own_descriptor(const std::filesystem::path& path) {
    std::error_code ignored;
    const std::filesystem::path folder = std::filesystem::canonical(path.parent_path(), ignored);
    const std::string name = path.filename().string();
    int number = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool is_number = error == std::errc() && end == name.data() + name.size() && number >= 0;
    return is_number && folder == fmt::format("/proc/{}/fd", ::getpid()) ? number : -1;
}

Destination destination_of(const std::filesystem::path& path) {
    constexpr int most_links = 40;  // as the system has it
    constexpr std::string_view rule = "cannot be created";
    Destination to{path};
    std::error_code error;
    for (int links = 0;; ++links) {
        if (const int number = own_descriptor(to.file); number >= 0) {
            to.opened = Descriptor(uninterrupted([&] { return ::fcntl(number, F_DUPFD_CLOEXEC, 0); }));
            if (const int code = errno; to.opened.get() < 0)
                fail_to_write(path, rule, code == EBADF ? ENOENT : code);
            return to;
        }
        std::filesystem::path next = std::filesystem::read_symlink(to.file, error);
        if (error)
            break;  // not a link
        if (links == most_links)
            fail_to_write(path, rule, ELOOP);
        to.file = next.is_absolute() ? std::move(next) : to.file.parent_path() / next;
    }
    struct stat status {};
    if (::stat(to.file.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        to.opened = Descriptor(uninterrupted([&] { return ::open(to.file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY); }));
        if (const int code = errno; to.opened.get() < 0)
            fail_to_write(path, "cannot be opened for writing", code);
    }
    return to;
}
}  // namespace

void write_output_file(const std::filesystem::path& path, std::string_view contents) {
    Destination to = destination_of(path);
    if (to.opened.get() < 0) {
        write_file_atomically(to.file, contents);
        return;
    }
    std::size_t done = 0;
    const int failed = write_all(to.opened.get(), contents, done), closed = to.opened.close();
    const int code = failed != 0 ? failed : closed;
    ensure(code == 0, "{}: writing failed: written {} of {} bytes; {}", path.string(), done, contents.size(), reason_of(code));
}

}  // namespace attend
