#pragma once
/// Tables as text.
#include <string>
#include <vector>

namespace attend {

enum class Align { left, right };

/// One column. It is as wide as its widest cell (display_width), and at least so many columns of a
/// terminal.
struct Column {
    Align align = Align::left;
    int least = 0;
};

/// A line a row, its cells `gap` spaces apart, without spaces at its end. Rows may have fewer cells
/// than others; columns that are not described are aligned to the left.
std::string text_table(const std::vector<std::vector<std::string>>& rows, const std::vector<Column>& columns = {},
                       std::size_t gap = 2);

}  // namespace attend
