#include "train/study/plan/gradient_report.h"

#include "train/evaluate/text_table.h"

namespace attend::plan {

namespace {

using Verdict = CheckedParameter::Verdict;

const char* name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::agrees:
            return "agrees";
        case Verdict::differs:
            return "DIFFERS";
        case Verdict::all_zero:
            return "all zero";
    }
    return "";
}

}  // namespace

std::string text_of(const GradientReport& r) {
    std::vector<std::vector<std::string>> rows = {{"parameter", "checked", "worst at", "engine", "difference", "error"}};
    for (const CheckedParameter& p : r.parameters)
        rows.push_back({p.name, std::to_string(p.checked), std::to_string(p.element), fmt::format("{:.7g}", p.engine),
                        fmt::format("{:.7g}", p.difference), fmt::format("{:.2g}", p.error), name_of(p.verdict)});
    std::string text =
        text_table(rows, {{}, {Align::right, 8}, {Align::right, 9}, {Align::right, 14}, {Align::right, 14}, {Align::right, 9}});
    text += fmt::format("{} rows with {} targets, loss {:.6f}; tolerance {:.2g}\n", r.rows, r.targets, r.loss, r.tolerance);
    if (r.parameters.empty())
        return text + "nothing to check: no trainable parameters\n";
    const CheckedParameter& worst = r.parameters[r.worst];
    text += fmt::format("{}: worst is {} {}, element {}: engine {:.9g}, difference {:.9g}, error {:.2g}\n",
                        r.passed ? "gradients agree" : "gradients differ", worst.name, worst.shape.text(), worst.element,
                        worst.engine, worst.difference, worst.error);
    return text;
}

RecordWriter json_of(const GradientReport& r) {
    std::vector<RecordWriter> parameters;
    for (const CheckedParameter& p : r.parameters)
        parameters.push_back({{"name", p.name},
                              {"shape", std::vector<int64_t>(p.shape.sizes().begin(), p.shape.sizes().end())},
                              {"checked", p.checked},
                              {"element", p.element},
                              {"engine", p.engine},
                              {"difference", p.difference},
                              {"error", p.error},
                              {"verdict", p.verdict == Verdict::agrees    ? "agrees"
                                          : p.verdict == Verdict::differs ? "differs"
                                                                          : "all_zero"}});
    RecordWriter::Value worst = nullptr;
    if (!r.parameters.empty())
        worst = r.parameters[r.worst].name;
    return {{"passed", r.passed}, {"tolerance", r.tolerance}, {"rows", r.rows},          {"targets", r.targets},
            {"loss", r.loss},     {"worst", worst},           {"parameters", parameters}};
}

}  // namespace attend::plan
