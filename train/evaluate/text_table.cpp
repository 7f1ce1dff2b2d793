#include "train/evaluate/text_table.h"

#include <algorithm>

#include "train/evaluate/attention_map.h"

namespace attend {

std::string text_table(const std::vector<std::vector<std::string>>& rows, const std::vector<Column>& columns, std::size_t gap) {
    std::vector<Column> all = columns;
    for (const auto& row : rows) {
        all.resize(std::max(all.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) all[i].least = std::max(all[i].least, display_width(row[i]));
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(static_cast<std::size_t>(all[i].least - display_width(row[i])), ' ');
            line += std::string(i > 0 ? gap : 0, ' ') + (all[i].align == Align::left ? row[i] + padding : padding + row[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

}  // namespace attend
