#pragma once
/// Running text in one or several files, plain or packed, read in pieces: it may be larger than
/// memory.
#include <string>
#include <vector>

#include "data/text/tokenizer.h"

namespace attend {

class Corpus {
  public:
    /// Opens the files that `names` mean (matching_files), in that order, and reads them once to
    /// know their size. `option` is what names them, for messages, and `hint` goes after that of a
    /// missing file. Throws Error when a name means no file, for what UnpackingReader refuses, and
    /// for files without any text.
    Corpus(const std::vector<std::string>& names, const std::string& option, const std::string& hint);

    /// Of the text, unpacked, of all files.
    int64_t bytes() const { return bytes_; }
    /// Says which text this is: its size, its CRC-32 and how it is divided between files, but not
    /// their names.
    std::string key() const;
    /// Byte floor((1 - fraction) * bytes()), moved forward to where a UTF-8 character begins.
    int64_t cut(double fraction) const;

    /// Bytes [begin, end) of the text, in pieces that tokenizers may take one by one: the ids are
    /// those of the whole. A piece ends where a file ends, or before a line feed after a printing
    /// ASCII character (where every tokenizer cuts), or, where no such place is found in 64 MiB,
    /// between two characters. Throws Error as the constructor does.
    void pieces(int64_t begin, int64_t end, FunctionRef<void(std::string_view, const Place&)> take) const;

  private:
    std::vector<std::string> files_;
    std::vector<int64_t> sizes_;
    int64_t bytes_ = 0;
    uint32_t crc_ = 0;
};

}  // namespace attend
