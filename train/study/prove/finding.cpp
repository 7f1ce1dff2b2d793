#include "train/study/prove/finding.h"

#include <algorithm>

#include "train/evaluate/text_table.h"

namespace attend::prove {

namespace {

const char* word_of(Verdict verdict) {
    return verdict == Verdict::passed ? "holds" : verdict == Verdict::failed ? "FAILED" : "not applicable";
}

int64_t count(const Report& report, Verdict verdict) { return std::ranges::count(report.findings, verdict, &Finding::verdict); }

}  // namespace

bool Report::passed() const { return count(*this, Verdict::failed) == 0; }

std::string text_of(const Report& r) {
    std::string text = fmt::format("{}\nweights: {}\nrows: {}\n\n", r.model, r.weights, r.rows);
    std::vector<std::vector<std::string>> rows = {{"property", "verdict", "worst", "limit", "tried"}};
    for (const Finding& f : r.findings) {
        const bool figures = f.verdict != Verdict::not_applicable;
        rows.push_back({f.property, word_of(f.verdict), figures ? fmt::format("{:.2g}", f.worst) : "",
                        figures ? fmt::format("{:.2g}", f.limit) : "", figures ? f.tried : f.reason});
    }
    text += text_table(rows, {{}, {}, {attend::Align::right}, {attend::Align::right}}) + "\n";
    for (const Finding& f : r.findings)
        if (f.verdict == Verdict::failed)
            text += fmt::format("FAILED {}: {}: {} ({})\n", f.property, f.module, f.reason, f.claim);
    return text + fmt::format("properties: {} hold, {} failed, {} not applicable; {:.1f} s\n", count(r, Verdict::passed),
                              count(r, Verdict::failed), count(r, Verdict::not_applicable), r.seconds);
}

RecordWriter json_of(const Report& r) {
    const auto findings = records_of(r.findings, [](const Finding& f) -> RecordWriter {
        RecordWriter one = {{"property", f.property},
                            {"claim", f.claim},
                            {"verdict", f.verdict == Verdict::passed   ? "holds"
                                        : f.verdict == Verdict::failed ? "failed"
                                                                       : "not_applicable"}};
        if (f.verdict != Verdict::not_applicable) {
            one.set("worst", f.worst);
            one.set("limit", f.limit);
            one.set("tried", f.tried);
        }
        one.set("seconds", f.seconds);
        if (f.verdict == Verdict::failed)
            one.set("module", f.module);
        if (f.verdict != Verdict::passed)
            one.set("reason", f.reason);
        return one;
    });
    return {{"passed", r.passed()}, {"model", r.model},     {"weights", r.weights},
            {"rows", r.rows},       {"seconds", r.seconds}, {"properties", findings}};
}

}  // namespace attend::prove
