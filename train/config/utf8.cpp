#include "train/config/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace attend::utf8 {

namespace {

// Whether a terminal does not show the character itself: control characters (an escape code begins
// with one), line and paragraph separators, and characters that change the direction of writing.
bool is_hidden(char32_t code) {
    const auto in = [code](char32_t low, char32_t high) { return code >= low && code <= high; };
    return in(0, 0x1f) || in(0x7f, 0x9f) || code == 0x61c || in(0x200e, 0x200f) || in(0x2028, 0x202e) || in(0x2066, 0x2069) ||
           code == 0xfeff;
}

// The first `limit` code points, hidden ones escaped, but for the (ASCII) characters in `kept`.
std::string escaped(std::string_view text, std::size_t limit, std::string_view kept) {
    std::string result;
    for (std::size_t i = 0, count = 0; i < text.size(); ++count) {
        if (count == limit)
            return result + "...";
        const CodePoint c = decode(text, i);
        if (!c.valid)
            result += fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
        else if (!is_hidden(c.code) || kept.find(text[i]) != std::string_view::npos)
            result += text.substr(i, c.bytes);
        else if (c.code == '\n')
            result += "\\n";
        else if (c.code == '\t')
            result += "\\t";
        else
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
        i += c.bytes;
    }
    return result;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) { return escaped(text, limit, ""); }

std::string shown(std::string_view text, LineFeeds line_feeds) {
    return escaped(text, std::string_view::npos, line_feeds == LineFeeds::kept ? "\t\n" : "\t");
}

std::size_t unfinished(std::string_view text) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if (byte < 0x80)
            return 0;
        if (byte >= 0xC0)
            return back < (byte >= 0xF0 ? 4u : byte >= 0xE0 ? 3u : 2u) ? back : 0;
    }
    return 0;
}

}  // namespace attend::utf8
