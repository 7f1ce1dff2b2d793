#include "train/config/utf8.h"

#include <fmt/format.h>

namespace attend::inline ATTEND_PRECISION::utf8 {

CodePoint decode(std::string_view text, std::size_t position) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(position);
    if (first < 0x80)
        return {first, 1, true};
    const CodePoint invalid{first, 1, false};
    const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - position < bytes)
        return invalid;
    char32_t code = first & (0xffu >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        const unsigned char next = byte(position + i);
        if ((next & 0xc0) != 0x80)
            return invalid;
        code = (code << 6) | (next & 0x3fu);
    }
    const char32_t least = bytes == 2 ? 0x80 : bytes == 3 ? 0x800 : 0x10000;
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return invalid;
    return {code, bytes, true};
}

std::optional<std::size_t> first_invalid(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint c = decode(text, i);
        if (!c.valid)
            return i;
        i += c.bytes;
    }
    return std::nullopt;
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string result;
    for (std::size_t i = 0, count = 0; i < text.size(); ++count) {
        if (count == limit)
            return result + "...";
        const CodePoint c = decode(text, i);
        if (!c.valid)
            result += fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
        else if (c.code == '\n')
            result += "\\n";
        else if (c.code == '\t')
            result += "\\t";
        else if (c.code < 0x20 || (c.code >= 0x7f && c.code < 0xa0))
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
        else
            result += text.substr(i, c.bytes);
        i += c.bytes;
    }
    return result;
}

}  // namespace attend::inline ATTEND_PRECISION::utf8
