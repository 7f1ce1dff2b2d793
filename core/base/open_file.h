#pragma once
/// A file that stays open and is read at any place. Not mapped: a mapping of a file that somebody
/// shortens ends the process (SIGBUS), while a read that meets the end can say so.
#include <cstddef>
#include <filesystem>
#include <span>

#include "core/base/error.h"
#include "core/base/system_call.h"

namespace attend {

class OpenFile {
  public:
    /// Throws Error when it is missing, may not be read, or is not a regular file.
    explicit OpenFile(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    /// In bytes, when it was opened.
    std::size_t size() const { return size_; }
    /// Fills `to` with the bytes from `offset` on; several threads may read at once. Throws
    /// MachineError naming the file when they are not there any more, or cannot be read.
    void read(std::size_t offset, std::span<std::byte> to) const;
    /// Tells the system that small pieces anywhere will be read, so that it need not read ahead.
    void expect_random_access() const noexcept;

  private:
    std::filesystem::path path_;
    std::size_t size_ = 0;
    Descriptor file_;
};

}  // namespace attend
