#include <array>

#include "train/config/writer.h"
#include "train/evaluate/text_table.h"
#include "train/study/plan/plan.h"

namespace attend::plan {

namespace {

// 1234567 as "1,234,567".
std::string grouped(int64_t n) {
    const std::string digits = std::to_string(n);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0)
            text += ',';
        text += digits[i];
    }
    return text;
}

std::string duration(double seconds) {
    if (seconds < 1)
        return fmt::format("{:.3g} ms", seconds * 1e3);
    if (seconds < 120)
        return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<int64_t>(seconds + 0.5);
    if (seconds < 7200)
        return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

using Rows = std::vector<std::vector<std::string>>;

void add_module(const Module& m, std::size_t indent, Rows& rows) {
    rows.push_back({std::string(indent, ' ') + m.name, m.shape, grouped(m.count), m.trainable ? "" : "frozen"});
    for (const Module& part : m.parts) add_module(part, indent + 2, rows);
}

std::string module_table(const Module& module) {
    Rows rows;
    add_module(module, 0, rows);
    return text_table(rows, {{Align::left, 39}, {Align::left, 19}, {Align::right, 14}});
}

std::string settings_table(const std::vector<Setting>& settings) {
    Rows rows;
    for (const Setting& s : settings)
        rows.push_back({(s.origin == Setting::Origin::given ? "* " : "  ") + s.path,
                        s.value + (s.origin == Setting::Origin::given    ? fmt::format("  (default {})", s.initial)
                                   : s.origin == Setting::Origin::chosen ? fmt::format("  (chosen for {})", s.initial)
                                                                         : "")});
    return text_table(rows);
}

std::string time_table(const Estimate& f) {
    Rows rows = {{"  training steps", duration(f.step_seconds), "times", grouped(f.steps)}};
    for (const EstimatedEvaluation& e : f.evaluations)
        rows.push_back({"  evaluation of " + e.what, duration(e.seconds), "times", grouped(e.times)});
    rows.push_back({"  in all", duration(f.seconds)});
    return text_table(rows, {{Align::left, 46}, {Align::right, 12}, {}, {Align::right, 10}}, 1);
}

RecordWriter json_of(const Module& m) {
    RecordWriter j = {{"name", m.name}};
    if (!m.shape.empty())
        j.set("shape", JsonText{m.shape});
    j.set("count", m.count);
    if (!m.trainable)
        j.set("trainable", false);
    if (!m.parts.empty())
        j.set("parts", records_of(m.parts, [](const Module& part) { return json_of(part); }));
    return j;
}

RecordWriter json_of(const Setting& s) {
    constexpr std::array origins = {"default", "given", "chosen"};
    return {{"path", s.path},
            {"value", JsonText{s.value}},
            {"default", JsonText{s.initial}},
            {"origin", origins.at(static_cast<std::size_t>(s.origin))}};
}

}  // namespace

std::string text_of(const Plan& plan) {
    const Estimate& f = plan.estimate;
    std::string text =
        fmt::format("{}\n\nconfig (* where it is not the default)\n{}\nmodel, {} parameters\n{}\ndata\n", plan.experiment.name,
                    settings_table(plan.settings), grouped(plan.parameters), module_table(plan.model));
    for (const std::string& line : plan.data) text += "  " + line + "\n";
    text += fmt::format("  an epoch: {} batches, {}{} targets\n", grouped(f.batches_per_epoch),
                        f.batches_counted < f.batches_per_epoch ? "about " : "", grouped(f.targets_per_epoch));
    text += fmt::format("  {} steps: {:.4g} epochs\n", grouped(f.steps),
                        static_cast<double>(f.steps * f.batches_per_step) / static_cast<double>(f.batches_per_epoch));
    text += fmt::format("\ntime on {} thread{} (from {} measured steps; an end by patience is not foreseen)\n", f.threads,
                        f.threads == 1 ? "" : "s", f.measured_steps);
    if (const double limit = plan.experiment.train.max_seconds; limit > 0 && limit < f.seconds)
        text += fmt::format("  train.max_seconds ends it after {}, before its last step\n", duration(limit));
    text += time_table(f);
    text += fmt::format("  {} checkpoint{} of {:.1f} MiB come on top\n", grouped(f.checkpoints), f.checkpoints == 1 ? "" : "s",
                        f.checkpoint_mib);
    text += fmt::format("\nmemory at the peak: {:.0f} MiB\n", f.peak_memory_mib);
    return text;
}

RecordWriter json_of(const Plan& plan) {
    const Estimate& f = plan.estimate;
    const auto evaluation = [](const EstimatedEvaluation& e) -> RecordWriter {
        return {{"what", e.what}, {"times", e.times}, {"seconds", e.seconds}, {"batches", e.batches}};
    };
    const RecordWriter time = {{"threads", int64_t{f.threads}},
                               {"measured_steps", f.measured_steps},
                               {"step_seconds", f.step_seconds},
                               {"evaluations", records_of(f.evaluations, evaluation)}};
    return {{"name", plan.experiment.name},
            {"config", JsonText{config::write(plan.experiment)}},
            {"settings", records_of(plan.settings, [](const Setting& s) { return json_of(s); })},
            {"data", plan.data},
            {"model", json_of(plan.model)},
            {"parameters", plan.parameters},
            {"batches_per_epoch", f.batches_per_epoch},
            {"targets_per_epoch", f.targets_per_epoch},
            {"steps", f.steps},
            {"time", time},
            {"seconds", f.seconds},
            {"checkpoints", f.checkpoints},
            {"checkpoint_mib", f.checkpoint_mib},
            {"peak_memory_mib", f.peak_memory_mib}};
}

}  // namespace attend::plan
