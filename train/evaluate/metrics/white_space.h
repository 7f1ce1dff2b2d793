#pragma once
#include "data/text/unicode.h"
#include "data/text/utf8.h"

namespace attend {

/// Whether it is white space, as Unicode and Python see it.
inline bool is_white_space(const utf8::CodePoint& c) {
    return c.valid && (unicode::is_space(c.code) || (c.code >= 0x1C && c.code <= 0x1F));
}

}  // namespace attend
