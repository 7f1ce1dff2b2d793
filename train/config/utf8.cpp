#include "train/config/utf8.h"

#include <fmt/format.h>

namespace attend::utf8 {

bool is_hidden(char32_t code) {
    const auto in = [code](char32_t low, char32_t high) { return code >= low && code <= high; };
    return in(0, 0x1f) || in(0x7f, 0x9f) || code == 0x61c || in(0x200e, 0x200f) || in(0x2028, 0x202e) || in(0x2066, 0x2069) ||
           code == 0xfeff;
}

namespace {

// One code point of a text, escaped where it is hidden.
void append(std::string& result, std::string_view bytes, const CodePoint& c) {
    if (!c.valid)
        result += fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
    else if (c.code == '\n')
        result += "\\n";
    else if (c.code == '\t')
        result += "\\t";
    else if (is_hidden(c.code))
        result += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
    else
        result += bytes;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
    std::string result;
    for (std::size_t i = 0, count = 0; i < text.size(); ++count) {
        if (count == limit)
            return result + "...";
        const CodePoint c = decode(text, i);
        append(result, text.substr(i, c.bytes), c);
        i += c.bytes;
    }
    return result;
}

std::string shown(std::string_view text, LineFeeds line_feeds) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint c = decode(text, i);
        if (c.code == '\t' || (c.code == '\n' && line_feeds == LineFeeds::kept))
            result += text[i];
        else
            append(result, text.substr(i, c.bytes), c);
        i += c.bytes;
    }
    return result;
}

}  // namespace attend::utf8
