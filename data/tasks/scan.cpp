#include "data/tasks/scan.h"

#include <cmath>

#include "data/text/lines.h"

namespace attend {

namespace {

constexpr std::string_view command_mark = "IN:", actions_mark = " OUT:";

struct CommandAndActions {
    std::string_view command, actions;
};

CommandAndActions sides_of_line(std::string_view line, const Place& place) {
    require_utf8(line, place);
    int64_t outs = 0;
    std::size_t at = 0;
    for (std::size_t found = line.find(actions_mark); found != std::string_view::npos;
         found = line.find(actions_mark, found + 1), ++outs)
        at = found;
    require(line.starts_with(command_mark) && outs == 1,
            "{}: a line is 'IN: command OUT: actions': IN: at its beginning {}, OUT: {}, needed 1 of each", place.text(),
            line.starts_with(command_mark) ? 1 : 0, outs);
    return {line.substr(command_mark.size(), at - command_mark.size()), line.substr(at + actions_mark.size())};
}

enum class LinesOfTraining { all, validating, training };

// Line i validates where floor((i + 1) f) is one more than floor(i f).
bool is_wanted(int64_t i, double fraction, LinesOfTraining lines) {
    const auto place = [fraction](int64_t n) { return std::floor(static_cast<double>(n) * fraction); };
    return lines == LinesOfTraining::all || (place(i + 1) > place(i)) == (lines == LinesOfTraining::validating);
}

PairRows read_rows(Split split, const std::string& file, double fraction, LinesOfTraining lines) {
    const TextFile text = read_split(split, file);
    PairRows rows{{file, {}}, {file, {}}};
    for (int64_t i = 0; i < text.lines.size(); ++i) {
        const CommandAndActions sides = sides_of_line(text.lines.text(i), text.place(i));
        if (!is_wanted(i, fraction, lines))
            continue;
        rows.source.lines.add(sides.command);
        rows.target.lines.add(sides.actions);
        for (TextFile* side : {&rows.source, &rows.target}) side->line_numbers.push_back(i + 1);
    }
    return rows;
}

}  // namespace

std::unique_ptr<Task> scan_task(const ScanOptions& options, const TaskSetup& setup) {
    PairTask task;
    task.name = "scan";
    task.metrics = {"accuracy", "exact_match", "symbol_error_rate", "attention_entropy"};
    // "jump around left thrice" is 24 actions.
    task.limit_factor = 6;
    task.limit_constant = 10;
    const bool cuts = options.valid.empty() && options.valid_fraction > 0;
    PairFiles files;
    files.read = [&](Split split) {
        const std::string& file = options.of(split);
        if (split == Split::valid && cuts)
            return read_rows(Split::train, options.train, options.valid_fraction, LinesOfTraining::validating);
        if (split != Split::train && file.empty())
            return PairRows{};
        return read_rows(split, file, options.valid_fraction,
                         split == Split::train && cuts ? LinesOfTraining::training : LinesOfTraining::all);
    };
    set_tokenizers(files, PairUnits{}, options);
    if (cuts)
        task.notes.push_back(fmt::format("valid: {} of the training lines, evenly spaced", options.valid_fraction));
    return file_pairs_task(std::move(task), files, options, "each", setup);
}

}  // namespace attend
