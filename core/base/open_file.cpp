#include "core/base/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/files.h"

namespace attend {

OpenFile::OpenFile(const std::filesystem::path& path) : path_(path), file_(open_regular_file(path, &size_)) {}

void OpenFile::read(std::size_t offset, std::span<std::byte> to) const {
    for (std::size_t done = 0; done < to.size();) {
        const ssize_t got = uninterrupted(
            [&] { return ::pread(file_.get(), to.data() + done, to.size() - done, static_cast<off_t>(offset + done)); });
        const int code = errno;
        ensure(got >= 0, "{}: reading failed: asked {} bytes at offset {}; {}", path_.string(), to.size(), offset,
               reason_of(code));
        if (got == 0) {
            struct stat now {};
            const int64_t size = ::fstat(file_.get(), &now) == 0 ? static_cast<int64_t>(now.st_size) : -1;
            ensure(false, "{}: the file was shortened while it was in use: size {} bytes, when it was opened {} bytes",
                   path_.string(), size, size_);
        }
        done += static_cast<std::size_t>(got);
    }
}

void OpenFile::expect_random_access() const noexcept {
    ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_RANDOM);  // advice: nothing is lost where it fails
}

}  // namespace attend
