#include "train/show/report/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json_text.h"
#include "train/config/reader.h"
#include "train/records/maps.h"
#include "train/records/resume.h"
#include "train/show/report/page.h"

namespace attend {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_file = std::size_t{1} << 28, largest_small_file = std::size_t{1} << 22;
constexpr std::size_t most_sample_text = 400'000;
constexpr std::string_view step_mark = "== step ";

// The result of `read`; when it throws, an empty value, and a note.
template <class Read>
auto read_or_note(const fs::path& path, Json& notes, Read read) -> decltype(read()) {
    try {
        return read();
    } catch (const Error& e) {
        notes.push_back(fmt::format("{} is left out: {}", path.filename().string(), e.what()));
    }
    return {};
}

// A JSON file of the run; null when it is not there, or, with a note, when it cannot be read.
Json json_file(const fs::path& path, Json& notes) {
    return read_or_note(path, notes, [&]() -> Json {
        if (!is_there(path))
            return nullptr;
        Json json = load_json<Json>(path, largest_small_file);
        require(json.is_object(), "it is not a JSON object.");
        return json;
    });
}

std::string text_file(const fs::path& path, const char* what, Json& notes) {
    return read_or_note(path, notes, [&]() -> std::string {
        if (is_there(path))
            return read_file(path, largest_file);
        notes.push_back(fmt::format("The run has no {} ({}).", what, path.filename().string()));
        return {};
    });
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

// The member of that name; null where `json` is no object or has none.
const Json& member(const Json& json, const std::string& name) {
    static const Json nothing;
    return json.is_object() && json.contains(name) ? json[name] : nothing;
}

bool is_value(const Json& v) { return v.is_number() || v == "nan" || v == "inf" || v == "-inf"; }

// When there are too many lines: the first, the last, and of each of equally long parts the lines
// with the smallest and the greatest loss, so that no peak is lost.
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
        if (!member(line, "step").is_number_integer() || !member(line, "split").is_string()) {
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
        std::vector<std::string> names;  // in the order of their first lines
        for (const Json& line : lines)
            for (const auto& [name, value] : line.items())
                if (is_value(value) && name != "step" && std::find(names.begin(), names.end(), name) == names.end())
                    names.push_back(name);
        Json steps = Json::array(), values = Json::object();
        for (const Json& line : lines) {
            steps.push_back(line["step"]);
            for (const std::string& name : names) values[name].push_back(is_value(member(line, name)) ? line[name] : Json());
        }
        result[split] = {{"step", std::move(steps)}, {"values", std::move(values)}};
    }
    return result;
}

Json run_samples(const RunFolder& run, Json& notes) {
    const std::string text = text_file(run.samples(), "samples", notes);
    std::vector<Json> blocks;
    std::size_t bytes = 0;
    bool skip = true;
    for (const std::string_view line : lines_of(text)) {
        if (line.starts_with(step_mark)) {
            const std::string rest(line.substr(step_mark.size()));
            const std::size_t blank = std::min(rest.find(' '), rest.size());
            const std::string scores = blank < rest.size() ? rest.substr(rest.find_first_not_of(' ', blank)) : "";
            skip = scores.starts_with("attention of");
            if (!skip)
                blocks.push_back(
                    {{"step", std::strtoll(rest.c_str(), nullptr, 10)}, {"scores", scores}, {"items", Json::array()}});
            continue;
        }
        if (skip)
            continue;
        Json& items = blocks.back()["items"];
        bytes += line.size();
        if (line.starts_with("source     "))
            items.push_back({{"source", line.substr(11)}, {"reference", ""}, {"decoded", ""}});
        else if (!items.empty() && (line.starts_with("reference  ") || line.starts_with("decoded    ")))
            items.back()[line.starts_with("r") ? "reference" : "decoded"] = line.substr(11);
    }
    std::size_t kept = std::min(blocks.size(), most_sampled);
    if (bytes > most_sample_text)
        kept = std::min(kept, std::max<std::size_t>(2, blocks.size() * most_sample_text / bytes));
    if (kept < blocks.size())
        notes.push_back(
            fmt::format("Samples of {} of {} evaluations are shown; samples.txt has them all.", kept, blocks.size()));
    Json result = Json::array();
    for (std::size_t i = 0; i < kept; ++i) result.push_back(blocks[kept < 2 ? 0 : i * (blocks.size() - 1) / (kept - 1)]);
    return result;
}

// From the newest checkpoint: the data and the vocabulary of the run.
Json run_state(const RunFolder& run, Json& notes) {
    const Json state = json_file(run.last() / "state.json", notes);
    Json result;
    for (const char* name : {"data", "vocabulary"}) result[name] = member(state, name).is_string() ? state[name] : Json("");
    return result;
}

// What a reader must know before the run is compared with others.
void add_warnings(const Json& config, const Json& summary, Json& notes) {
    if (config.is_object() && config.contains("extended")) {
        try {
            const std::string text = extended_text(config::read<ExtendedOptions>(config::parse_object(
                config["extended"].dump(-1, ' ', false, Json::error_handler_t::replace), config::file_source("config.json"))));
            if (!text.empty())
                notes.push_back("This run was extended: " + text +
                                ". A run of the same number of steps without an extension can have other results.");
        } catch (const Error& e) {
            notes.push_back(fmt::format("extended: {}", e.what()));
        }
    }
    const Json& e = member(summary, "loss_exploded");
    if (member(e, "split").is_string() && member(e, "first").is_number() && member(e, "last").is_number())
        notes.push_back(fmt::format("The loss of the {} split ended at {}, far above its first value {}.",
                                    e["split"].get<std::string>(), short_number(e["last"]), short_number(e["first"])));
}

std::string value_as_text(const Json& v) { return v.dump(-1, ' ', false, Json::error_handler_t::replace); }

void add_option(Json& rows, const std::string& path, const Json& value, const config::Option& option) {
    const Json initial = json_if_valid<Json>(option.value).value_or(nullptr);
    rows.push_back({{"path", path},
                    {"value", value_as_text(value)},
                    {"default", value_as_text(initial)},
                    {"changed", value != initial},  // 1 and 1.0 are equal
                    {"help", option.help}});
}

void add_options(Json& rows, const std::vector<config::Option>& options, const Json& object);

// A selection, or a list of them, as rows; of one that is no object nothing.
void add_selection(Json& rows, const config::Option& option, const Json& value) {
    if (option.pattern && value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i)
            add_selection(rows, moved(option, fmt::format("{}.{}", option.path, i)), value[i]);
        return;
    }
    if (!value.is_object() || (!value.contains(option.row_key) && option.fallback.empty()))
        return;
    const Json named = value.value(option.row_key, Json(option.fallback));
    add_option(rows, option.path + "." + option.row_key, named, option);
    for (const config::OptionRow& row : option.rows)
        if (named == row.name)
            add_options(rows, row.options, value);
}

// The members of a config as rows of a table, by the tree of all options.
void add_options(Json& rows, const std::vector<config::Option>& options, const Json& object) {
    for (const config::Option& option : options) {
        if (!object.is_object() || !object.contains(option.name))
            continue;
        const Json& value = object[option.name];
        if (option.has_members())
            add_options(rows, option.members, value);
        else if (option.rows.empty())
            add_option(rows, option.path, value, option);
        else
            add_selection(rows, option, value);
    }
}

// What is not an option of this program.
void add_others(Json& rows, const Json& value, const std::string& path) {
    const bool known_list = value.is_array() && std::any_of(rows.begin(), rows.end(), [&](const Json& row) {
                                return row["path"].get_ref<const std::string&>().starts_with(path + ".");
                            });
    if (known_list || (value.is_object() && !value.empty())) {
        for (const auto& [name, inner] : value.items())
            add_others(rows, inner, path.empty() ? name : fmt::format("{}.{}", path, name));
    } else if (std::none_of(rows.begin(), rows.end(), [&](const Json& row) { return row["path"] == path; })) {
        rows.push_back(
            {{"path", path}, {"value", value_as_text(value)}, {"default", nullptr}, {"changed", true}, {"help", ""}});
    }
}

}  // namespace

Json run_config(const Json& config) { return run_config(config::describe<Experiment>(), config); }
Json run_config(const std::vector<config::Option>& options, const Json& config) {
    Json rows = Json::array();
    add_options(rows, options, config);
    add_others(rows, config, "");
    return rows;
}

// Why a page has no attention maps, as a sentence.
Json no_maps(const RunFolder& run, const Json& config) {
    if (!map_files(run.maps()).empty())
        return "The attention maps that were kept cannot be shown here: see the notes above.";
    if (const Json& maps = member(member(config, "train"), "maps"); maps.is_number_integer() && maps.get<int64_t>() == 0)
        return "No attention maps were kept: option train.maps is 0.";
    return fmt::format("No attention maps were kept: nothing was evaluated yet, or every example is longer than {} symbols.",
                       longest_looked_at);
}

Json run_data(const RunFolder& run, int64_t room) {
    require(is_there(run.config()), "{}: no run in this folder: config.json is missing", run.root().string());
    Json notes = Json::array();
    const Json config = json_file(run.config(), notes);
    Json data;
    const fs::path folder = run.root().has_filename() ? run.root() : run.root().parent_path();
    data["name"] = member(config, "name").is_string() ? config["name"] : Json(folder.filename().string());
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
    require(!runs.empty(), "report: nothing to report: no run was named");
    Json data = {{"runs", Json::array()}};
    for (const fs::path& path : runs) {
        require(is_there(path), "{}: no such run: nothing of that name", path.string());
        data["runs"].push_back(run_data(RunFolder(path), room_for_maps / static_cast<int64_t>(runs.size())));
    }
    std::string title = data["runs"][0]["name"].get<std::string>();
    if (runs.size() > 1)
        title += fmt::format(" and {} other run{}", runs.size() - 1, runs.size() == 2 ? "" : "s");
    return html_page(title, {"curves.js", "maps.js", "report.js"}, data);
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
