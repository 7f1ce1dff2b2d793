#pragma once
/// Standard output that remembers why a write failed.
#include <array>
#include <streambuf>

#include "core/real.h"

namespace attend::inline ATTEND_PRECISION::cli {

/// Writes to a descriptor, which stays open. The stream goes bad when a write fails.
class OutputBuffer final : public std::streambuf {
  public:
    explicit OutputBuffer(int descriptor) : descriptor_(descriptor) { setp(bytes_.data(), bytes_.data() + bytes_.size()); }
    ~OutputBuffer() override { sync(); }
    OutputBuffer(const OutputBuffer&) = delete;
    OutputBuffer& operator=(const OutputBuffer&) = delete;
    /// The system's error number of the first write that failed, 0: none has. Nothing more is written after it.
    int error() const { return error_; }

  protected:
    int sync() override;
    int overflow(int c) override;

  private:
    int descriptor_, error_ = 0;
    std::array<char, 1 << 16> bytes_{};
};

}  // namespace attend::inline ATTEND_PRECISION::cli
