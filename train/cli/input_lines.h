#pragma once
/// Lines of a stream of any length, one at a time, in bounded memory.
#include <istream>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace attend::cli {

class InputLines {
  public:
    /// `name` stands in messages ("standard input").
    InputLines(std::istream& in, std::string name) : in_(in), name_(std::move(name)), buffer_(longest + 1) {}

    /// Reads the next line into `line`, without its end (LF or CR LF) and, in the first one,
    /// without a UTF-8 byte order mark; a last line without an end counts. False at the end. Throws
    /// Error naming the line when it has more than `longest` bytes, CR included (reading on begins
    /// with the line after it), and for a first line of wide characters or packed data
    /// (text_begin); MachineError when the stream cannot be read.
    bool next(std::string& line);
    /// Number of the line that next() read last, from 1.
    int64_t number() const { return number_; }

    static constexpr std::size_t longest = std::size_t{1} << 20;

  private:
    std::istream& in_;
    std::string name_;
    std::vector<char> buffer_;
    int64_t number_ = 0;
    bool passing_over_ = false;
};

/// All of a stream as one text, without a UTF-8 byte order mark at its beginning. Throws Error for
/// more than 2^30 bytes and as text_begin(), and MachineError when the stream cannot be read.
std::string read_text(std::istream& in, const std::string& name);

}  // namespace attend::cli
