#include "train/config/utf8.h"

#include <fmt/format.h>

#include "data/text/utf8.h"

namespace attend::inline ATTEND_PRECISION::utf8 {

CodePoint decode(std::string_view text, std::size_t position) {
    const std::size_t bytes = utf8_size(text, position);
    if (bytes == 0)
        return {static_cast<unsigned char>(text[position]), 1, false};
    return {utf8_decode(text, position), bytes, true};
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
