#include "train/study/lab/lab.h"

#include <algorithm>

#include "train/evaluate/text_table.h"

namespace attend::lab {

namespace {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

// A table's cell: "0.0 % (0.0 to 1.2)"; without an interval where nothing is drawn.
std::string bias_text(const Row& r) {
    if (r.draws == 1)
        return percent(r.bias);
    return fmt::format("{} ({:.1f} to {:.1f})", percent(r.bias), 100 * r.bias_low, 100 * r.bias_high);
}

std::string name_of(const Row& r) { return (r.configured ? "* " : "  ") + r.label; }

const Row* least(const std::vector<const Row*>& rows) {
    const auto at = std::ranges::min_element(rows, {}, &Row::variance_times_cost);
    return at == rows.end() ? nullptr : *at;
}

// Measured rows that have an aim, declare themselves unbiased and have nothing measured against it.
std::vector<const Row*> sound(const Measured& m, Aim aim) {
    std::vector<const Row*> out;
    for (const Row& r : m.rows)
        if (r.skipped.empty() && r.aim == aim && r.unbiased && (r.bias_low <= 0 || r.draws == 1))
            out.push_back(&r);
    return out;
}

RecordWriter block_json(const Block& b) { return {{"name", b.name}, {"variance", b.variance}, {"bias", b.bias}}; }

RecordWriter row_json(const Row& r) {
    RecordWriter options;
    for (const auto& [path, value] : r.options) options.set(path, JsonText{value});
    RecordWriter j = {{"estimator", r.estimator},     {"options", options},    {"label", r.label},
                      {"objective", aim_name(r.aim)}, {"biased", !r.unbiased}, {"configured", r.configured}};
    if (!r.skipped.empty()) {
        j.set("skipped", r.skipped);
        return j;
    }
    j.set("draws", r.draws);
    j.set("bias", r.bias);
    j.set("bias_low", r.bias_low);
    j.set("bias_high", r.bias_high);
    j.set("variance", r.variance);
    j.set("cosine", r.cosine);
    j.set("seconds", r.seconds);
    j.set("variance_times_cost", r.variance_times_cost());
    j.set("blocks", records_of(r.blocks, block_json));
    return j;
}

RecordWriter checkpoint_json(const Measured& m) { return {{"step", m.step}, {"rows", records_of(m.rows, row_json)}}; }

std::string text_of(const Measured& m, const Report& report) {
    std::vector<std::vector<std::string>> rows = {
        {"  estimator", "objective", "bias (95 %)", "variance", "cosine", "ms", "variance x ms"}};
    std::vector<std::vector<std::string>> blocks = {{"  estimator"}};
    for (const Block& b : m.rows.front().blocks) blocks[0].push_back(b.name);
    std::string skipped;
    for (const Row& r : m.rows) {
        if (!r.skipped.empty()) {
            skipped += fmt::format("{}: not here: {}\n", r.label, r.skipped);
            continue;
        }
        rows.push_back({name_of(r), aim_name(r.aim), bias_text(r), fmt::format("{:.4g}", r.variance),
                        fmt::format("{:.3f}", r.cosine), fmt::format("{:.2f}", 1e3 * r.seconds),
                        fmt::format("{:.4g}", 1e3 * r.variance_times_cost())});
        blocks.push_back({name_of(r)});
        for (const Block& b : r.blocks) blocks.back().push_back(fmt::format("{:.4g}", b.variance));
    }
    const std::vector<Column> columns = {
        {}, {Align::left, 9}, {Align::left, 24}, {Align::right, 9}, {Align::right, 7}, {Align::right, 8}, {Align::right, 13}};
    std::vector<Column> block_columns(blocks[0].size(), {Align::right, 9});
    block_columns[0] = {};
    return fmt::format("step {}\n", m.step) + text_table(rows, columns) + "\nvariance by block\n" +
           text_table(blocks, block_columns) + skipped +
           fmt::format(
               "* the configured one; bias and variance in units of |g| and |g|^2, g the {} gradient of each objective\n\n",
               report.exact ? "exact" : "mean of many draws as");
}

}  // namespace

std::string recommend(const Report& report) {
    const Measured& last = report.checkpoints.back();
    const Row& own = last.rows.front();
    const Row* exact = nullptr;
    for (const Row& r : last.rows)
        if (r.skipped.empty() && r.draws == 1 && r.unbiased)
            exact = &r;
    const Row* best = least(sound(last, Aim::expected));
    std::string text = "None of the unbiased estimators of the expected objective was measured";
    if (best != nullptr) {
        text =
            fmt::format("Of the unbiased estimators of the expected objective '{}' costs least for its accuracy", best->label);
        if (own.aim == Aim::expected && own.label != best->label && best->variance_times_cost() > 0)
            text += fmt::format(", {:.3g} times less than the configured '{}'",
                                own.variance_times_cost() / best->variance_times_cost(), own.label);
        if (exact != nullptr)
            text += fmt::format("; '{}' ({}) has no variance at all for {:.2g} times its time", exact->label,
                                aim_name(exact->aim), exact->seconds / best->seconds);
    }
    return text + fmt::format(" (step {}, {} rows, {} draws).", last.step, report.rows, report.draws);
}

std::string text_of(const Report& report) {
    std::string text = fmt::format("{}: estimates of the gradient on {} rows with {} targets, {} draws each\n\n", report.name,
                                   report.rows, report.targets, report.draws);
    for (const Measured& m : report.checkpoints) text += text_of(m, report);
    return text + report.recommendation + "\n";
}

RecordWriter json_of(const Report& report) {
    const std::vector<RecordWriter> checkpoints = records_of(report.checkpoints, checkpoint_json);
    return {{"format", int64_t{1}},  {"name", report.name},        {"objective", report.objective},
            {"rows", report.rows},   {"targets", report.targets},  {"draws", report.draws},
            {"exact", report.exact}, {"checkpoints", checkpoints}, {"recommendation", report.recommendation}};
}

}  // namespace attend::lab
