#include "data/text/utf8.h"

#include <algorithm>

namespace attend {

std::string Place::text() const { return file.empty() ? fmt::format("line {}", line) : fmt::format("{}:{}", file, line); }

std::size_t utf8_size(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned first = byte(0);
    if (first < 0x80)
        return 1;
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    // 0x80 ... 0xC1 never start a character (0xC0 and 0xC1 would be overlong), nor do 0xF5 ... 0xFF
    // (above U+10FFFF).
    if (first < 0xC2 || first > 0xF4 || text.size() - at < size)
        return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((byte(i) & 0xC0) != 0x80)
            return 0;
    // The second byte rules out the remaining overlong forms, the surrogates and what is above
    // U+10FFFF.
    if (first == 0xE0 && byte(1) < 0xA0)
        return 0;
    if (first == 0xED && byte(1) > 0x9F)
        return 0;
    if (first == 0xF0 && byte(1) < 0x90)
        return 0;
    if (first == 0xF4 && byte(1) > 0x8F)
        return 0;
    return size;
}

char32_t utf8_decode(std::string_view text, std::size_t at) {
    const std::size_t size = utf8_size(text, at);
    ensure(size > 0, "utf8_decode: no valid character: byte {}, text of {} bytes", at, text.size());
    const auto first = static_cast<unsigned char>(text[at]);
    if (size == 1)
        return first;
    char32_t c = first & (0xFFu >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) c = (c << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
    return c;
}

std::string utf8_encode(char32_t c) {
    ensure(c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF), "utf8_encode: not a code point: value {:#x}, allowed to {:#x}",
           static_cast<uint32_t>(c), 0x10FFFF);
    const auto tail = [c](int shift) { return static_cast<char>(0x80u | ((c >> shift) & 0x3Fu)); };
    if (c < 0x80)
        return {static_cast<char>(c)};
    if (c < 0x800)
        return {static_cast<char>(0xC0u | (c >> 6)), tail(0)};
    if (c < 0x10000)
        return {static_cast<char>(0xE0u | (c >> 12)), tail(6), tail(0)};
    return {static_cast<char>(0xF0u | (c >> 18)), tail(12), tail(6), tail(0)};
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
