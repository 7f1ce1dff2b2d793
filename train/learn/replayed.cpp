#include "train/learn/replayed.h"

#include <algorithm>
#include <cmath>

namespace attend {

namespace {

using Verdict = Replayed::Verdict;

constexpr std::size_t shown_rows = 8;

const char* name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::reproduced:
            return "reproduced";
        case Verdict::differs:
            return "differs";
        case Verdict::finite:
            return "finite";
    }
    return "";
}

std::string numbers_of(const StepFailure& f) { return fmt::format("loss {}, gradient norm {}", f.loss, f.gradient_norm); }

Json failure_to_json(const StepFailure& f) {
    Json j;
    j["message"] = f.message;
    j["module"] = f.found ? Json(f.found->module) : Json();
    j["what"] = f.found ? Json(f.found->what) : Json();
    j["op"] = f.found ? Json(f.found->op) : Json();
    j["element"] = f.found ? Json(f.found->element) : Json();
    j["value"] = f.found ? number_to_json(f.found->value) : Json();
    j["loss"] = number_to_json(f.loss);
    j["gradient_norm"] = number_to_json(f.gradient_norm);
    return j;
}

}  // namespace

std::string text_of(const Replayed& r) {
    std::string text = fmt::format("step {} of {}: {} rows in {} shards, seed {}; recorded in {}, replayed in {}\n", r.step,
                                   r.name, r.batch_rows, r.shards, r.seed, r.recorded_precision, r.precision);
    text += fmt::format("recorded  {}; {}\n", r.recorded.message, numbers_of(r.recorded));
    text +=
        fmt::format("replayed  {}; {}\n", r.verdict == Verdict::finite ? "all is finite" : r.now.message, numbers_of(r.now));
    if (!r.largest.name.empty())
        text += fmt::format("before it {}: {}, element {} of '{}'\n",
                            std::isfinite(r.largest.value) ? "the largest weight is" : "a weight is not finite already",
                            r.largest.value, r.largest.element, r.largest.name);
    if (!r.rows.empty()) {
        text += fmt::format("alone     {} of {} rows fail; examples", r.rows.size(), r.batch_rows);
        for (std::size_t i = 0; i < std::min(shown_rows, r.rows.size()); ++i) text += fmt::format(" {}", r.examples[i]);
        text += r.rows.size() > shown_rows ? " ...\n" : "\n";
    }
    switch (r.verdict) {
        case Verdict::reproduced:
            text += r.now.message == r.recorded.message ? "reproduced: module, op, place and value are the recorded ones\n"
                                                        : "reproduced: module and op are the recorded ones, the value is not\n";
            break;
        case Verdict::differs:
            text += "not reproduced: it fails elsewhere\n";
            break;
        case Verdict::finite:
            text += "not reproduced: it does not fail\n";
            break;
    }
    return text;
}

Json json_of(const Replayed& r) {
    Json j;
    j["verdict"] = name_of(r.verdict);
    j["step"] = r.step;
    j["name"] = r.name;
    j["seed"] = r.seed;
    j["rows"] = r.batch_rows;
    j["shards"] = r.shards;
    j["recorded_precision"] = r.recorded_precision;
    j["replayed_precision"] = r.precision;
    j["recorded"] = failure_to_json(r.recorded);
    j["replayed"] = failure_to_json(r.now);
    j["largest_weight"] = {
        {"name", r.largest.name}, {"element", r.largest.element}, {"value", number_to_json(r.largest.value)}};
    j["failing_rows"] = r.rows;
    j["failing_examples"] = r.examples;
    return j;
}

}  // namespace attend
