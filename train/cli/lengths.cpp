#include "train/cli/lengths.h"

#include <algorithm>

#include "train/config/words.h"
#include "train/evaluate/scores.h"
#include "train/evaluate/text_table.h"
#include "train/records/record_writer.h"
#include "train/study/compare/examples.h"

namespace attend::cli {

namespace {

constexpr const char* by_help =
    "a table by the length of the examples, in symbols: of the source, or of the target without its end (of running text and "
    "of texts to classify: all that the model reads)";

// What stands between the commas; what is no number is refused with its text.
std::vector<int64_t> edges_of(const std::string& text) {
    std::vector<double> edges;
    for (const std::string& part : parts_of(text, ',')) {
        require(!part.empty() && part.size() <= 10 && part.find_first_not_of("0123456789") == std::string::npos,
                "--bins: not a length: '{}', allowed integers from 0, with commas between", part);
        edges.push_back(std::stod(part));
    }
    return checked_edges(edges, "--bins");
}

Side side_of(const LengthArguments& a) { return a.by == side_name(Side::source) ? Side::source : Side::target; }

std::string cell_text(const MetricsByLength::Cell& cell) {
    if (!cell.value)
        return "-";
    std::string text = fmt::format("{:.4f}", *cell.value);
    if (cell.interval)
        text += fmt::format("  [{:.4f}, {:.4f}]", cell.interval->low, cell.interval->high);
    return text;
}

}  // namespace

void add_lengths(CommandLine& app, LengthArguments& a) {
    const Option by =
        app.add_option("--by", a.by, by_help).check({side_name(Side::source), side_name(Side::target)}).type_name("SIDE");
    static const std::string help = fmt::format(
        "with --by: the greatest length of each bin but the last, as 10,20,30 for up to 10, 11-20, 21-30, 31 and more "
        "(default: {})",
        bins_rule);
    app.add_option("--bins", a.bins, help.c_str()).type_name("LENGTHS").needs(by);
}

void check_lengths(const LengthArguments& a, bool sources) {
    require(sources || a.by != side_name(Side::source),
            "--by source: there are no sources here; --by target counts what the "
            "model reads");
    if (!a.bins.empty())
        (void)edges_of(a.bins);
}

std::optional<MetricsByLength> metrics_by_length(const LengthArguments& a, const ExampleScores& scores,
                                                 const BootstrapSetup& intervals, Workers& workers) {
    if (a.by.empty())
        return std::nullopt;
    MetricsByLength table{side_of(a), scores.metrics, {}};
    const std::vector<LengthBin> bins =
        a.bins.empty() ? bins_for(*lengths_of(scores, table.side)) : bins_between(edges_of(a.bins));
    std::vector<std::vector<BinScores>> of;  // [metrics][bins]
    for (const std::string& name : scores.metrics) of.push_back(by_length(scores, name, table.side, bins));
    for (const BinScores& b : of.front())
        table.lines.push_back({b.bin, b.examples, b.length, std::vector<MetricsByLength::Cell>(of.size())});
    workers.run(static_cast<int>(of.size()), [&](int i) {
        const auto m = static_cast<std::size_t>(i);
        for (std::size_t b = 0; b < bins.size(); ++b) {
            MetricsByLength::Cell& cell = table.lines[b].cells[m];
            cell.value = of[m][b].value;
            // Of fewer examples a bootstrap covers too little: of 2 to 5 in 49 to 82 % where 95 are asked for. Shares have
            // exact limits.
            constexpr std::size_t fewest = 10;
            const Metric metric = metric_of(scores.metrics[m]);
            if (of[m][b].of.size() < fewest && !compare::limits_of_share(metric, of[m][b].of, intervals.level))
                continue;
            if (const auto l = compare::limits_for_new_examples(metric, of[m][b].of, intervals))
                cell.interval = Interval{l->low, l->high};
        }
    });
    for (std::size_t m = of.size(); m-- > 0;) {  // what no bin has a value of is left out
        if (std::ranges::any_of(of[m], [](const BinScores& b) { return b.value.has_value(); }))
            continue;
        table.metrics.erase(table.metrics.begin() + static_cast<std::ptrdiff_t>(m));
        for (MetricsByLength::Line& line : table.lines) line.cells.erase(line.cells.begin() + static_cast<std::ptrdiff_t>(m));
    }
    std::erase_if(table.lines, [](const MetricsByLength::Line& line) { return line.examples == 0; });
    return table;
}

std::string text_of(const MetricsByLength& t) {
    constexpr std::size_t columns = 3;
    std::string text;
    for (std::size_t begin = 0; begin < t.metrics.size(); begin += columns) {
        const std::size_t end = std::min(begin + columns, t.metrics.size());
        std::vector<std::vector<std::string>> rows = {{fmt::format("{} symbols", side_name(t.side)), "examples"}};
        for (std::size_t m = begin; m < end; ++m) rows[0].push_back(t.metrics[m]);
        for (const MetricsByLength::Line& line : t.lines) {
            rows.push_back({bin_name(line.bin), std::to_string(line.examples)});
            for (std::size_t m = begin; m < end; ++m) rows.back().push_back(cell_text(line.cells[m]));
        }
        text += (begin > 0 ? "\n" : "") + text_table(rows, {{}, {Align::right}});
    }
    return text;
}

std::string json_of(const MetricsByLength& t) {
    const auto bin = [&](const MetricsByLength::Line& line) {
        RecordWriter metrics, intervals;
        for (std::size_t m = 0; m < t.metrics.size(); ++m) {
            const MetricsByLength::Cell& cell = line.cells[m];
            if (cell.value)
                metrics.set(t.metrics[m], *cell.value);
            if (cell.interval)
                intervals.set(t.metrics[m], std::vector<double>{cell.interval->low, cell.interval->high});
        }
        return RecordWriter{
            {"from", line.bin.from},
            {"to", line.bin.to == LengthBin::no_end ? RecordWriter::Value(nullptr) : RecordWriter::Value(line.bin.to)},
            {"length", line.length},
            {"examples", line.examples},
            {"metrics", metrics},
            {"intervals", intervals}};
    };
    return RecordWriter{{"side", side_name(t.side)}, {"bins", records_of(t.lines, bin)}}.text();
}

}  // namespace attend::cli
