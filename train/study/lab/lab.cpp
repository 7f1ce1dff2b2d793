#include "train/study/lab/lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "train/evaluate/text_table.h"
#include "train/study/lab/rank.h"

namespace attend::lab {

namespace {

// A table's cell: "0.0 (0.0 to 1.2)"; without an interval where nothing is drawn.
std::string percent_text(const Interval& i, bool drawn) {
    if (!drawn)
        return fmt::format("{:.1f}", 100 * i.value);
    return fmt::format("{:.1f} ({:.1f} to {:.1f})", 100 * i.value, 100 * i.low, 100 * i.high);
}

std::string short_text(double x) { return x >= 999.5 && x < 999999.5 ? fmt::format("{:.0f}", x) : fmt::format("{:.3g}", x); }

std::string number_text(const Interval& i, bool drawn) {
    if (!drawn || i.value == 0)
        return short_text(i.value);
    return fmt::format("{} ({} to {})", short_text(i.value), short_text(i.low), short_text(i.high));
}

std::string objective_of(const Row& r) { return std::string(aim_name(r.aim)) + (r.unbiased ? "" : ", biased"); }

std::string name_of(const Row& r) { return (r.configured ? "* " : "  ") + r.label; }

RecordWriter interval_json(RecordWriter j, const std::string& name, const Interval& i) {
    j.set(name, i.value);
    j.set(name + "_low", i.low);
    j.set(name + "_high", i.high);
    return j;
}

// What a part adds to its object; of a gradient that may be 0 nothing that would be divided by it.
RecordWriter part_json(RecordWriter j, const Block& b, bool drawn) {
    j.set("gradient", b.gradient);
    j.set("gradient_is_zero", !b.scaled);
    if (b.scaled) {
        j = interval_json(std::move(j), "bias", b.bias);
        j = interval_json(std::move(j), "variance", b.variance);
        j.set("cosine", b.cosine);
    }
    j.set("variance_share", b.share);
    if (drawn) {
        if (b.tail)
            j.set("tail_index", *b.tail);
        j.set("largest_draw", b.largest);
        j.set("heavy_tail", b.heavy());
    }
    return j;
}

RecordWriter row_json(const Row& r) {
    RecordWriter options;
    for (const auto& [path, value] : r.options) options.set(path, JsonText{value});
    RecordWriter j = {{"estimator", r.estimator},     {"options", options},    {"label", r.label},
                      {"objective", aim_name(r.aim)}, {"biased", !r.unbiased}, {"configured", r.configured}};
    if (!r.skipped.empty()) {
        j.set("skipped", r.skipped);
        return j;
    }
    const bool drawn = r.draws > 1;
    j.set("draws", r.draws);
    j = part_json(std::move(j), r.all, drawn);
    j.set("seconds", r.seconds);
    if (r.all.scaled)
        j.set("variance_times_cost", r.variance_times_cost());
    j.set("blocks", records_of(r.blocks, [&](const Block& b) { return part_json({{"name", b.name}}, b, drawn); }));
    return j;
}

RecordWriter ranked_json(const Ranked& r) {
    return interval_json({{"label", r.row->label}, {"distinguishable", r.distinguishable()}}, "cost_ratio", r.ratio);
}

RecordWriter checkpoint_json(const Measured& m) {
    return {{"step", m.step},
            {"rows", records_of(m.rows, row_json)},
            {"ranking", records_of(ranking(m, Aim::expected), ranked_json)}};
}

std::vector<const Row*> measured_rows(const Measured& m) {
    std::vector<const Row*> out;
    for (const Row& r : m.rows)
        if (r.skipped.empty())
            out.push_back(&r);
    return out;
}

// "expected 0.0123, marginal 0.0119": |g| of each objective; an estimator of a bound has one of its
// own.
std::string gradients_text(const std::vector<const Row*>& rows, const std::function<const Block&(const Row&)>& part) {
    std::vector<std::string> all;
    for (const Row* r : rows) {
        const Block& b = part(*r);
        std::string text =
            fmt::format("{} {}", aim_name(r->aim), b.scaled ? fmt::format("{:.3g}", b.gradient) : "0, or not told from 0");
        if (std::ranges::find(all, text) == all.end())
            all.push_back(std::move(text));
    }
    return fmt::format("{}", fmt::join(all, ", "));
}

const std::string no_unit = "no unit: |g| is 0";

std::string all_table(const std::vector<const Row*>& rows) {
    std::vector<std::vector<std::string>> cells = {
        {"  estimator", "objective", "bias % (95 %)", "variance (95 %)", "cosine", "ms", "var x ms"}};
    for (const Row* r : rows) {
        const bool drawn = r->draws > 1, scaled = r->all.scaled;
        cells.push_back({name_of(*r), objective_of(*r), scaled ? percent_text(r->all.bias, drawn) : no_unit,
                         scaled ? number_text(r->all.variance, drawn) : "", scaled ? fmt::format("{:.3f}", r->all.cosine) : "",
                         fmt::format("{:.2f}", 1e3 * r->seconds), scaled ? short_text(1e3 * r->variance_times_cost()) : ""});
    }
    return text_table(
        cells,
        {{}, {Align::left, 9}, {Align::left, 20}, {Align::left, 24}, {Align::right, 6}, {Align::right, 7}, {Align::right, 8}});
}

std::string block_table(const std::vector<const Row*>& rows, std::size_t b) {
    std::vector<std::vector<std::string>> cells = {
        {"  estimator", "objective", "bias % (95 %)", "variance (95 %)", "cosine", "% of all var"}};
    for (const Row* r : rows) {
        const Block& block = r->blocks[b];
        const bool drawn = r->draws > 1, scaled = block.scaled;
        cells.push_back({name_of(*r), objective_of(*r), scaled ? percent_text(block.bias, drawn) : no_unit,
                         scaled ? number_text(block.variance, drawn) : "", scaled ? fmt::format("{:.3f}", block.cosine) : "",
                         fmt::format("{:.1f}", 100 * block.share)});
    }
    const std::vector<Column> columns = {
        {}, {Align::left, 9}, {Align::left, 20}, {Align::left, 24}, {Align::right, 6}, {Align::right, 12}};
    return fmt::format("\nblock {}, in units of its own gradient; |g|: {}\n", rows.front()->blocks[b].name,
                       gradients_text(rows, [b](const Row& r) -> const Block& { return r.blocks[b]; })) +
           text_table(cells, columns);
}

// One line for each estimator with heavy tails.
std::string tails_text(const std::vector<const Row*>& rows) {
    std::string text;
    for (const Row* r : rows) {
        std::vector<std::string> parts;
        const auto look = [&](const Block& b) {
            if (b.heavy())
                parts.push_back(fmt::format("{} ({}largest draw {:.0f} %)", b.name,
                                            b.tail ? fmt::format("k {:.2f}, ", *b.tail) : "", 100 * b.largest));
        };
        look(r->all);
        for (const Block& b : r->blocks) look(b);
        if (!parts.empty())
            text += fmt::format("  {}: {}\n", r->label, fmt::join(parts, ", "));
    }
    if (text.empty())
        return "";
    return "\nheavy tails: rare draws carry the variance, so it and its interval may be too small\n(tail index k from 0.7 on, "
           "or one draw with a quarter of the sum of squares):\n" +
           text;
}

std::string text_of(const Measured& m, const Report& report) {
    const std::vector<const Row*> rows = measured_rows(m);
    std::string text =
        fmt::format("step {}; |g|: {}\n", m.step, gradients_text(rows, [](const Row& r) -> const Block& { return r.all; }));
    text += all_table(rows);
    for (std::size_t b = 0; b < rows.front()->blocks.size(); ++b) text += block_table(rows, b);
    text += tails_text(rows);
    std::string skipped;
    for (const Row& r : m.rows)
        if (!r.skipped.empty())
            skipped += fmt::format("{}: not here: {}\n", r.label, r.skipped);
    return text + "\n" + skipped +
           fmt::format(
               "* the configured one; bias and variance in units of |g| and |g|^2, g the {} gradient of each objective\n\n",
               report.exact ? "exact" : "mean of many draws as");
}

}  // namespace

std::string text_of(const Report& report) {
    std::string text = fmt::format("{}: estimates of the gradient on {} rows with {} targets, {} draws each\n\n", report.name,
                                   report.rows, report.targets, report.draws);
    for (const Measured& m : report.checkpoints) text += text_of(m, report);
    return text + report.recommendation + "\n";
}

RecordWriter json_of(const Report& report) {
    const std::vector<RecordWriter> checkpoints = records_of(report.checkpoints, checkpoint_json);
    return {{"format", int64_t{2}},  {"name", report.name},        {"objective", report.objective},
            {"rows", report.rows},   {"targets", report.targets},  {"draws", report.draws},
            {"exact", report.exact}, {"checkpoints", checkpoints}, {"recommendation", report.recommendation}};
}

}  // namespace attend::lab
