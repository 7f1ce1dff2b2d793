#pragma once
/// What byte-level vocabularies share: bytes written as printable letters, and how GPT-2 splits
/// text into words.
#include <optional>
#include <string>
#include <string_view>

#include "data/text/utf8.h"

namespace attend {

/// Bytes as the files of GPT-2 write them: each byte is a printable character of its own, 0x21 ...
/// 0x7e, 0xa1 ... 0xac and 0xae ... 0xff itself, the others U+0100 ... U+0143 in their order (so a
/// blank is U+0120).
std::string to_letters(std::string_view bytes);
/// The bytes again; none where a character is not such a letter.
std::optional<std::string> from_letters(std::string_view letters);

/// Bytes for messages: valid UTF-8 as it is, anything else and control characters as \xHH.
std::string readable(std::string_view bytes);

/// Whether two neighbours end and begin with a letter or digit, or a byte beyond ASCII: they are
/// parts of one word.
bool same_word(std::string_view before, std::string_view token);

/// The next word of `text` from byte `at` on, which moves past it; empty at the end. Words are the
/// matches of GPT-2's pattern (Radford 2019; its encoder.py)
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// and every byte is in one: a byte that is no valid UTF-8 is a character that is neither letter,
/// number nor space.
std::string_view next_word(std::string_view text, std::size_t& at);

}  // namespace attend
