#include <algorithm>

#include "core/base/json_text.h"
#include "train/config/writer.h"
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

void print_module(const Module& m, std::size_t indent, std::string& text) {
    const std::string name = std::string(indent, ' ') + m.name;
    text += fmt::format("{:<40} {:<20} {:>14}{}\n", name, m.shape, grouped(m.count), m.trainable ? "" : "  frozen");
    for (const Module& part : m.parts) print_module(part, indent + 2, text);
}

void print_settings(const std::vector<Setting>& settings, std::string& text) {
    std::size_t width = 0;
    for (const Setting& s : settings) width = std::max(width, s.path.size());
    for (const Setting& s : settings) {
        text += fmt::format("{} {:<{}}  {}", s.origin == Setting::Origin::given ? '*' : ' ', s.path, width, s.value);
        if (s.origin == Setting::Origin::given)
            text += fmt::format("  (default {})", s.initial);
        else if (s.origin == Setting::Origin::chosen)
            text += fmt::format("  (chosen for {})", s.initial);
        text += '\n';
    }
}

Json json_of(const Module& m) {
    Json j;
    j["name"] = m.name;
    if (!m.shape.empty())
        j["shape"] = parse_json<Json>(m.name, m.shape);
    j["count"] = m.count;
    if (!m.trainable)
        j["trainable"] = false;
    if (!m.parts.empty()) {
        j["parts"] = Json::array();
        for (const Module& part : m.parts) j["parts"].push_back(json_of(part));
    }
    return j;
}

const char* name_of(Setting::Origin origin) {
    switch (origin) {
        case Setting::Origin::initial:
            return "default";
        case Setting::Origin::given:
            return "given";
        case Setting::Origin::chosen:
            return "chosen";
    }
    return "";
}

}  // namespace

std::string text_of(const Plan& plan) {
    const Forecast& f = plan.forecast;
    std::string text = fmt::format("{}\n\nconfig (* where it is not the default)\n", plan.experiment.name);
    print_settings(plan.settings, text);
    text += fmt::format("\nmodel, {} parameters\n", grouped(plan.parameters));
    print_module(plan.model, 0, text);
    text += "\ndata\n";
    for (const std::string& line : plan.data) text += "  " + line + "\n";
    text += fmt::format("  an epoch: {} batches, {}{} targets\n", grouped(f.batches_per_epoch),
                        f.batches_counted < f.batches_per_epoch ? "about " : "", grouped(f.targets_per_epoch));
    text += fmt::format("  {} steps: {:.4g} epochs\n", grouped(f.steps),
                        static_cast<double>(f.steps * f.batches_per_step) / static_cast<double>(f.batches_per_epoch));
    text += fmt::format("\ntime on {} thread{} (from {} measured steps; an end by patience is not foreseen)\n", f.threads,
                        f.threads == 1 ? "" : "s", f.measured_steps);
    if (const double limit = plan.experiment.train.max_seconds; limit > 0 && limit < f.seconds)
        text += fmt::format("  train.max_seconds ends it after {}, before its last step\n", duration(limit));
    text += fmt::format("  {:<44} {:>12} times {:>10}\n", "training steps", duration(f.step_seconds), grouped(f.steps));
    for (const ForetoldEvaluation& e : f.evaluations)
        text += fmt::format("  {:<44} {:>12} times {:>10}\n", "evaluation of " + e.what, duration(e.seconds), grouped(e.times));
    text += fmt::format("  {:<44} {:>12}\n", "in all", duration(f.seconds));
    text += fmt::format("  {} checkpoint{} of {:.1f} MiB come on top\n", grouped(f.checkpoints), f.checkpoints == 1 ? "" : "s",
                        f.checkpoint_mib);
    text += fmt::format("\nmemory at the peak: {:.0f} MiB\n", f.peak_memory_mib);
    return text;
}

Json json_of(const Plan& plan) {
    const Forecast& f = plan.forecast;
    Json j;
    j["name"] = plan.experiment.name;
    j["config"] = parse_json<Json>("config", config::write(plan.experiment));
    j["settings"] = Json::array();
    for (const Setting& s : plan.settings) {
        Json line;
        line["path"] = s.path;
        line["value"] = parse_json<Json>(s.path, s.value);
        line["default"] = parse_json<Json>(s.path, s.initial);
        line["origin"] = name_of(s.origin);
        j["settings"].push_back(std::move(line));
    }
    j["data"] = plan.data;
    j["model"] = json_of(plan.model);
    j["parameters"] = plan.parameters;
    j["batches_per_epoch"] = f.batches_per_epoch;
    j["targets_per_epoch"] = f.targets_per_epoch;
    j["steps"] = f.steps;
    Json time;
    time["threads"] = f.threads;
    time["measured_steps"] = f.measured_steps;
    time["step_seconds"] = f.step_seconds;
    time["evaluations"] = Json::array();
    for (const ForetoldEvaluation& e : f.evaluations) {
        Json line;
        line["what"] = e.what;
        line["times"] = e.times;
        line["seconds"] = e.seconds;
        line["batches"] = e.batches;
        time["evaluations"].push_back(std::move(line));
    }
    j["time"] = std::move(time);
    j["seconds"] = f.seconds;
    j["checkpoints"] = f.checkpoints;
    j["checkpoint_mib"] = f.checkpoint_mib;
    j["peak_memory_mib"] = f.peak_memory_mib;
    return j;
}

}  // namespace attend::plan
