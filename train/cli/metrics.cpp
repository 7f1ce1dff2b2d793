#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/run/run_folder.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
struct Arguments {
    std::string run, split;
};

// The lines of metrics.jsonl, of one split or of all.
std::vector<Json> lines_of(const std::filesystem::path& path, const std::string& split) {
    std::ifstream file(path);
    require(file.good(), "{}: no metrics yet: the file is missing", path.string());
    std::vector<Json> lines;
    std::vector<std::string> splits;  // that the file has
    int64_t number = 0;
    for (std::string text; std::getline(file, text);) {
        ++number;
        Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
        if (file.eof() && !line.is_object())
            break;  // a run at work is writing it
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

// As RFC 4180 has it: quoted where there is a comma, a quote or a line's end in it.
std::string cell(const Json& value) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text.find_first_of(",\"\n\r") == std::string::npos)
        return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}
}  // namespace

Action declare_metrics(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    app.add_option("RUN", a->run, "a run's folder")->required();
    app.add_option("--split", a->split, "only this one: train, valid or test (default: all)")
        ->check(CLI::IsMember({"train", "valid", "test"}));
    return [a](Streams& streams) {
        const RunFolder run(a->run);
        require(std::filesystem::exists(run.config()), "{}: no run in this folder: config.json is missing", a->run);
        const std::vector<Json> lines = lines_of(run.metrics(), a->split);
        std::vector<std::string> columns;  // in the order they first come
        for (const Json& line : lines)
            for (const auto& [name, value] : line.items())
                if (std::find(columns.begin(), columns.end(), name) == columns.end())
                    columns.push_back(name);
        for (std::size_t c = 0; c < columns.size(); ++c) streams.out << (c ? "," : "") << cell(columns[c]);
        streams.out << "\n";
        for (const Json& line : lines) {
            for (std::size_t c = 0; c < columns.size(); ++c)
                streams.out << (c ? "," : "") << (line.contains(columns[c]) ? cell(line[columns[c]]) : "");
            streams.out << "\n";
        }
        return 0;
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
