#pragma once
/// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace attend {

/// A line of a text, for error messages.
struct Place {
    std::string_view file;  ///< empty: "line 17" instead of "FILE:17"
    int64_t line = 1;       ///< from 1
    std::string text() const;
};

namespace utf8 {

/// One code point of a text.
struct CodePoint {
    char32_t code = 0;      ///< the byte's value where invalid
    std::size_t bytes = 0;  ///< how many bytes it takes; 1 where invalid
    bool valid = false;     ///< false: a stray or cut byte, an overlong form, a surrogate, or beyond U+10FFFF
};

/// The code point that begins at byte `at`, which must be below text.size().
CodePoint decode(std::string_view text, std::size_t at);

}  // namespace utf8

/// Bytes (1 ... 4) of the character that starts at byte `at`, 0 when no valid one does. Requires at
/// < text.size().
std::size_t utf8_size(std::string_view text, std::size_t at);
/// The bytes of a code point.
std::string utf8_encode(char32_t c);
/// Position of the first byte that is not part of a valid character, npos when there is none.
std::size_t first_invalid_utf8(std::string_view text);
/// The line that contains byte `at` of `text`, where `text` begins at `place`.
Place place_of(std::string_view text, std::size_t at, const Place& place);
/// Throws Error naming the place (`text` begins there and may have several lines), the byte's
/// number in the line (from 1) and its value unless the text is valid.
void require_utf8(std::string_view text, const Place& place);

}  // namespace attend
