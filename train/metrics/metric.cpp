#include "train/metrics/metrics.h"

namespace attend::inline ATTEND_PRECISION {

namespace {
template <class F>
auto row(const char* name, const char* help, F make) {
    return Table<std::unique_ptr<Metric>()>::make<NoOptions>(name, help, [make](const NoOptions&) { return make(); });
}
}  // namespace

const Table<std::unique_ptr<Metric>()>& metric_table() {
    static const Table<std::unique_ptr<Metric>()> table(
        "metric", {
                      row("accuracy", "share of targets predicted, given the targets before (0 to 1)", make_accuracy),
                      row("exact_match", "share of examples decoded without a fault (0 to 1)", make_exact_match),
                      row("bleu", "corpus BLEU-4 of the decoded text, as sacreBLEU's default (0 to 100)", make_bleu),
                      row("alignment_accuracy",
                          "share of reference symbols whose most attended source position, with the reference fed in, is one "
                          "that determines them (0 to 1)",
                          make_alignment_accuracy),
                      row("attention_entropy", "mean entropy of the attention weights with the reference fed in (nats)",
                          make_attention_entropy),
                  });
    return table;
}
// Constructed at program start, so that all_seams() knows it.
[[maybe_unused]] static const Seam& registered_metrics = metric_table();

}  // namespace attend::inline ATTEND_PRECISION
