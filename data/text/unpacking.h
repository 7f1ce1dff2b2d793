#pragma once
/// The text of a file, plain or packed, from its beginning to its end.
#include "core/base/files.h"
#include "data/text/unpacked.h"

namespace attend {

/// Reads a file in pieces of bounded memory, unpacked where its first bytes are those of gzip (RFC
/// 1952), xz (or lzma2), zstd or bzip2. Several packed files may follow one another in one; zero
/// bytes after the last one of gzip, as tapes are padded with, are left out, as gzip does. A UTF-8
/// byte order mark at the beginning of the text is no part of it.
class UnpackingReader {
  public:
    /// Throws Error naming the file when it cannot be opened, or is no regular file: it is read
    /// more than once, and a pipe has its bytes once.
    explicit UnpackingReader(const std::string& file) : file_(file), opened_(open_regular_file(file)) {}

    /// The next bytes of the text, into the front of `to`, which is not empty; how many, 0 at the
    /// end. Throws Error for a file that cannot be read, packed data that are broken or cut off,
    /// and for anything after them, with ", after line LINES" at the end of the message, `lines`
    /// being what the caller has read so far; for a name that ends as that of a packed file and
    /// another content; and for what is no text of bytes (text_begin). Throws Interrupted where it
    /// is told to.
    std::size_t read(std::span<char> to, std::size_t lines);

  private:
    void begin();
    std::string file_;
    Descriptor opened_;
    std::unique_ptr<ByteSource> source_;  // null before the first read()
    std::string head_;                    // of the text
    std::size_t used_ = 0;                // of the head
};

}  // namespace attend
