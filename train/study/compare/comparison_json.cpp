#include <algorithm>
#include <array>

#include "train/config/writer.h"
#include "train/study/compare/compare.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/table_text.h"
#include "train/study/compare/table_words.h"

namespace attend::compare {

namespace {

using Value = RecordWriter::Value;

// `limits`: Student's interval, cut at what the values can be.
RecordWriter moments_json(const Moments& m, const MetricRange& range) {
    std::optional<std::vector<double>> limits;
    if (m.half_width && *m.half_width > 0)
        limits = {std::max(range.least, m.mean - *m.half_width), std::min(range.most, m.mean + *m.half_width)};
    return {{"count", m.count},
            {"mean", m.count > 0 ? std::optional(m.mean) : std::nullopt},
            {"deviation", m.count > 1 ? std::optional(m.deviation) : std::nullopt},
            {"half_width", m.half_width},
            {"limits", limits ? Value(*limits) : Value(nullptr)}};
}
RecordWriter moments_json(const Moments& m) { return moments_json(m, bounds_of("")); }

std::vector<double> limits_json(const Limits& l) { return {l.low, l.high}; }

Value limits_or_null(const std::optional<Limits>& l) { return l ? Value(limits_json(*l)) : Value(nullptr); }

// {"new_seeds_these_examples": [low, high], "new_seeds_and_examples": [low, high]}, those that there
// are; {"new_seeds": [low, high]} where the examples are not known.
RecordWriter intervals_json(const std::vector<Interval>& all) {
    constexpr std::array keys = {"new_seeds", "new_seeds_these_examples", "new_seeds_and_examples"};
    RecordWriter json;
    for (const Interval& i : all) json.set(keys.at(static_cast<std::size_t>(i.population)), limits_json(i.limits));
    return json;
}

Value more_json(const std::optional<SeedsMore>& more) {
    if (!more)
        return nullptr;
    return RecordWriter{{"low", more->low}, {"high", more->high ? Value(*more->high) : Value(nullptr)}};
}

RecordWriter contrast_json(const Contrast& c, const Result& t) {
    RecordWriter json = {
        {"pairs", c.pairs},
        {"differences", moments_json(c.differences)},
        {"limits", intervals_json(c.limits)},
        {"better_with", c.better_with},
        {"worse_with", c.worse_with},
        {"p_t", c.p_t},
        {"p_signs", c.p_flip},
        {"p", c.p},
        {"p_corrected", c.corrected},
        {"verdict", verdict_text(c, t)},
        {"when_trained", verdict_name(c.verdict)},
        {"level", c.level},
        {"seeds_more", more_json(c.seeds_more)},
        {"detectable", c.detectable},
        {"p_trained", c.p_trained},
        {"p_trained_corrected", c.corrected_trained},
        {"trains_more_often", verdict_name(c.reliability)},
        {"mean_of_all", RecordWriter{{"limits", limits_or_null(c.of_all)}, {"verdict", verdict_name(c.mean)}}}};
    if (c.improvement)
        json.set("probability_of_improvement",
                 RecordWriter{{"value", c.improvement->probability}, {"limits", limits_json(c.improvement->limits)}});
    return json;
}

RecordWriter time_json(const RestrictedMean& m) {
    return {{"mean", m.mean},
            {"limits", limits_json(m.limits)},
            {"reached", m.reached},
            {"runs", m.runs},
            {"share", limits_json(m.share)}};
}

Value until_json(const Row& row) {
    if (!row.until)
        return nullptr;
    const Until& u = *row.until;
    RecordWriter json = {{"steps", time_json(u.steps)},
                         {"targets", u.targets ? Value(time_json(*u.targets)) : Value(nullptr)},
                         {"seconds", u.seconds ? Value(time_json(*u.seconds)) : Value(nullptr)}};
    if (u.contrast)
        json.set("difference", RecordWriter{{"steps", u.contrast->difference},
                                            {"limits", limits_json(u.contrast->limits)},
                                            {"earlier", u.contrast->earlier},
                                            {"later", u.contrast->later}});
    return json;
}

// Of the mean of the middle half, cut at what the values can be; none without spread.
std::optional<Limits> middle_limits(const Row& row, const MetricRange& range) {
    if (!row.middle || !row.middle->half_width || *row.middle->half_width <= 0)
        return std::nullopt;
    const double half = *row.middle->half_width;
    return Limits{std::max(range.least, row.middle->mean - half), std::min(range.most, row.middle->mean + half)};
}

// {"side": "source", "missing": null, "bins": [{"from": 1, "to": 10}, ...]}; "to" of a bin without end is null, and of what
// is missing there are no bins. null where it was not asked for.
Value length_bins_json(const Result& t) {
    if (!t.by_length)
        return nullptr;
    const auto bin = [](const LengthBin& b) {
        return RecordWriter{
            {"name", bin_name(b)}, {"from", b.from}, {"to", b.to == LengthBin::no_end ? Value(nullptr) : Value(b.to)}};
    };
    return RecordWriter{{"side", side_name(t.by_length->side)},
                        {"missing", t.by_length->missing.empty() ? Value(nullptr) : Value(t.by_length->missing)},
                        {"bins", records_of(t.by_length->bins, bin)}};
}

// A variant's bins that have examples; "bin" is the number in length_bins_json().
std::vector<RecordWriter> length_means_json(const std::vector<LengthMean>& means) {
    return records_of(means, [](const LengthMean& m) -> RecordWriter {
        return {{"bin", static_cast<int64_t>(m.bin)},
                {"length", m.length},
                {"examples", m.examples},
                {"runs", m.runs},
                {"mean", m.moments.mean},
                {"limits", intervals_json(m.limits)}};
    });
}

std::vector<std::string> outcome_names(const Row& row) {
    std::vector<std::string> names;
    for (const Outcome o : row.outcomes) names.emplace_back(outcome_name(o));
    return names;
}

RecordWriter row_json(const Row& row, const Result& t) {
    RecordWriter metrics;
    for (std::size_t i = 0; i < t.metrics.size(); ++i)
        metrics.set(t.metrics[i], moments_json(row.all[i], bounds_of(t.metrics[i])));
    RecordWriter v = {
        {"name", row.name},
        {"runs", row.runs},
        {"finished", row.finished},
        {"diverged", row.diverged},
        {"failed", row.failed},
        {"exploded", row.exploded},
        {"extended", row.extended},
        {"values", row.values},
        {"outcomes", outcome_names(row)},
        {"trained",
         RecordWriter{{"count", row.trained.count}, {"of", row.trained.of}, {"limits", limits_json(row.trained.limits)}}},
        {"value", moments_json(row.moments, t.settings.bounds)},
        {"limits", intervals_json(row.limits)},
        {"middle_half", row.middle ? std::optional(row.middle->mean) : std::nullopt},
        {"worst", row.worst},
        {"middle_half_limits", limits_or_null(middle_limits(row, t.settings.bounds))},
        {"mean_of_all", row.mean_of_all},
        {"mean_of_all_limits", limits_or_null(row.limits_of_all)},
        {"seconds", moments_json(row.run_seconds)},
        {"areas", row.areas},
        {"area", moments_json(row.area, t.settings.bounds)},
        {"area_difference", row.area_differences ? Value(moments_json(*row.area_differences)) : Value(nullptr)},
        {"until_threshold", until_json(row)},
        {"at_steps", records_of(row.at_steps, [&](const Moments& m) { return moments_json(m, t.settings.bounds); })},
        {"metrics", metrics}};
    if (row.contrast)
        v.set("difference", contrast_json(*row.contrast, t));
    return v;
}

std::vector<RecordWriter> rows_json(const Result& t) {
    std::vector<RecordWriter> rows = records_of(t.rows, [&](const Row& row) { return row_json(row, t); });
    if (t.by_length)
        for (std::size_t v = 0; v < t.by_length->variants.size(); ++v)
            rows[v].set("by_length", length_means_json(t.by_length->variants[v]));
    return rows;
}

void add_table(RecordWriter& json, const Result& t, const std::vector<RecordWriter>& rows) {
    const Settings& s = t.settings;
    json.set("metric", s.metric);
    json.set("better", s.better == Better::higher ? "higher" : "lower");
    json.set("split", split_name(s.split));
    json.set("evaluation", s.judged == Judged::best ? "best" : "last");
    json.set("reference", t.rows[s.reference].name);
    json.set("confidence", s.confidence);
    json.set("power", s.power);
    json.set("threshold", s.threshold);
    json.set("horizon", t.horizon);
    json.set("collapse_level", t.collapse_level);
    json.set("open", t.open);
    json.set("tests", t.tests);
    json.set("tests_of_trained", t.tests_of_trained);
    json.set("decides", decides_text(t));
    json.set("look", t.look);
    json.set("looks", records_of(t.looks, [](const Look& look) -> RecordWriter {
                 const auto finding = [](const Finding& f) -> RecordWriter {
                     return {{"variant", f.variant}, {"reference", f.reference}, {"what", f.what}};
                 };
                 return {{"metric", look.metric},
                         {"split", look.split},
                         {"evaluation", look.evaluation},
                         {"seeds", look.seeds},
                         {"found", records_of(look.found, finding)}};
             }));
    json.set("steps", s.steps);
    json.set("by_length", length_bins_json(t));
    json.set("seeds", t.seeds);
    json.set("variants", rows);
    json.set("found", sentences_of(t));
}

RecordWriter run_json(const RunRecord& run, const std::string& variant, const std::optional<double>& value, Outcome outcome) {
    RecordWriter each = {{"seed", run.seed},
                         {"folder", variant + "/" + seed_name(run.seed)},
                         {"status", ending_name(run.ending)},
                         {"steps", run.steps},
                         {"seconds", run.seconds},
                         {"outcome", outcome_name(outcome)},
                         {"value", value}};
    if (!run.program.empty())
        each.set("program", run.program);
    if (!run.message.empty())
        each.set("message", run.message);
    if (!run.exploded.empty())
        each.set("loss_exploded", JsonText{run.exploded});
    if (!run.extended.empty())
        each.set("extended", JsonText{run.extended});
    return each;
}

}  // namespace

RecordWriter json_of(const Result& table) {
    RecordWriter json;
    add_table(json, table, rows_json(table));
    return json;
}

RecordWriter json_of(const Comparison& c, const Prepared& p, const std::vector<VariantRecord>& records, const Result& table) {
    std::vector<RecordWriter> variants = rows_json(table);
    for (std::size_t v = 0; v < records.size(); ++v) {
        std::vector<RecordWriter> changed, each;
        for (const config::Difference& d :
             config::differences(p.resolved[p.settings.reference], p.resolved[v], config::Rows::with_options))
            if (d.path != "name")
                changed.push_back({{"option", d.path}, {"reference", d.before}, {"variant", d.after}});
        for (std::size_t s = 0; s < records[v].runs.size(); ++s)
            each.push_back(
                run_json(records[v].runs[s], c.variants[v].name, table.rows[v].values[s], table.rows[v].outcomes[s]));
        variants[v].set("parameters", p.parameters[v]);
        variants[v].set("changed", changed);
        variants[v].set("other_batches", p.other_batches[v]);
        variants[v].set("each", each);
    }
    RecordWriter json = {
        {"format", int64_t{1}}, {"name", c.name}, {"config", std::filesystem::absolute(c.path).lexically_normal().string()}};
    add_table(json, table, variants);
    return json;
}

}  // namespace attend::compare
