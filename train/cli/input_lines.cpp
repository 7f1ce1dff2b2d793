#include "train/cli/input_lines.h"

#include <limits>

#include "data/text/text_form.h"

namespace attend::cli {

bool InputLines::next(std::string& line) {
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
    if (number_ == 1)
        line.erase(0, text_begin(std::string_view(line).substr(0, text_form_bytes), name_));
    if (line.ends_with('\r'))
        line.pop_back();
    return true;
}

std::string read_text(std::istream& in, const std::string& name) {
    constexpr std::size_t most = std::size_t{1} << 30;
    std::string text, block(std::size_t{1} << 16, '\0');
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
        text.append(block, 0, static_cast<std::size_t>(in.gcount()));
        require(text.size() <= most, "{}: text is too long: at least {} bytes, at most {}", name, text.size(), most);
    }
    ensure(!in.bad(), "{}: cannot be read: bytes read {}, then an error", name, text.size());
    text.erase(0, text_begin(std::string_view(text).substr(0, text_form_bytes), name));
    return text;
}

}  // namespace attend::cli
