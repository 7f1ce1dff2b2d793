#include "train/show/report/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "data/text/json_text.h"
#include "train/config/describe.h"
#include "train/config/reader.h"
#include "train/records/maps.h"
#include "train/show/report/page.h"
#include "train/records/resume.h"
#include "train/records/summary.h"

namespace attend {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_file = std::size_t{1} << 28, largest_small_file = std::size_t{1} << 22;
constexpr std::size_t most_sample_text = 400'000;
constexpr std::string_view step_mark = "== step ";

// A JSON file of the run; null, with a note where it is there, when it cannot be read.
Json json_file(const fs::path& path, Json& notes) {
    if (!is_there(path))
        return nullptr;
    try {
        Json json = load_json<Json>(path, largest_small_file);
        if (json.is_object())
            return json;
        notes.push_back(fmt::format("{} is left out: it is not a JSON object.", path.filename().string()));
    } catch (const Error& e) {
        notes.push_back(fmt::format("{} is left out: {}", path.filename().string(), e.what()));
    }
    return nullptr;
}

std::string text_file(const fs::path& path, const char* what, Json& notes) {
    try {
        if (is_there(path))
            return read_file(path, largest_file);
        notes.push_back(fmt::format("The run has no {} ({}).", what, path.filename().string()));
    } catch (const Error& e) {
        notes.push_back(fmt::format("{} is left out: {}", path.filename().string(), e.what()));
    }
    return {};
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

bool is_value(const Json& v) { return v.is_number() || v == "nan" || v == "inf" || v == "-inf"; }

// Where there are too many lines, those with the least and the greatest loss of each of equal stretches stay, so that no peak
// is lost, and the first and the last.
std::vector<Json> thinned(std::vector<Json> lines) {
    if (lines.size() <= most_points)
        return lines;
    std::vector<Json> kept;
    const std::size_t stretches = most_points / 2 - 1, inner = lines.size() - 2;
    const auto loss = [&](std::size_t i) { return lines[i]["loss"].is_number() ? lines[i]["loss"].get<double>() : INFINITY; };
    kept.push_back(lines.front());
    for (std::size_t s = 0; s < stretches; ++s) {
        const std::size_t begin = 1 + s * inner / stretches, end = 1 + (s + 1) * inner / stretches;
        std::size_t least = begin, greatest = begin;
        for (std::size_t i = begin; i < end; ++i) {
            least = loss(i) < loss(least) ? i : least;
            greatest = loss(i) > loss(greatest) ? i : greatest;
        }
        kept.push_back(lines[std::min(least, greatest)]);
        if (least != greatest)
            kept.push_back(lines[std::max(least, greatest)]);
    }
    kept.push_back(lines.back());
    return kept;
}

Json run_metrics(const RunFolder& run, Json& notes) {
    std::map<std::string, std::vector<Json>> splits;
    int64_t broken = 0;
    const std::string text = text_file(run.metrics(), "metrics", notes);
    for (const std::string_view each : lines_of(text)) {
        Json line = json_if_valid<Json>(each).value_or(nullptr);
        const bool good = line.is_object() && line.contains("step") && line["step"].is_number_integer() &&
                          line.contains("split") && line["split"].is_string();
        if (!good) {
            ++broken;
            continue;
        }
        if (!line.contains("loss"))
            line["loss"] = nullptr;
        const auto split = line["split"].get<std::string>();
        splits[split].push_back(std::move(line));
    }
    if (broken > 0)
        notes.push_back(fmt::format("metrics.jsonl: {} lines are no metrics and are left out.", broken));
    Json result = Json::object();
    for (auto& [split, lines] : splits) {
        const std::size_t all = lines.size();
        lines = thinned(std::move(lines));
        if (lines.size() < all)
            notes.push_back(fmt::format("Curves of the {} split show {} of {} lines, lowest and highest losses among them.",
                                        split, lines.size(), all));
        std::vector<std::string> names;  // in the order they first come
        for (const Json& line : lines)
            for (const auto& [name, value] : line.items())
                if (is_value(value) && name != "step" && std::find(names.begin(), names.end(), name) == names.end())
                    names.push_back(name);
        Json steps = Json::array(), values = Json::object();
        for (const Json& line : lines) {
            steps.push_back(line["step"]);
            for (const std::string& name : names)
                values[name].push_back(line.contains(name) && is_value(line[name]) ? line[name] : Json());
        }
        result[split] = {{"step", std::move(steps)}, {"values", std::move(values)}};
    }
    return result;
}

Json run_samples(const RunFolder& run, Json& notes) {
    const std::string text = text_file(run.samples(), "samples", notes);
    struct Block {
        Json evaluation;
        std::size_t bytes = 0;
    };
    std::vector<Block> blocks;
    bool skip = true;
    for (const std::string_view line : lines_of(text)) {
        if (line.starts_with(step_mark)) {
            const std::string rest(line.substr(step_mark.size()));
            const std::size_t blank = std::min(rest.find(' '), rest.size());
            const std::string scores = blank < rest.size() ? rest.substr(rest.find_first_not_of(' ', blank)) : "";
            skip = scores.starts_with("attention of");
            if (!skip)
                blocks.push_back(
                    {{{"step", std::strtoll(rest.c_str(), nullptr, 10)}, {"scores", scores}, {"items", Json::array()}}});
            continue;
        }
        if (skip)
            continue;
        Json& items = blocks.back().evaluation["items"];
        blocks.back().bytes += line.size();
        if (line.starts_with("source     "))
            items.push_back({{"source", line.substr(11)}, {"reference", ""}, {"decoded", ""}});
        else if (!items.empty() && (line.starts_with("reference  ") || line.starts_with("decoded    ")))
            items.back()[line.starts_with("r") ? "reference" : "decoded"] = line.substr(11);
    }
    std::size_t bytes = 0;
    for (const Block& b : blocks) bytes += b.bytes;
    std::size_t kept = std::min(blocks.size(), most_sampled);
    if (bytes > most_sample_text)
        kept = std::min(kept, std::max<std::size_t>(2, blocks.size() * most_sample_text / bytes));
    if (kept < blocks.size())
        notes.push_back(
            fmt::format("Samples of {} of {} evaluations are shown; samples.txt has them all.", kept, blocks.size()));
    Json result = Json::array();
    for (std::size_t i = 0; i < kept; ++i)
        result.push_back(blocks[kept < 2 ? 0 : i * (blocks.size() - 1) / (kept - 1)].evaluation);
    return result;
}

// Of the newest checkpoint: what data and vocabulary the run has seen.
Json run_state(const RunFolder& run, Json& notes) {
    Json result = {{"data", ""}, {"vocabulary", ""}};
    const Json state = json_file(run.last() / "state.json", notes);
    if (state.is_null())
        return result;
    for (auto& [name, value] : result.items())
        if (state.contains(name) && state[name].is_string())
            value = state[name];
    return result;
}

// What a reader must know before comparing the run with others.
void add_warnings(const Json& config, const Json& summary, Json& notes) {
    if (config.is_object() && config.contains("extended")) {
        try {
            const std::string text = extended_text(config::read<ExtendedOptions>(config::parse_object(
                config["extended"].dump(-1, ' ', false, Json::error_handler_t::replace), config::file_source("config.json"))));
            if (!text.empty())
                notes.push_back("This run was extended: " + text + ". One of as many steps at once can be another.");
        } catch (const Error& e) {
            notes.push_back(fmt::format("extended: {}", e.what()));
        }
    }
    if (!summary.is_object() || !summary.contains("loss_exploded"))
        return;
    const Json& e = summary["loss_exploded"];
    if (e.is_object() && e.contains("split") && e["split"].is_string() && e.contains("first") && e["first"].is_number() &&
        e.contains("last") && e["last"].is_number())
        notes.push_back(fmt::format("The loss of the {} split ended at {}, far above {}, where training began.",
                                    e["split"].get<std::string>(), short_number(e["last"]), short_number(e["first"])));
}

// Walks a config along the listing of all options.
class ConfigRows {
  public:
    Json rows = Json::array();

    void members(const std::vector<config::Option>& options, const Json& object) {
        for (const config::Option& option : options) {
            const std::string name = option.path.substr(option.path.rfind('.') + 1);
            if (!object.is_object() || !object.contains(name))
                continue;
            const Json& value = object[name];
            if (option.kind == config::Option::Kind::object)
                members(option.members, value);
            else if (option.kind == config::Option::Kind::selection)
                selection(option, value);
            else
                add(option.path, value, json_if_valid<Json>(option.initial).value_or(nullptr), option);
        }
    }
    // What no option of this program explains.
    void others(const Json& value, const std::string& path) {
        if (value.is_object() && !value.empty()) {
            for (const auto& [name, inner] : value.items())
                others(inner, path.empty() ? name : fmt::format("{}.{}", path, name));
        } else if (std::none_of(rows.begin(), rows.end(), [&](const Json& row) { return row["path"] == path; })) {
            rows.push_back({{"path", path},
                            {"value", value.dump(-1, ' ', false, Json::error_handler_t::replace)},
                            {"default", nullptr},
                            {"changed", true},
                            {"help", ""}});
        }
    }

  private:
    void selection(const config::Option& option, const Json& value) {
        if (!value.is_object() || !value.contains(option.row_key))
            return;
        const Json& name = value[option.row_key];
        add(option.path + "." + option.row_key, name, json_if_valid<Json>(option.initial).value_or(nullptr), option);
        for (const config::OptionRow& row : option.rows)
            if (name == row.name)
                members(row.options, value);
    }
    void add(const std::string& path, const Json& value, const Json& initial, const config::Option& option) {
        // 1 and 1.0 are the same, and so are "auto" and what it stands for.
        const bool same =
            value == initial || (value.is_number() && initial.is_number() && value.get<double>() == initial.get<double>());
        const auto text = [](const Json& v) { return v.dump(-1, ' ', false, Json::error_handler_t::replace); };
        rows.push_back(
            {{"path", path}, {"value", text(value)}, {"default", text(initial)}, {"changed", !same}, {"help", option.help}});
    }
};

}  // namespace

Json run_config(const Json& config) {
    ConfigRows walked;
    walked.members(config::describe<Experiment>(), config);
    walked.others(config, "");
    return std::move(walked.rows);
}

// Why a page has no attention maps, as a sentence.
Json no_maps(const RunFolder& run, const Json& config) {
    if (!map_files(run.maps()).empty())
        return "The attention maps that were kept cannot be shown here: see the notes above.";
    const Json nothing;
    const Json* maps = &config;
    for (const char* key : {"train", "maps"}) maps = maps->is_object() && maps->contains(key) ? &(*maps)[key] : &nothing;
    if (maps->is_number_integer() && maps->get<int64_t>() == 0)
        return "No attention maps were kept: option train.maps is 0.";
    return fmt::format("No attention maps were kept: nothing was evaluated yet, or every example is longer than {} symbols.",
                       longest_looked_at);
}

Json run_data(const RunFolder& run, int64_t room) {
    require(is_there(run.config()), "{}: no run in this folder: config.json is missing", run.root().string());
    Json notes = Json::array();
    const Json config = json_file(run.config(), notes);
    Json data;
    const bool named = config.is_object() && config.contains("name") && config["name"].is_string();
    const fs::path folder = run.root().has_filename() ? run.root() : run.root().parent_path();
    data["name"] = named ? config["name"].get<std::string>() : folder.filename().string();
    data["folder"] = folder.filename().string();
    data["config"] = run_config(config);
    data["summary"] = json_file(run.summary(), notes);
    if (data["summary"].is_null())
        notes.push_back("The run has not ended, or was killed: there is no summary.json.");
    add_warnings(config, data["summary"], notes);
    data["state"] = run_state(run, notes);
    data["metrics"] = run_metrics(run, notes);
    data["samples"] = run_samples(run, notes);
    data["maps"] = run_maps(run, room, notes);
    data["no_maps"] = data["maps"].is_null() ? no_maps(run, config) : Json(nullptr);
    data["lab"] = json_file(run.root() / "lab.json", notes);
    data["notes"] = std::move(notes);
    return data;
}

std::string report_page(std::span<const fs::path> runs) {
    require(!runs.empty(), "report: nothing to report: runs {}, least 1", runs.size());
    Json data = {{"runs", Json::array()}};
    for (const fs::path& path : runs) {
        require(is_there(path), "{}: no such run: nothing of that name", path.string());
        data["runs"].push_back(run_data(RunFolder(path), room_for_maps / static_cast<int64_t>(runs.size())));
    }
    std::string title = data["runs"][0]["name"].get<std::string>();
    if (runs.size() > 1)
        title += fmt::format(" and {} other run{}", runs.size() - 1, runs.size() == 2 ? "" : "s");
    const std::vector<std::string_view> scripts = {"curves.js", "maps.js", "report.js"};
    return html_page(title, scripts, data);
}

void write_report(std::span<const fs::path> runs, const fs::path& to) { write_file_atomically(to, report_page(runs)); }

std::string try_to_report(const RunFolder& run) {
    try {
        write_report({&run.root(), 1}, run.report());
        return {};
    } catch (const std::exception& e) {
        return message_of(e);
    }
}

}  // namespace attend
