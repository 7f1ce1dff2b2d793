#include "data/text/columns.h"

namespace attend::inline ATTEND_PRECISION {

std::vector<std::string_view> split_columns(std::string_view line) {
    std::vector<std::string_view> columns;
    for (;;) {
        const std::size_t tab = line.find('\t');
        columns.push_back(line.substr(0, tab));
        if (tab == std::string_view::npos)
            return columns;
        line.remove_prefix(tab + 1);
    }
}

std::vector<std::string_view> columns_of(const TextFile& file, int64_t i, int64_t expected, std::string_view hint) {
    std::vector<std::string_view> columns = split_columns(file.lines.text(i));
    require(static_cast<int64_t>(columns.size()) == expected, "{}: wrong number of columns: columns {}, needed {}{}{}",
            file.place(i).text(), columns.size(), expected, hint.empty() ? "" : "; ", hint);
    return columns;
}

}  // namespace attend::inline ATTEND_PRECISION
