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

RecordWriter record_of(const StepFailure& f) {
    RecordWriter record = {{"message", f.message}, {"module", nullptr},  {"what", nullptr},
                           {"op", nullptr},        {"element", nullptr}, {"value", nullptr}};
    if (f.found) {
        record.set("module", f.found->module);
        record.set("what", f.found->what);
        record.set("op", f.found->op);
        record.set("element", f.found->element);
        record.set("value", f.found->value);
    }
    record.set("loss", f.loss);
    record.set("gradient_norm", f.gradient_norm);
    return record;
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

RecordWriter json_of(const Replayed& r) {
    return {
        {"verdict", name_of(r.verdict)},
        {"step", r.step},
        {"name", r.name},
        {"seed", r.seed},
        {"rows", r.batch_rows},
        {"shards", r.shards},
        {"recorded_precision", r.recorded_precision},
        {"replayed_precision", r.precision},
        {"recorded", record_of(r.recorded)},
        {"replayed", record_of(r.now)},
        {"largest_weight", RecordWriter{{"name", r.largest.name}, {"element", r.largest.element}, {"value", r.largest.value}}},
        {"failing_rows", r.rows},
        {"failing_examples", r.examples}};
}

}  // namespace attend
