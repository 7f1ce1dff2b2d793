#include <fmt/format.h>
#include <cerrno>
#include <cstring>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "core/base/file_errors.h"
#include "core/base/json_text.h"
#include "train/cli/cli.h"
#include "train/cli/csv.h"
#include "train/records/run_folder.h"

namespace attend::cli {

namespace {
struct MetricsArguments {
    std::string run, split;
};

// The lines of metrics.jsonl, of one split or of all.
std::vector<Json> lines_of(const std::filesystem::path& path, const std::string& split) {
    require(is_there(path), "{}: no metrics yet: the file is missing", path.string());
    require(is_regular(path), "{}: the metrics of a run are a file: it is {}", path.string(),
            is_folder(path) ? "a folder" : "a pipe or a device");
    std::ifstream file(path);
    require(file.good(), "{}: cannot be read: {}", path.string(), std::strerror(errno));
    std::vector<Json> lines;
    std::vector<std::string> splits;  // that the file has
    int64_t number = 0;
    for (std::string text; std::getline(file, text);) {
        ++number;
        std::optional<Json> read = json_if_valid<Json>(text);
        if (!read && file.eof())
            break;  // a run at work is writing it
        Json line = read ? std::move(*read) : parse_json<Json>(fmt::format("{}:{}", path.string(), number), text);
        require(line.is_object() && line.contains("split") && line["split"].is_string(),
                "{}:{}: not a line of metrics: an object with 'step' and 'split' was expected", path.string(), number);
        const auto name = line["split"].get<std::string>();
        if (std::find(splits.begin(), splits.end(), name) == splits.end())
            splits.push_back(name);
        if (split.empty() || name == split)
            lines.push_back(std::move(line));
    }
    require(!splits.empty(), "{}: no metrics yet: lines 0", path.string());
    require(!lines.empty(), "{}: no lines of this split: --split {}, splits there are {}", path.string(), split,
            fmt::join(splits, ", "));
    return lines;
}

std::string cell(const Json& value) {
    return value.is_string() ? csv_text(value.get<std::string>()) : csv_number(value.dump());
}
}  // namespace

Action declare_metrics(CommandLine& app) {
    auto a = std::make_shared<MetricsArguments>();
    app.add_option("RUN", a->run, "a run's folder").required();
    app.add_option("--split", a->split, "only this one: train, valid or test (default: all)").check({"train", "valid", "test"});
    app.footer("A text that begins as a spreadsheet's formulas do (= + - @) gets an apostrophe in front.");
    return [a](Streams& streams) {
        const RunFolder run(a->run);
        require(is_there(run.config()), "{}: no run in this folder: config.json is missing", a->run);
        const std::vector<Json> lines = lines_of(run.metrics(), a->split);
        std::vector<std::string> columns;  // in the order they first come
        for (const Json& line : lines)
            for (const auto& [name, value] : line.items())
                if (std::find(columns.begin(), columns.end(), name) == columns.end())
                    columns.push_back(name);
        for (std::size_t c = 0; c < columns.size(); ++c) streams.out << (c ? "," : "") << csv_text(columns[c]);
        streams.out << "\n";
        for (const Json& line : lines) {
            for (std::size_t c = 0; c < columns.size(); ++c)
                streams.out << (c ? "," : "") << (line.contains(columns[c]) ? cell(line[columns[c]]) : "");
            streams.out << "\n";
        }
        return 0;
    };
}

}  // namespace attend::cli
