#include "train/cli/input_lines.h"

#include <limits>

namespace attend::inline ATTEND_PRECISION::cli {

bool InputLines::next(std::string& line) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (passing_over_) {
        in_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
        passing_over_ = false;
    }
    in_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    ensure(!in_.bad(), "{}: cannot be read: lines read {}, line {} is broken", name_, number_, number_ + 1);
    auto size = static_cast<std::size_t>(in_.gcount());  // with the line feed
    if (in_.eof() && size == 0)
        return false;
    ++number_;
    if (in_.fail()) {
        in_.clear();
        passing_over_ = true;
        fail("{}:{}: line too long: at least {} bytes, at most {}", name_, number_, size + 1, longest);
    }
    if (!in_.eof())
        --size;
    line.assign(buffer_.data(), size);
    if (number_ == 1 && line.starts_with(byte_order_mark))
        line.erase(0, byte_order_mark.size());
    if (line.ends_with('\r'))
        line.pop_back();
    return true;
}

}  // namespace attend::inline ATTEND_PRECISION::cli
