#include "train/study/plan/gradient_report.h"

#include <array>

#include "train/evaluate/text_table.h"

namespace attend::plan {

namespace {

using Names = std::array<const char*, 3>;  // of the verdicts

const char* name_in(const Names& names, CheckedParameter::Verdict verdict) {
    return names.at(static_cast<std::size_t>(verdict));
}

}  // namespace

std::string text_of(const GradientReport& r) {
    std::vector<std::vector<std::string>> rows = {{"parameter", "checked", "worst at", "engine", "difference", "error"}};
    for (const CheckedParameter& p : r.parameters)
        rows.push_back({p.name, std::to_string(p.checked), std::to_string(p.element), fmt::format("{:.7g}", p.engine),
                        fmt::format("{:.7g}", p.difference), fmt::format("{:.2g}", p.error),
                        name_in({"agrees", "DIFFERS", "all zero"}, p.verdict)});
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
    const std::vector<RecordWriter> parameters = records_of(r.parameters, [](const CheckedParameter& p) -> RecordWriter {
        return {{"name", p.name},       {"shape", std::vector<int64_t>(p.shape.sizes().begin(), p.shape.sizes().end())},
                {"checked", p.checked}, {"element", p.element},
                {"engine", p.engine},   {"difference", p.difference},
                {"error", p.error},     {"verdict", name_in({"agrees", "differs", "all_zero"}, p.verdict)}};
    });
    RecordWriter::Value worst = nullptr;
    if (!r.parameters.empty())
        worst = r.parameters[r.worst].name;
    return {{"passed", r.passed}, {"tolerance", r.tolerance}, {"rows", r.rows},          {"targets", r.targets},
            {"loss", r.loss},     {"worst", worst},           {"parameters", parameters}};
}

}  // namespace attend::plan
