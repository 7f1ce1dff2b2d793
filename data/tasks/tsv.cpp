#include "data/tasks/tsv.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/text/columns.h"
#include "data/text/lines.h"

namespace attend {

namespace {

// The entries of a list with commas, blanks around them left out.
std::vector<std::string> entries(std::string_view list) {
    std::vector<std::string> all;
    for (std::string_view entry : split_columns(list, ',')) {
        while (entry.starts_with(' ')) entry.remove_prefix(1);
        while (entry.ends_with(' ')) entry.remove_suffix(1);
        all.emplace_back(entry);
    }
    return all;
}

PairRows read_rows(Split split, const std::string& file, const TsvOptions& options) {
    const TextFile text = read_split(split, file);
    const std::vector<std::string> names = column_names(text, options.header);
    const int64_t rows_begin = options.header ? 1 : 0;
    std::vector<std::size_t> sources;
    for (const std::string& entry : entries(options.source))
        sources.push_back(find_column("source", entry, names, options.header, file));
    const std::vector<std::string> targets = entries(options.target);
    require(targets.size() == 1, "data.target: there is one target column: '{}' names {}, needed 1", options.target,
            targets.size());
    const std::size_t target = find_column("target", targets[0], names, options.header, file);

    PairRows rows;
    rows.source.file = rows.target.file = file;
    rows.source.first_line = rows.target.first_line = rows_begin + 1;
    std::string joined;
    for (int64_t i = rows_begin; i < text.lines.size(); ++i) {
        const auto columns = columns_of(text, i, static_cast<int64_t>(names.size()), same_columns);
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
    else
        task.source_line = [](std::string_view line, const Place& place) {
            const auto tabs = std::count(line.begin(), line.end(), '\t');
            require(tabs == 0, "{}: a line to translate is the source column alone: columns {}, needed 1", place.text(),
                    tabs + 1);
            return std::string(line);
        };
    PairFiles files;
    files.read = [&](Split split) {
        const std::string& file = options.of(split);
        return split != Split::train && file.empty() ? PairRows{} : read_rows(split, file, options);
    };
    set_tokenizers(files, options, options);
    return file_pairs_task(std::move(task), files, options, options.references, setup);
}

}  // namespace attend
