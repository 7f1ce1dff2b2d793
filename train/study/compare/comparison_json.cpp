#include "train/config/writer.h"
#include "train/study/compare/compare.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/table_text.h"

namespace attend::compare {

namespace {

using Value = RecordWriter::Value;

RecordWriter moments_json(const Moments& m) {
    return {{"count", m.count},
            {"mean", m.count > 0 ? std::optional(m.mean) : std::nullopt},
            {"deviation", m.count > 1 ? std::optional(m.deviation) : std::nullopt},
            {"half_width", m.half_width}};
}

RecordWriter contrast_json(const Contrast& c) {
    return {{"differences", moments_json(c.differences)},
            {"p", c.p},
            {"p_corrected", c.corrected},
            {"verdict", verdict_name(c.verdict)},
            {"level", c.level},
            {"seeds_more", c.seeds_more ? Value(*c.seeds_more) : Value(nullptr)},
            {"detectable", c.detectable}};
}

RecordWriter row_json(const Row& row, const Result& t) {
    RecordWriter metrics;
    for (std::size_t i = 0; i < t.metrics.size(); ++i) metrics.set(t.metrics[i], moments_json(row.all[i]));
    RecordWriter v = {{"name", row.name},
                      {"runs", row.runs},
                      {"finished", row.finished},
                      {"diverged", row.diverged},
                      {"failed", row.failed},
                      {"exploded", row.exploded},
                      {"extended", row.extended},
                      {"values", row.values},
                      {"value", moments_json(row.moments)},
                      {"seconds", moments_json(row.run_seconds)},
                      {"until_threshold", RecordWriter{{"reached", row.steps.count},
                                                       {"steps", moments_json(row.steps)},
                                                       {"targets", moments_json(row.targets)},
                                                       {"seconds", moments_json(row.seconds)}}},
                      {"at_steps", records_of(row.at_steps, moments_json)},
                      {"metrics", metrics}};
    if (row.contrast)
        v.set("difference", contrast_json(*row.contrast));
    return v;
}

std::vector<RecordWriter> rows_json(const Result& t) {
    return records_of(t.rows, [&](const Row& row) { return row_json(row, t); });
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
    json.set("threshold", t.threshold);
    json.set("steps", s.steps);
    json.set("seeds", t.seeds);
    json.set("variants", rows);
    json.set("found", sentences_of(t));
}

RecordWriter run_json(const RunRecord& run, const std::string& variant, const std::optional<double>& value,
                      const std::optional<Point>& at_threshold) {
    RecordWriter each = {{"seed", run.seed},
                         {"folder", variant + "/" + seed_name(run.seed)},
                         {"status", ending_name(run.ending)},
                         {"steps", run.steps},
                         {"seconds", run.seconds},
                         {"value", value}};
    if (at_threshold)
        each.set(
            "threshold",
            RecordWriter{{"step", at_threshold->step}, {"targets", at_threshold->targets}, {"seconds", at_threshold->seconds}});
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
             config::differences(p.resolved[p.settings.reference], p.resolved[v], config::Rows::in_full))
            if (d.path != "name")
                changed.push_back({{"option", d.path}, {"reference", d.before}, {"variant", d.after}});
        for (std::size_t s = 0; s < records[v].runs.size(); ++s)
            each.push_back(
                run_json(records[v].runs[s], c.variants[v].name, table.rows[v].values[s], table.rows[v].at_threshold[s]));
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
