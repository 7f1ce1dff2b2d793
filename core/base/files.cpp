#include "core/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/interruption.h"
#include "core/base/own_files.h"
#include "core/base/system_call.h"

namespace attend {

namespace {
// Open for reading, and what the system says of it. Folders are refused, and what else is not to be
// read.
std::pair<Descriptor, struct stat> open_for_reading(const std::filesystem::path& path, Pipes pipes) {
    // Without O_NONBLOCK the opening of a pipe waits for somebody who writes into it.
    Descriptor file(
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | (pipes == Pipes::refused ? O_NONBLOCK : 0)); }));
    const int code = errno;
    require(file.get() >= 0, "{}: cannot be read: {}", path.string(), reason_of(code));
    struct stat status {};
    const int failure = ::fstat(file.get(), &status) == 0 ? 0 : errno;
    ensure(failure == 0, "{}: cannot be read: {}", path.string(), reason_of(failure));
    const bool folder = S_ISDIR(status.st_mode);
    require(!folder && (pipes == Pipes::read || S_ISREG(status.st_mode)), "{}: cannot be read: it is {}, and a file is needed",
            path.string(), folder ? "a folder" : "a pipe or a device");
    return {std::move(file), status};
}

// Next bytes of a file, 0 at its end.
std::size_t read_some(const std::filesystem::path& path, int file, char* to, std::size_t bytes) {
    const ssize_t got = uninterrupted([&] { return ::read(file, to, bytes); });
    const int code = errno;
    ensure(got >= 0, "{}: reading failed: asked {} bytes; {}", path.string(), bytes, reason_of(code));
    return static_cast<std::size_t>(got);
}

constexpr std::size_t buffer_bytes = std::size_t{1} << 18;
}  // namespace

void FileWriter::write(const void* data, std::size_t bytes) {
    const auto* from = static_cast<const char*>(data);
    while (bytes > 0) {
        const std::size_t n = std::min(bytes, buffer_bytes - buffer_.size());
        buffer_.append(from, n);
        from += n;
        bytes -= n;
        if (buffer_.size() == buffer_bytes)
            flush();
    }
}

void FileWriter::flush() {
    std::size_t done = 0;
    const int code = write_all(file_, buffer_, done);
    total_.bytes += done;
    ensure(code == 0, "{}: writing failed: written {} bytes, next {} bytes; {}", path_.string(), total_.bytes,
           buffer_.size() - done, reason_of(code));
    total_.crc32 = crc32_of(std::as_bytes(std::span(buffer_)), total_.crc32);
    buffer_.clear();
}

WrittenFile FileWriter::fill(const std::filesystem::path& path, int file, FunctionRef<void(FileWriter&)> contents) {
    FileWriter writer(path, file);
    writer.buffer_.reserve(buffer_bytes);
    contents(writer);
    writer.flush();
    return writer.total_;
}

void fail_to_write(const std::filesystem::path& path, std::string_view rule, int code) {
    const std::string message = fmt::format("{}: {}: {}", path.string(), rule, reason_of(code));
    if (user_can_mend(code))
        throw Error(message);
    throw MachineError(message);
}

WrittenFile write_file_atomically(const std::filesystem::path& path, FunctionRef<void(FileWriter&)> contents) {
    const Kind kind = kind_of(path);
    if (kind == Kind::folder)
        fail_to_write(path, "cannot be created", EISDIR);
    require(kind != Kind::other, "{}: cannot be replaced: it is {}, and a file is needed", path.string(), kind_name(kind));
    const std::filesystem::path partial = partial_path(path);
    Descriptor file(
        uninterrupted([&] { return ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666); }));
    int code = errno;
    if (file.get() < 0)
        fail_to_write(path, "cannot be created", code);
    try {
        const WrittenFile written = FileWriter::fill(path, file.get(), contents);
        const uint64_t bytes = written.bytes;
        code = synchronise(file.get());
        ensure(code == 0, "{}: cannot be brought to the disk: bytes {}; {}", path.string(), bytes, reason_of(code));
        code = file.close();
        ensure(code == 0, "{}: writing failed on closing: bytes {}; {}", path.string(), bytes, reason_of(code));
        code = ::rename(partial.c_str(), path.c_str()) == 0 ? 0 : errno;
        ensure(code == 0, "{}: cannot be replaced: bytes {}; {}", path.string(), bytes, reason_of(code));
        synchronise_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
        return written;
    } catch (...) {
        ::unlink(partial.c_str());
        throw;
    }
}

WrittenFile write_file_atomically(const std::filesystem::path& path, std::string_view contents) {
    return write_file_atomically(path, [contents](FileWriter& writer) { writer.write(contents); });
}

Descriptor open_regular_file(const std::filesystem::path& path, std::size_t* bytes) {
    auto [file, status] = open_for_reading(path, Pipes::refused);
    if (bytes != nullptr)
        *bytes = static_cast<std::size_t>(status.st_size);
    return std::move(file);
}

std::string read_file(const std::filesystem::path& path, std::size_t limit, Pipes pipes) {
    const auto [file, status] = open_for_reading(path, pipes);
    const std::size_t expected = S_ISREG(status.st_mode) && status.st_size > 0 ? static_cast<std::size_t>(status.st_size) : 0;
    require(expected <= limit, "{}: file is too large: size {} bytes, limit {} bytes", path.string(), expected, limit);
    // One byte more than it should have, to meet the end. Pipes and files that grow are read as far
    // as the limit.
    std::string text;
    std::size_t size = 0;
    for (;;) {
        if (size == text.size())
            text.resize(size == 0 ? expected + 1 : size + size / 2 + 65536);
        const std::size_t got = read_some(path, file.get(), text.data() + size, text.size() - size);
        if (got == 0)
            break;
        size += got;
        require(size <= limit, "{}: file is too large: size at least {} bytes, limit {} bytes", path.string(), size, limit);
    }
    text.resize(size);
    return text;
}

uint32_t crc32_of(std::span<const std::byte> bytes, uint32_t before) {
    if (bytes.empty())
        return before;  // no bytes may have no address, which zlib takes for the wish to begin
    return static_cast<uint32_t>(::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

WrittenFile crc32_of_file(const std::filesystem::path& path, std::size_t limit) {
    const Descriptor file = open_regular_file(path);
    WrittenFile total;
    std::string buffer(buffer_bytes, '\0');
    while (total.bytes < limit) {
        interruption_point();
        const std::size_t got = read_some(path, file.get(), buffer.data(), std::min(buffer.size(), limit - total.bytes));
        if (got == 0)
            break;
        total.bytes += got;
        total.crc32 = crc32_of(std::as_bytes(std::span(buffer).first(got)), total.crc32);
    }
    return total;
}

}  // namespace attend
