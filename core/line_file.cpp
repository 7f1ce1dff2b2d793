#include "core/line_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/files.h"
#include "core/own_files.h"
#include "core/system_call.h"

namespace attend::inline ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

// Puts a new file in the place of `path`, with the same contents where it is, or leads to, a file.
void replace_by_copy(const fs::path& path) {
    write_file_atomically(path, [&](FileWriter& out) {
        std::error_code ignored;
        if (!fs::is_regular_file(path, ignored))
            return;
        std::ifstream in(path, std::ios::binary);
        std::array<char, 65536> piece;
        while (in.read(piece.data(), piece.size()), in.gcount() > 0)
            out.write(piece.data(), static_cast<std::size_t>(in.gcount()));
        require(in.eof(), "{}: cannot be read: {}", path.string(), std::strerror(errno));
    });
}

uint64_t names_of(int file) {
    struct stat status {};
    return ::fstat(file, &status) == 0 ? static_cast<uint64_t>(status.st_nlink) : 0;
}

}  // namespace

LineFile::LineFile(fs::path path, LineStart start) : path_(std::move(path)) {
    constexpr int most_attempts = 100;  // somebody else makes links as fast as we replace them
    constexpr const char* rule = "cannot be opened for writing";
    const Kind kind = kind_of(path_);
    require(kind != Kind::other || fs::is_character_file(path_), "{}: {}: it is {}, and a file is needed", path_.string(), rule,
            kind_name(kind));
    if (start == LineStart::empty && (kind == Kind::file || kind == Kind::link))
        write_file_atomically(path_, "");
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        file_ = uninterrupted(
            [&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666); });
        const int code = errno;
        if (file_ < 0 && code != ELOOP)
            fail_to_write(path_, rule, code);
        if (file_ >= 0) {
            const uint64_t names = names_of(file_);
            if (names <= 1) {
                counts_names_ = names == 1;
                return;
            }
            ::close(file_);
        }
        replace_by_copy(path_);
    }
    fail_to_write(path_, rule, ELOOP);
}

LineFile::~LineFile() { ::close(file_); }

void LineFile::append(std::string_view text) {
    ensure(!counts_names_ || names_of(file_) > 0,
           "{}: was removed or replaced while it was written: bytes that would be lost {}; --resume goes on from the last "
           "checkpoint",
           path_.string(), text.size());
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t n = uninterrupted([&] { return ::write(file_, text.data() + done, text.size() - done); });
        const int code = errno;
        ensure(n >= 0, "{}: cannot be written: {} of {} bytes done, {}", path_.string(), done, text.size(),
               std::strerror(code));
        done += static_cast<std::size_t>(n);
    }
}

void LineFile::synchronise() {
    const int code = attend::synchronise(file_);
    ensure(code == 0 || code == EINVAL || code == ENOTSUP, "{}: cannot be brought to the disk: {}", path_.string(),
           std::strerror(code));
}

}  // namespace attend::inline ATTEND_PRECISION
