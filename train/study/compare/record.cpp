#include "train/study/compare/record.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>

#include "core/base/files.h"
#include "train/records/record_reader.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_metrics = std::size_t{1} << 30;
constexpr std::size_t largest_summary = std::size_t{1} << 24;

// Targets at the step of an evaluation: in proportion between the training lines before and after
// it; after the last line that line's, before the first one as many a step as until there.
void count_targets(std::vector<Line>& lines) {
    const Line start{};
    std::vector<const Line*> train;
    for (const Line& line : lines)
        if (line.split == Split::train)
            train.push_back(&line);
    for (Line& line : lines) {
        if (line.split == Split::train)
            continue;
        const auto at = std::ranges::lower_bound(train, line.step, {}, &Line::step);
        if (at == train.end()) {
            line.targets = train.empty() ? std::nan("") : train.back()->targets;
            continue;
        }
        const Line &before = at == train.begin() ? start : *at[-1], &after = **at;
        line.targets = after.step == line.step
                           ? after.targets
                           : before.targets + (after.targets - before.targets) * static_cast<double>(line.step - before.step) /
                                                  static_cast<double>(after.step - before.step);
    }
}

}  // namespace

const char* ending_name(Ending ending) {
    constexpr std::array names = {"missing", "unfinished", "finished", "diverged", "failed"};
    return names.at(static_cast<std::size_t>(ending));
}

std::vector<Line> read_lines(const std::string& text, const std::string& where) {
    std::vector<Line> lines;
    int64_t number = 0;
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const std::string here = fmt::format("{}:{}", where, ++number);
        const auto reader = RecordReader::of_text(here, text.substr(begin, end - begin));
        Line line;
        line.split = split_named(reader.text("split"), here + ": split");
        line.step = reader.integer("step");
        line.seconds = reader.number("seconds");
        line.targets = reader.has("targets") ? reader.number("targets") : std::nan("");
        for (const std::string& name : reader.names())
            if (name != "split" && name != "step" && name != "seconds" && name != "targets")
                line.scores.values.emplace_back(name, reader.number(name));
        lines.push_back(std::move(line));
    }
    count_targets(lines);
    return lines;
}

RunRecord read_run(const fs::path& folder, int64_t seed) {
    const RunFolder run(folder);
    RunRecord record;
    record.seed = seed;
    if (!fs::exists(run.config()))
        return record;
    record.ending = Ending::unfinished;
    if (fs::exists(run.metrics()))
        record.lines = read_lines(read_file(run.metrics(), largest_metrics), run.metrics().string());
    if (!record.lines.empty())
        record.steps = record.lines.back().step;
    if (!fs::exists(run.summary()))
        return record;
    const auto summary = RecordReader::of_text(run.summary().string(), read_file(run.summary(), largest_summary));
    const std::string status = summary.text("status");
    if (status == status_name(Status::finished))
        record.ending = Ending::finished;
    else if (status == status_name(Status::diverged))
        record.ending = Ending::diverged;
    if (summary.has("message"))
        record.message = summary.text("message");
    if (summary.has("version") && summary.has("commit"))
        record.program = fmt::format("{} {}", summary.text("version"), summary.text("commit"));
    record.exploded = summary.json_text("loss_exploded");
    record.extended = summary.json_text("extended");
    record.steps = summary.integer("steps");
    record.seconds = summary.number("seconds");
    return record;
}

RunRecord with_examples(RunRecord run, const fs::path& folder, Split split, const std::string& metric, KeepScores keep) {
    const auto last = std::find_if(run.lines.rbegin(), run.lines.rend(), [&](const Line& line) { return line.split == split; });
    if (run.ending == Ending::finished && split != Split::train && last != run.lines.rend())
        if (const auto value = last->scores.find(metric); value && std::isfinite(*value)) {
            std::optional<ExampleScores> scores = read_metric_scores(folder, split, last->step, metric, *value);
            if (scores)
                run.examples = examples_of(*scores);
            if (keep == KeepScores::yes)
                run.scores = std::move(scores);
        }
    return run;
}

int64_t step_reached(const fs::path& folder) {
    constexpr std::streamoff tail = 8192;  // several lines
    std::ifstream in(RunFolder(folder).metrics(), std::ios::binary | std::ios::ate);
    if (!in)
        return 0;
    const std::streamoff size = in.tellg();
    in.seekg(std::max<std::streamoff>(0, size - tail));
    std::string text(static_cast<std::size_t>(std::min(size, tail)), '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    const std::size_t end = text.rfind('\n');
    if (end == std::string::npos || end == 0)
        return 0;
    const std::size_t before = text.rfind('\n', end - 1), begin = before == std::string::npos ? 0 : before + 1;
    try {
        return RecordReader::of_text("metrics.jsonl", text.substr(begin, end - begin)).integer("step");
    } catch (const Error&) {  // who reads it for good says what is wrong
        return 0;
    }
}

}  // namespace attend::compare
