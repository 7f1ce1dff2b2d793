#pragma once
/// Whole files: atomic writing, bounded reading, checksums. A message names the file; what the user
/// can fix (missing, a folder, too large, not allowed) is an Error, what the machine did (disk
/// full, input/output error) a MachineError.
#include <cstddef>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/system_call.h"

namespace attend {

/// What write_file_atomically() wrote.
struct WrittenFile {
    uint64_t bytes = 0;
    uint32_t crc32 = 0;
};

/// Takes the contents of a file that is being written, piece by piece, through a buffer.
class FileWriter {
  public:
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;
    /// Appends. Throws MachineError with the file's name, the bytes written so far and the reason.
    void write(const void* data, std::size_t bytes);
    void write(std::string_view text) { write(text.data(), text.size()); }

  private:
    friend WrittenFile write_file_atomically(const std::filesystem::path& path, FunctionRef<void(FileWriter&)> contents);
    FileWriter(const std::filesystem::path& path, int file) : path_(path), file_(file) {}
    // What `contents` writes, to the descriptor.
    static WrittenFile fill(const std::filesystem::path& path, int file, FunctionRef<void(FileWriter&)> contents);
    void flush();
    const std::filesystem::path& path_;
    int file_;
    std::string buffer_;
    WrittenFile total_;
};

/// Replaces `path` by what `contents` writes: a new file of another name in the same folder
/// (partial_path() in own_files.h), brought to the disk and then renamed, so a reader (and a crash
/// at any moment) finds the old file or the new one, whole. On any failure the old file stays, the
/// new one is removed. A link at `path` is replaced, never written through, and a file that has
/// other names (hard links) keeps its contents under them; for a path that a user gave there is
/// output_file.h. Throws Error when the user can fix the cause (see fail_to_write; a folder, pipe
/// or device is there), else MachineError with the file's name, the byte counts and the system's
/// reason.
WrittenFile write_file_atomically(const std::filesystem::path& path, FunctionRef<void(FileWriter&)> contents);
WrittenFile write_file_atomically(const std::filesystem::path& path, std::string_view contents);

/// Throws "PATH: RULE: REASON" for a file or folder that cannot be made or opened for writing;
/// `code` is the system's error number. Error where another name or other permissions would fix it
/// (missing folder, no permission, read-only file system, ...), MachineError otherwise (no space,
/// no descriptors left, input/output error, ...).
[[noreturn]] void fail_to_write(const std::filesystem::path& path, std::string_view rule, int code);

/// Whether a file to read may be a pipe or a device, whose bytes can be read only once and whose
/// opening may wait for ever.
enum class Pipes { refused, read };

/// The whole file. Throws Error when it is missing, may not be read, is a folder, a pipe or a
/// device (unless these are to be read), or has more than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit, Pipes pipes = Pipes::refused);

/// A descriptor to read a regular file by, and the file's size. Never waits. Throws Error when it
/// is missing, may not be read, or is a folder, a pipe or a device.
Descriptor open_regular_file(const std::filesystem::path& path, std::size_t* bytes = nullptr);

/// CRC-32 as zlib and gzip compute it; `before` is that of what came before.
uint32_t crc32_of(std::span<const std::byte> bytes, uint32_t before = 0);
/// CRC-32 and size of a file, or of its first `limit` bytes. Reads it piece by piece. Throws Error
/// as read_file() does, and Interrupted (core/base/interruption.h) where it is told to.
WrittenFile crc32_of_file(const std::filesystem::path& path, std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace attend
