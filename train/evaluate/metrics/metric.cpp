#include "train/evaluate/metrics/metrics.h"

namespace attend {

namespace {
template <class F>
auto row(const char* name, const char* help, F make) {
    return Table<Metric()>::make<NoOptions>(name, help, [make](const NoOptions&) { return make(); });
}
}  // namespace

Statistics counted(double part, double whole) { return whole == 0 ? Statistics() : Statistics{part, whole}; }

std::optional<double> quotient(std::span<const double> sums) {
    return sums[1] == 0 ? std::nullopt : std::optional(sums[0] / sums[1]);
}

void Metric::add(const Statistics& of_example) {
    if (of_example.empty())
        return;
    sums.resize(sums.empty() ? of_example.size() : sums.size());
    ensure(sums.size() == of_example.size(), "metric: examples differ in their count of numbers: numbers {}, before {}",
           of_example.size(), sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += of_example[i];
}

const Table<Metric()>& metric_table() {
    static const Table<Metric()> table(
        "metric",
        {
            row("accuracy", "share of targets predicted, given the targets before (0 to 1)", make_accuracy),
            row("row_accuracy", "share of rows whose targets are all predicted, given the targets before (0 to 1)",
                make_row_accuracy),
            row("label_accuracy", "share of rows whose label is predicted (0 to 1)", make_label_accuracy),
            row("bits_per_byte", "loss in bits for each byte of the text, whatever it is cut into (0 best)",
                make_bits_per_byte),
            row("exact_match", "share of sources whose decoded text is a right answer (0 to 1)", make_exact_match),
            row("word_error_rate", "share of sources whose decoded text is no right answer: 1 - exact_match (0 to 1)",
                make_word_error_rate),
            row("symbol_error_rate",
                "mean over sources of (edit distance in symbols / symbols of the right answer), of several answers "
                "the smallest (0 best, may exceed 1)",
                make_symbol_error_rate),
            row("edit_distance", "mean over sources of the edit distance in symbols to the nearest right answer (0 best)",
                make_edit_distance),
            row("bleu", "corpus BLEU-4 of the decoded text, as sacreBLEU's default (0 to 100)", make_bleu),
            row("chrf", "corpus chrF2 of the decoded text, as sacreBLEU's default (0 to 100)", make_chrf),
            row("alignment_accuracy",
                "share of reference symbols whose most attended source position, with the reference fed in, is one "
                "that determines them (0 to 1)",
                make_alignment_accuracy),
            row("alignment_best_head",
                "of rows without a source, of at most 512 symbols: share of targets whose most attended position is the one "
                "that determines them, for the head of which this is most often so (0 to 1)",
                make_alignment_best_head),
            row("alignment_year",
                "share of examples where at least half of the year's attention lies on the source's year (0 to 1)",
                [] { return make_part_alignment("year"); }),
            row("alignment_month",
                "share of examples where at least half of the month's attention lies on the source's month (0 to 1)",
                [] { return make_part_alignment("month"); }),
            row("alignment_day",
                "share of examples where at least half of the day's attention lies on the source's day (0 to 1)",
                [] { return make_part_alignment("day"); }),
            row("attention_entropy",
                "mean entropy of the attention weights with the reference fed in (nats); of hard attention that of the "
                "weights it chooses from; rows with a weight below 0 are left out",
                make_attention_entropy),
        });
    return table;
}
const registry::AtStart metric_listed(metric_table());

}  // namespace attend
