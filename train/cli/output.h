#pragma once
/// Standard output that remembers why a write failed.
#include <array>
#include <streambuf>
#include <string>
#include <string_view>

#include "core/base/integers.h"

namespace attend::cli {

/// What a reader of the output is.
enum class Reader {
    program,  ///< a file or another program: bytes as they are
    person,   ///< a terminal: escape codes in translated lines, names and symbols would be obeyed, so they are written out
};

/// Writes to a descriptor, which stays open. The stream goes bad when a write fails.
class OutputBuffer final : public std::streambuf {
  public:
    explicit OutputBuffer(int descriptor, Reader reader = Reader::program) : descriptor_(descriptor), reader_(reader) {
        setp(bytes_.data(), bytes_.data() + bytes_.size());
    }
    ~OutputBuffer() override;
    OutputBuffer(const OutputBuffer&) = delete;
    OutputBuffer& operator=(const OutputBuffer&) = delete;
    /// The system's error number of the first write that failed, 0: none has. Nothing more is
    /// written after it.
    int error() const { return error_; }

  protected:
    int sync() override;
    int overflow(int c) override;

  private:
    void write(std::string_view bytes);
    int descriptor_, error_ = 0;
    Reader reader_;
    std::string begun_;  // bytes of a character that is not whole yet; of a person's output alone
    std::array<char, 1 << 16> bytes_{};
};

}  // namespace attend::cli
