#pragma once
/// Text from outside made safe for a message, code point by code point (data/text/utf8.h).
#include <cstddef>
#include <string>
#include <string_view>

#include "data/text/utf8.h"

namespace attend::utf8 {

/// `text` made safe for a one-line message: what a terminal obeys or does not show (control
/// characters, line separators, marks of direction) as \n, \t or \uXXXX, invalid bytes as \xXX, and
/// cut with "..." after `limit` code points.
std::string printable(std::string_view text, std::size_t limit = 60);

/// What shown() does with the line feeds of a text.
enum class LineFeeds { kept, escaped };

/// `text` made safe for a terminal or a log, which can contain names, symbols and lines of other
/// people's files: as printable(), but not cut, and with its tabs.
std::string shown(std::string_view text, LineFeeds line_feeds = LineFeeds::kept);

/// How many bytes at the end of `text` begin a character that is not whole.
std::size_t unfinished(std::string_view text);

}  // namespace attend::utf8
