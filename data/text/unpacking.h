#pragma once
/// Bytes of a file, plain or gzip, from its beginning to its end.
#include <memory>
#include <span>
#include <string>

#include "core/real.h"

namespace attend::inline ATTEND_PRECISION {

/// Reads a file in pieces, unpacked where it is gzip (RFC 1952), told by its first two bytes. Members of a gzip file may follow
/// one another; zero bytes behind the last one, as tapes are padded with, are left out, as gzip does.
class UnpackingReader {
  public:
    /// Throws Error naming the file when it cannot be opened.
    explicit UnpackingReader(const std::string& file);
    ~UnpackingReader();
    UnpackingReader(const UnpackingReader&) = delete;
    UnpackingReader& operator=(const UnpackingReader&) = delete;

    /// The next bytes, into the front of `to`, which is not empty; how many, 0 at the end. Throws Error for a file that cannot
    /// be read, gzip data that are broken or cut off, and for anything behind them; every message names the file and ends with
    /// ", after line LINES", `lines` being what the caller has read so far.
    std::size_t read(std::span<char> to, std::size_t lines);
    /// Whether it is gzip. Known after the first read().
    bool packed() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace attend::inline ATTEND_PRECISION
