#include "data/text/unicode.h"

#include <utf8proc.h>

#include <array>

#include "data/text/utf8.h"

namespace attend::unicode {

namespace {
utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }
bool between(utf8proc_category_t c, utf8proc_category_t first, utf8proc_category_t last) { return c >= first && c <= last; }
}  // namespace

bool is_letter(char32_t c) { return between(category(c), UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO); }
bool is_number(char32_t c) { return between(category(c), UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO); }
bool is_space(char32_t c) {
    return (c >= 0x9 && c <= 0xD) || c == 0x85 || between(category(c), UTF8PROC_CATEGORY_ZS, UTF8PROC_CATEGORY_ZP);
}
bool is_punctuation(char32_t c) { return between(category(c), UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO); }
bool is_separator(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ZS; }
bool is_control(char32_t c) { return between(category(c), UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CF); }
char32_t lower(char32_t c) { return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))); }

void append_without_marks(std::string& text, char32_t c) {
    std::array<utf8proc_int32_t, 32> parts{};  // the longest decomposition has 4
    int boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(),
                                               static_cast<utf8proc_ssize_t>(parts.size()), UTF8PROC_DECOMPOSE, &boundary);
    ensure(count >= 0 && count <= static_cast<utf8proc_ssize_t>(parts.size()),
           "unicode: decomposition failed: code point {:#x}, utf8proc says {}", static_cast<uint32_t>(c), count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
        if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN)
            text += utf8_encode(static_cast<char32_t>(parts[i]));
}

}  // namespace attend::unicode
