#include "train/run/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/error.h"
#include "core/files.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

// Whether the name still belongs to the open file: a run that ends removes it, maybe between our opening and locking it.
bool still_named(const std::filesystem::path& file, int descriptor) {
    struct stat named = {}, open = {};
    return ::stat(file.c_str(), &named) == 0 && ::fstat(descriptor, &open) == 0 && named.st_dev == open.st_dev &&
           named.st_ino == open.st_ino;
}

int lock_exclusively(int descriptor) {
    while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

std::string holder_of(int descriptor) {
    char text[32] = {};
    const ssize_t n = ::pread(descriptor, text, sizeof text - 1, 0);
    const std::string id(text, n > 0 ? static_cast<std::size_t>(n) : 0);
    return id.empty() ? "unknown" : id.substr(0, id.find('\n'));
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder) : file_(folder / ".lock") {
    for (;;) {
        descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        const int code = errno;
        if (descriptor_ < 0)
            fail_to_write(file_, "the run's folder cannot be written to", code);
        const int refused = lock_exclusively(descriptor_);
        if (refused == EWOULDBLOCK) {
            const std::string holder = holder_of(descriptor_);
            ::close(std::exchange(descriptor_, -1));
            fail(
                "{}: another process trains in this folder: process {} has locked {}, this is process {}; wait for its end or "
                "give another --out",
                folder.string(), holder, file_.filename().string(), ::getpid());
        }
        if (refused == 0 && !still_named(file_, descriptor_)) {
            ::close(std::exchange(descriptor_, -1));
            continue;
        }
        const std::string id = fmt::format("{}\n", ::getpid());
        // Only the message of a refused run reads it, which can do without.
        if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, id.data(), id.size(), 0) < 0)
            return;
        return;
    }
}

RunLock::~RunLock() {
    if (descriptor_ < 0)
        return;
    ::unlink(file_.c_str());  // while it is locked: nobody else can hold a file of this name
    ::close(descriptor_);
}

RunLock::RunLock(RunLock&& other) noexcept : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
RunLock& RunLock::operator=(RunLock&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

std::string lock_holder(const std::filesystem::path& folder) {
    const int descriptor = ::open((folder / ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0)
        return {};
    const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    std::string holder = held ? holder_of(descriptor) : std::string();
    ::close(descriptor);
    return holder;
}

}  // namespace attend::inline ATTEND_PRECISION
