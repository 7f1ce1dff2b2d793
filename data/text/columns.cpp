#include "data/text/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace attend {

std::vector<std::string_view> split_columns(std::string_view line, char separator) {
    std::vector<std::string_view> columns;
    for (;;) {
        const std::size_t end = line.find(separator);
        columns.push_back(line.substr(0, end));
        if (end == std::string_view::npos)
            return columns;
        line.remove_prefix(end + 1);
    }
}

std::vector<std::string> column_names(const TextFile& file, bool header) {
    const int64_t rows_begin = header ? 1 : 0;
    require(file.lines.size() > rows_begin, "{}: there are no rows below the header: lines {}, needed at least {}", file.file,
            file.lines.size(), rows_begin + 1);
    const std::vector<std::string_view> head = split_columns(file.lines.text(0));
    if (!header)
        return std::vector<std::string>(head.size());
    require_utf8(file.lines.text(0), file.place(0));
    return {head.begin(), head.end()};
}

std::size_t find_column(const char* option, const std::string& entry, const std::vector<std::string>& names, bool header,
                        const std::string& file) {
    const auto count = static_cast<int64_t>(names.size());
    int64_t number = 0;
    const auto parsed = std::from_chars(entry.data(), entry.data() + entry.size(), number);
    if (!entry.empty() && parsed.ptr == entry.data() + entry.size() && entry[0] != '-') {
        require(parsed.ec == std::errc() && number >= 1 && number <= count,
                "data.{}: there is no such column: asked for column {}, {}:1 has {}", option, entry, file, count);
        return static_cast<std::size_t>(number - 1);
    }
    require(header, "data.{}: a column is named by its number where files have no header: asked for '{}', columns {}{}", option,
            entry, count, "; names need \"header\": true");
    const auto at = std::ranges::find(names, entry);
    if (at == names.end()) {
        const std::string near = nearest_name(entry, names);
        fail("data.{}: there is no such column: asked for '{}', {}:1 has {}: {}{}", option, entry, file, count,
             fmt::join(names, ", "), near.empty() ? "" : "; did you mean '" + near + "'?");
    }
    const auto times = std::ranges::count(names, entry);
    require(times == 1, "data.{}: the header names the column more than once: '{}' {} times, {}:1 has {} columns", option,
            entry, times, file, count);
    return static_cast<std::size_t>(at - names.begin());
}

std::vector<std::string_view> columns_of(const TextFile& file, int64_t i, int64_t expected, std::string_view hint) {
    std::vector<std::string_view> columns = split_columns(file.lines.text(i));
    require(static_cast<int64_t>(columns.size()) == expected, "{}: wrong number of columns: columns {}, needed {}{}{}",
            file.place(i).text(), columns.size(), expected, hint.empty() ? "" : "; ", hint);
    return columns;
}

}  // namespace attend
