#pragma once
/// What tokenizers ask of a code point (the Unicode Character Database, through utf8proc).
#include <string>

#include "core/base/integers.h"

namespace attend::unicode {

/// General categories L* and N*.
bool is_letter(char32_t c);
bool is_number(char32_t c);
/// The property White_Space.
bool is_space(char32_t c);
/// General category P*.
bool is_punctuation(char32_t c);
/// General category Zs.
bool is_separator(char32_t c);
/// General categories Cc and Cf.
bool is_control(char32_t c);
/// The lower-case form where it is one code point, else c.
char32_t lower(char32_t c);
/// Appends the canonical decomposition (NFD) of c without what has general category Mn.
void append_without_marks(std::string& text, char32_t c);

}  // namespace attend::unicode
