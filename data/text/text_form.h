#pragma once
/// What the first bytes of a file or a stream tell about the rest: whether it is text of single
/// bytes (UTF-8, or any), as everything here reads it.
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/integers.h"

namespace attend {

/// How many first bytes text_begin() wants to see; fewer where the text ends before.
constexpr std::size_t text_form_bytes = 4096;

/// How many bytes of a UTF-8 byte order mark come before a text that begins with `head`: 3 or 0.
/// Throws Error naming `where` for text of 16 or 32 bits, told by its byte order mark or by its NUL
/// bytes (half of the bytes or more, all at the places where the high bytes of such text are), and
/// for what is no text but packed files of kinds that are not read.
std::size_t text_begin(std::string_view head, std::string_view where);

}  // namespace attend
