#include "train/learn/replayed.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace attend {

namespace {

using Verdict = Replayed::Verdict;

constexpr std::size_t shown_rows = 8;

constexpr std::array verdict_names = {"reproduced", "differs", "finite"};

std::string numbers_of(const StepFailure& f) { return fmt::format("loss {}, gradient norm {}", f.loss, f.gradient_norm); }

RecordWriter record_of(const StepFailure& f) {
    using Value = RecordWriter::Value;
    const auto found = [&](auto NotFinite::*member) { return f.found ? Value((*f.found).*member) : Value(nullptr); };
    return {{"message", f.message},
            {"module", found(&NotFinite::module)},
            {"what", found(&NotFinite::what)},
            {"op", found(&NotFinite::op)},
            {"element", found(&NotFinite::element)},
            {"value", found(&NotFinite::value)},
            {"loss", f.loss},
            {"gradient_norm", f.gradient_norm}};
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
    return text + (r.verdict == Verdict::differs  ? "not reproduced: it fails elsewhere\n"
                   : r.verdict == Verdict::finite ? "not reproduced: it does not fail\n"
                   : r.now.message == r.recorded.message
                       ? "reproduced: module, op, place and value are the recorded ones\n"
                       : "reproduced: module and op are the recorded ones, the value is not\n");
}

RecordWriter json_of(const Replayed& r) {
    return {
        {"verdict", verdict_names.at(static_cast<std::size_t>(r.verdict))},
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
