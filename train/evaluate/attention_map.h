#pragma once
/// Draws an alignment as text.
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace attend {

/// What a map is drawn with.
enum class Glyphs {
    blocks,  ///< shades of U+2591 ... U+2588
    ascii,   ///< tenths as digits; what is not ASCII in a symbol becomes '?'
};

/// blocks where the environment's locale (LC_ALL, LC_CTYPE, LANG, the first that is set) is UTF-8.
Glyphs environment_glyphs();

struct MapStyle {
    Glyphs glyphs = Glyphs::blocks;
    int columns = 0;  ///< a wider map is cut into panels one below the other; 0: as wide as it gets
};

/// The weights [target symbols, source symbols] (row-major, most 0 ... 1) as a picture: a row a
/// target symbol, a column a source symbol. Blocks show a weight below 0.05 as blank, then shades
/// from 0.05, 0.2, 0.45 and 0.75 on; digits show whole tenths, '.' below 0.1 and '9' from 0.9 on; a
/// weight that is NaN shows as '!', one below 0 (differential and talking heads) as '-' from -0.05 or
/// -0.1 down. Source symbols stand above their columns, longer ones written
/// downwards, very long ones numbered with a legend below; a blank symbol shows as U+2423 or '_'.
/// Wide (CJK) and combining characters take the columns they take on the terminal. Lines end in a
/// line feed. Throws Error when the count of weights is not targets x sources.
std::string draw_attention_map(std::span<const float> weights, std::span<const std::string> source,
                               std::span<const std::string> target, MapStyle style = {});

/// Columns that a text takes on a terminal: 0 for combining characters, 2 for wide ones (wcwidth of
/// the C library), 1 for each byte that is not UTF-8.
int display_width(std::string_view text);

}  // namespace attend
