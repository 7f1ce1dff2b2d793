#include "data/tasks/tsv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "data/text/columns.h"
#include "data/text/lines.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

// The entries of a list with commas, blanks around them left out.
std::vector<std::string> entries(std::string_view list) {
    std::vector<std::string> all;
    for (;;) {
        const std::size_t comma = list.find(',');
        std::string_view entry = list.substr(0, comma);
        while (entry.starts_with(' ')) entry.remove_prefix(1);
        while (entry.ends_with(' ')) entry.remove_suffix(1);
        all.emplace_back(entry);
        if (comma == std::string_view::npos)
            return all;
        list.remove_prefix(comma + 1);
    }
}

// Which of `names` (a header's columns; without a header as many empty texts) an entry means, from 0. Digits alone are always a
// number.
std::size_t find_column(const char* option, const std::string& entry, const std::vector<std::string>& names,
                        const TsvOptions& options, const std::string& file) {
    const auto count = static_cast<int64_t>(names.size());
    int64_t number = 0;
    const auto parsed = std::from_chars(entry.data(), entry.data() + entry.size(), number);
    if (!entry.empty() && parsed.ptr == entry.data() + entry.size() && entry[0] != '-') {
        require(parsed.ec == std::errc() && number >= 1 && number <= count,
                "data.{}: there is no such column: asked for column {}, {}:1 has {}", option, entry, file, count);
        return static_cast<std::size_t>(number - 1);
    }
    require(options.header, "data.{}: a column is named by its number where files have no header: asked for '{}', columns {}{}",
            option, entry, count, "; names need \"header\": true");
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

PairRows read_rows(Split split, const std::string& file, const TsvOptions& options) {
    const std::string hint = missing_file_hint(split, "FILE");
    require(!file.empty(), "data.{}: a file is needed: files 0, needed 1; {}", split_name(split), hint);
    const TextFile text{file, read_lines(file, {}, hint)};
    const int64_t rows_begin = options.header ? 1 : 0;
    require(text.lines.size() > rows_begin, "{}: there are no rows below the header: lines {}, needed at least {}", file,
            text.lines.size(), rows_begin + 1);
    const std::vector<std::string_view> head = split_columns(text.lines.text(0));
    std::vector<std::string> names(head.size());
    if (options.header) {
        require_utf8(text.lines.text(0), text.place(0));
        names.assign(head.begin(), head.end());
    }
    std::vector<std::size_t> sources;
    for (const std::string& entry : entries(options.source))
        sources.push_back(find_column("source", entry, names, options, file));
    const std::vector<std::string> targets = entries(options.target);
    require(targets.size() == 1, "data.target: there is one target column: '{}' names {}, needed 1", options.target,
            targets.size());
    const std::size_t target = find_column("target", targets[0], names, options, file);

    PairRows rows;
    rows.source.file = rows.target.file = file;
    rows.source.first_line = rows.target.first_line = rows_begin + 1;
    std::string joined;
    for (int64_t i = rows_begin; i < text.lines.size(); ++i) {
        const auto columns =
            columns_of(text, i, static_cast<int64_t>(head.size()), "every row has as many columns as the first line");
        joined.clear();
        for (std::size_t k = 0; k < sources.size(); ++k) {
            if (k > 0)
                joined += options.join;
            joined += columns[sources[k]];
        }
        rows.source.lines.add(joined);
        rows.target.lines.add(columns[target]);
    }
    return rows;
}

// A line to translate: the source columns with tabs between them, or joined already.
std::string join_columns(std::string_view line, const Place& place, std::size_t count, const std::string& join) {
    const std::vector<std::string_view> columns = split_columns(line);
    if (columns.size() == 1)
        return std::string(line);
    require(columns.size() == count, "{}: wrong number of source columns: columns {}, needed {}", place.text(), columns.size(),
            count);
    return fmt::format("{}", fmt::join(columns, join));
}

}  // namespace

std::unique_ptr<Task> tsv_task(const TsvOptions& options, const TaskSetup& setup) {
    PairTask task;
    task.name = "tsv";
    task.metrics = options.names();
    // As for parallel.
    task.limit_factor = 2;
    task.limit_constant = 50;
    const std::size_t sources = entries(options.source).size();
    if (sources > 1)
        task.source_line = [sources, join = options.join](std::string_view line, const Place& place) {
            return join_columns(line, place, sources, join);
        };
    PairFiles files;
    files.read = [&](Split split) {
        const auto& file = split == Split::train ? options.train : split == Split::valid ? options.valid : options.test;
        if (split != Split::train && file.empty())
            return PairRows{};
        return read_rows(split, file, options);
    };
    set_tokenizers(files, options);
    return file_pairs_task(std::move(task), files, options, options.references, setup);
}

}  // namespace attend::inline ATTEND_PRECISION
