#include "core/base/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/base/files.h"

namespace attend {

namespace {
std::string reason(int code) { return std::generic_category().message(code); }
}  // namespace

OpenFile::OpenFile(const std::filesystem::path& path) : path_(path), file_(open_regular_file(path)) {
    struct stat status {};
    if (::fstat(file_, &status) != 0) {
        const int code = errno;
        ::close(file_);
        ensure(false, "{}: cannot be read: {}", path.string(), reason(code));
    }
    size_ = static_cast<std::size_t>(status.st_size);
}

OpenFile::~OpenFile() {
    if (file_ >= 0)
        ::close(file_);
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), size_(std::exchange(other.size_, 0)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    std::swap(size_, other.size_);
    return *this;
}

void OpenFile::read(std::size_t offset, std::span<std::byte> to) const {
    for (std::size_t done = 0; done < to.size();) {
        const ssize_t got = ::pread(file_, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
        if (got < 0) {
            const int code = errno;
            ensure(code == EINTR, "{}: reading failed: asked {} bytes at offset {}; {}", path_.string(), to.size(), offset,
                   reason(code));
            continue;
        }
        if (got == 0) {
            struct stat now {};
            const int64_t size = ::fstat(file_, &now) == 0 ? static_cast<int64_t>(now.st_size) : -1;
            ensure(false, "{}: the file was shortened while it was in use: size {} bytes, when it was opened {} bytes",
                   path_.string(), size, size_);
        }
        done += static_cast<std::size_t>(got);
    }
}

void OpenFile::expect_random_access() const noexcept {
    ::posix_fadvise(file_, 0, 0, POSIX_FADV_RANDOM);  // advice: nothing is lost where it fails
}

}  // namespace attend
