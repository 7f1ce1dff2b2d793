#include "core/base/line_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "core/base/files.h"
#include "core/base/own_files.h"
#include "core/base/system_call.h"

namespace attend {

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
        require(in.eof(), "{}: cannot be read: {}", path.string(), reason_of(errno));
    });
}

struct stat status_of(int file) {
    struct stat status {};
    return ::fstat(file, &status) == 0 ? status : (struct stat){};
}

// Whether the path still names the open file.
bool is_named(const fs::path& path, const struct stat& open) {
    struct stat named {};
    return ::lstat(path.c_str(), &named) == 0 && named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

}  // namespace

LineFile::LineFile(fs::path path, LineStart start) : path_(std::move(path)) {
    const Kind kind = kind_of(path_);
    require(kind != Kind::other || fs::is_character_file(path_),
            "{}: cannot be opened for writing: it is {}, and a file is needed", path_.string(), kind_name(kind));
    if (start == LineStart::empty && (kind == Kind::file || kind == Kind::link))
        write_file_atomically(path_, "");
    open();
}

void LineFile::open() {
    constexpr int most_attempts = 100;  // somebody else makes links as fast as we replace them
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        file_ = Descriptor(uninterrupted(
            [&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666); }));
        const int code = errno;
        if (file_.get() < 0 && code != ELOOP)
            fail_to_write(path_, "cannot be opened for writing", code);
        if (file_.get() >= 0 && status_of(file_.get()).st_nlink <= 1)
            return;
        file_.close();
        replace_by_copy(path_);
    }
    fail_to_write(path_, "cannot be opened for writing", ELOOP);
}

void LineFile::append(std::string_view text) {
    const struct stat status = status_of(file_.get());
    ensure(is_named(path_, status),
           "{}: was removed or replaced while it was written: bytes that would be lost {}; --resume continues from the last "
           "checkpoint",
           path_.string(), text.size());
    if (status.st_nlink > 1) {  // it was given a second name since, as a backup does
        file_.close();
        open();
    }
    std::size_t done = 0;
    const int code = write_all(file_.get(), text, done);
    ensure(code == 0, "{}: cannot be written: {} of {} bytes done, {}", path_.string(), done, text.size(), reason_of(code));
}

void LineFile::synchronise() {
    const int code = attend::synchronise(file_.get());
    ensure(code == 0 || code == EINVAL || code == ENOTSUP, "{}: cannot be brought to the disk: {}", path_.string(),
           reason_of(code));
}

}  // namespace attend
