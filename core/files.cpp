#include "core/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include "core/file_errors.h"

namespace attend::inline ATTEND_PRECISION {

namespace {
std::string reason(int code) { return std::generic_category().message(code); }

// Owns a file descriptor.
class Descriptor {
  public:
    explicit Descriptor(int file) : file_(file) {}
    ~Descriptor() {
        if (file_ >= 0)
            ::close(file_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return file_; }
    /// Closes now; 0, or the error number.
    int close() { return ::close(std::exchange(file_, -1)) == 0 ? 0 : errno; }

  private:
    int file_;
};

// Open for reading, and what the system says of it. Folders are refused.
std::pair<int, struct stat> open_for_reading(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const int code = errno;
    require(file >= 0, "{}: cannot be read: {}", path.string(), reason(code));
    struct stat status {};
    if (::fstat(file, &status) != 0 || S_ISDIR(status.st_mode)) {
        const bool folder = S_ISDIR(status.st_mode);
        const int failure = errno;
        ::close(file);
        require(!folder, "{}: cannot be read: it is a folder, and a file is needed", path.string());
        ensure(false, "{}: cannot be read: {}", path.string(), reason(failure));
    }
    return {file, status};
}

// Next bytes of a file, 0 at its end.
std::size_t read_some(const std::filesystem::path& path, int file, char* to, std::size_t bytes) {
    for (;;) {
        const ssize_t got = ::read(file, to, bytes);
        if (got >= 0)
            return static_cast<std::size_t>(got);
        const int code = errno;
        ensure(code == EINTR, "{}: reading failed: asked {} bytes; {}", path.string(), bytes, reason(code));
    }
}

constexpr std::size_t buffer_bytes = std::size_t{1} << 18;

// Brings a rename to the disk. Some file systems cannot do that for folders, and say EINVAL.
void synchronise_folder(const std::filesystem::path& folder) {
    const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (file.get() < 0)
        return;  // a folder that may be written but not read: nothing to do
    if (::fsync(file.get()) != 0) {
        const int code = errno;
        ensure(code == EINVAL || code == ENOTSUP, "{}: cannot be brought to the disk: {}", folder.string(), reason(code));
    }
}
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
    std::string_view rest = buffer_;
    while (!rest.empty()) {
        const ssize_t n = ::write(file_, rest.data(), rest.size());
        if (n < 0) {
            const int code = errno;
            ensure(code == EINTR, "{}: writing failed: written {} bytes, next {} bytes; {}", path_.string(), total_.bytes,
                   rest.size(), reason(code));
            continue;
        }
        total_.bytes += static_cast<uint64_t>(n);
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
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
    const std::string message = fmt::format("{}: {}: {}", path.string(), rule, reason(code));
    if (user_can_mend(code))
        throw Error(message);
    throw MachineError(message);
}

namespace {
// A file is never replaced where a link points to an open descriptor: who opened it would go on with the old file.
struct Destination {
    std::filesystem::path file;  // at the end of all links
    int opened = -1;             // what is written into in place; -1: `file` is replaced
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
            to.opened = ::fcntl(number, F_DUPFD_CLOEXEC, 0);
            if (const int code = errno; to.opened < 0)
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
        to.opened = ::open(to.file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (const int code = errno; to.opened < 0)
            fail_to_write(path, "cannot be opened for writing", code);
    }
    return to;
}
}  // namespace

WrittenFile write_file_atomically(const std::filesystem::path& path, FunctionRef<void(FileWriter&)> contents) {
    static std::atomic<uint64_t> number{0};
    const Destination to = destination_of(path);
    if (to.opened >= 0) {
        Descriptor file(to.opened);
        const WrittenFile written = FileWriter::fill(path, file.get(), contents);
        const int code = file.close();
        ensure(code == 0, "{}: writing failed on closing: bytes {}; {}", path.string(), written.bytes, reason(code));
        return written;
    }
    const std::filesystem::path folder = to.file.has_parent_path() ? to.file.parent_path() : std::filesystem::path(".");
    // Another name if a killed program of the same number left one behind.
    std::filesystem::path partial;
    int opened = -1, code = EEXIST;
    for (int attempt = 0; opened < 0 && code == EEXIST && attempt < 1000; ++attempt) {
        partial = folder / fmt::format(".{}.partial-{}-{}", to.file.filename().string(), ::getpid(), number.fetch_add(1));
        opened = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        code = errno;
    }
    if (opened < 0)
        fail_to_write(path, "cannot be created", code);
    Descriptor file(opened);
    try {
        const WrittenFile written = FileWriter::fill(path, file.get(), contents);
        const uint64_t bytes = written.bytes;
        code = ::fsync(file.get()) == 0 ? 0 : errno;
        ensure(code == 0, "{}: cannot be brought to the disk: bytes {}; {}", path.string(), bytes, reason(code));
        code = file.close();
        ensure(code == 0, "{}: writing failed on closing: bytes {}; {}", path.string(), bytes, reason(code));
        code = ::rename(partial.c_str(), to.file.c_str()) == 0 ? 0 : errno;
        ensure(code == 0, "{}: cannot be replaced: bytes {}; {}", path.string(), bytes, reason(code));
        synchronise_folder(folder);
        return written;
    } catch (...) {
        ::unlink(partial.c_str());
        throw;
    }
}

WrittenFile write_file_atomically(const std::filesystem::path& path, std::string_view contents) {
    return write_file_atomically(path, [contents](FileWriter& writer) { writer.write(contents); });
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
    const auto [opened, status] = open_for_reading(path);
    const Descriptor file(opened);
    const std::size_t expected = S_ISREG(status.st_mode) && status.st_size > 0 ? static_cast<std::size_t>(status.st_size) : 0;
    require(expected <= limit, "{}: file is too large: size {} bytes, limit {} bytes", path.string(), expected, limit);
    // One byte more than it should have, to meet the end. Pipes and files that grow are read as far as the limit.
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
    return static_cast<uint32_t>(::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

WrittenFile crc32_of_file(const std::filesystem::path& path, std::size_t limit) {
    const Descriptor file(open_for_reading(path).first);
    WrittenFile total;
    std::string buffer(buffer_bytes, '\0');
    while (total.bytes < limit) {
        const std::size_t got = read_some(path, file.get(), buffer.data(), std::min(buffer.size(), limit - total.bytes));
        if (got == 0)
            break;
        total.bytes += got;
        total.crc32 = crc32_of(std::as_bytes(std::span(buffer).first(got)), total.crc32);
    }
    return total;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
    // Asked before opening: opening a pipe waits for its writer.
    struct stat kind {};
    require(::stat(path.c_str(), &kind) != 0 || S_ISREG(kind.st_mode) || S_ISDIR(kind.st_mode),
            "{}: cannot be mapped: it is a pipe or a device, and a file is needed", path.string());
    const auto [opened, status] = open_for_reading(path);
    const Descriptor file(opened);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0)
        return;
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    const int code = errno;
    ensure(data != MAP_FAILED, "{}: cannot be mapped: size {} bytes; {}", path.string(), size, reason(code));
    bytes_ = {static_cast<const std::byte*>(data), size};
}

void MappedFile::expect_random_access() const noexcept {
    if (!bytes_.empty())
        ::madvise(const_cast<std::byte*>(bytes_.data()), bytes_.size(), MADV_RANDOM);  // advice: nothing is lost where it fails
}

MappedFile::~MappedFile() {
    if (!bytes_.empty())
        ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

}  // namespace attend::inline ATTEND_PRECISION
