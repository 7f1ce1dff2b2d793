#include "data/text/utf8.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

namespace attend {

std::string Place::text() const { return file.empty() ? fmt::format("line {}", line) : fmt::format("{}:{}", file, line); }

utf8::CodePoint utf8::decode(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80)
        return {first, 1, true};
    utf8proc_int32_t code = 0;
    const auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                        static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (bytes < 1)
        return {first, 1, false};
    return {static_cast<char32_t>(code), static_cast<std::size_t>(bytes), true};
}

std::size_t utf8_size(std::string_view text, std::size_t at) {
    const utf8::CodePoint c = utf8::decode(text, at);
    return c.valid ? c.bytes : 0;
}

std::string utf8_encode(char32_t c) {
    ensure(c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF), "utf8_encode: not a code point: value {:#x}, allowed to {:#x}",
           static_cast<uint32_t>(c), 0x10FFFF);
    std::array<utf8proc_uint8_t, 4> bytes;
    const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes.data());
    return {bytes.begin(), bytes.begin() + size};
}

std::size_t first_invalid_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = utf8_size(text, at);
        if (size == 0)
            return at;
        at += size;
    }
    return std::string_view::npos;
}

Place place_of(std::string_view text, std::size_t at, const Place& place) {
    return {place.file, place.line + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')};
}

void require_utf8(std::string_view text, const Place& place) {
    const std::size_t bad = first_invalid_utf8(text);
    if (bad == std::string_view::npos)
        return;
    const Place line = place_of(text, bad, place);
    const std::size_t begin = text.substr(0, bad).rfind('\n') + 1;  // 0 where there is none
    fail("{}: text is not valid UTF-8: byte {} of the line, value {:#04x}", line.text(), bad - begin + 1,
         static_cast<unsigned char>(text[bad]));
}

}  // namespace attend
