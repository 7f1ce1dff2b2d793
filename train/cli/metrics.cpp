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
#include "train/study/compare/folder.h"

namespace attend::cli {

namespace {
struct MetricsArguments {
    std::string run, split;
};

// Lines of metrics.jsonl, and the splits that the file has.
struct MetricsLines {
    std::vector<Json> lines;
    std::vector<std::string> splits;
};

// Those of one split or of all.
MetricsLines lines_of(const std::filesystem::path& path, const std::string& split) {
    require(is_regular(path), "{}: the metrics of a run are a file: it is {}", path.string(),
            is_folder(path) ? "a folder" : "a pipe or a device");
    std::ifstream file(path);
    require(file.good(), "{}: cannot be read: {}", path.string(), std::strerror(errno));
    MetricsLines found;
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
        if (std::find(found.splits.begin(), found.splits.end(), name) == found.splits.end())
            found.splits.push_back(name);
        if (split.empty() || name == split)
            found.lines.push_back(std::move(line));
    }
    return found;
}

void require_any(const MetricsLines& found, const std::filesystem::path& path, const std::string& split) {
    require(!found.splits.empty(), "{}: no metrics yet: lines 0", path.string());
    require(!found.lines.empty(), "{}: no lines of this split: --split {}, splits there are {}", path.string(), split,
            fmt::join(found.splits, ", "));
}

std::vector<Json> lines_of_run(const MetricsArguments& a) {
    const RunFolder run(a.run);
    require(is_there(run.config()), "{}: no run in this folder: config.json is missing", a.run);
    require(is_there(run.metrics()), "{}: no metrics yet: the file is missing", run.metrics().string());
    MetricsLines found = lines_of(run.metrics(), a.split);
    require_any(found, run.metrics(), a.split);
    return std::move(found.lines);
}

// Of all runs of a comparison, each line with its variant and seed in front.
std::vector<Json> lines_of_comparison(const MetricsArguments& a) {
    const compare::Comparison c = compare::read_folder(a.run);
    MetricsLines all;
    for (const compare::Variant& v : c.variants)
        for (const int64_t seed : c.seeds) {
            const RunFolder run(std::filesystem::path(a.run) / v.name / compare::seed_name(seed));
            if (!is_there(run.metrics()))
                continue;
            MetricsLines found = lines_of(run.metrics(), a.split);
            for (Json& line : found.lines) {
                Json& whole = all.lines.emplace_back();
                whole = {{"variant", v.name}, {"seed", seed}};
                whole.update(line);
            }
            all.splits.insert(all.splits.end(), found.splits.begin(), found.splits.end());
        }
    std::ranges::sort(all.splits);
    all.splits.erase(std::ranges::unique(all.splits).begin(), all.splits.end());
    require_any(all, a.run, a.split);
    return std::move(all.lines);
}

std::string cell(const Json& value) {
    return value.is_string() ? csv_text(value.get<std::string>()) : csv_number(value.dump());
}
}  // namespace

Action declare_metrics(CommandLine& app) {
    auto a = std::make_shared<MetricsArguments>();
    app.add_option("RUN", a->run, "a run's folder, or a comparison's: all its runs, with the columns variant and seed in front")
        .required();
    app.add_option("--split", a->split, "only this one: train, valid or test (default: all)").check({"train", "valid", "test"});
    app.footer("A text that begins as a spreadsheet's formulas do (= + - @) gets an apostrophe in front.");
    return [a](Streams& streams) {
        const std::vector<Json> lines = compare::is_comparison_folder(a->run) ? lines_of_comparison(*a) : lines_of_run(*a);
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
