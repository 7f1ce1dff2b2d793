// Metrics of the attention weights.
#include <algorithm>
#include <cmath>
#include <limits>

#include "train/evaluate/metrics/metrics.h"

namespace attend {

namespace {

bool is_empty(Range r) { return r.begin >= r.end; }

// Whether the example has what an alignment is judged by.
bool is_aligned(const EvaluatedExample& e) {
    if (e.attention.rows == 0 || e.gold.empty())
        return false;
    ensure(static_cast<int64_t>(e.gold.size()) <= e.attention.rows,
           "alignment_accuracy: more symbols than attention rows: gold ranges {}, rows {}", e.gold.size(), e.attention.rows);
    return true;
}

// The first position of the greatest weight, -1 when no weight is above 0.
int64_t most_attended(const AttentionRows& a, int64_t row) {
    int64_t best = -1;
    for (int64_t s = 0; s < a.columns; ++s)
        if (a.at(row, s) > (best < 0 ? 0 : a.at(row, best)))
            best = s;
    return best;
}

}  // namespace

Metric make_alignment_accuracy() {
    return {.statistics = [](const EvaluatedExample& e) -> Statistics {
                if (!is_aligned(e))
                    return {};
                int64_t hits = 0, all = 0;
                for (std::size_t t = 0; t < e.gold.size(); ++t) {
                    if (is_empty(e.gold[t]))
                        continue;
                    const int64_t place = most_attended(e.attention, static_cast<int64_t>(t));
                    hits += place >= e.gold[t].begin && place < e.gold[t].end ? 1 : 0;
                    ++all;
                }
                return counted(static_cast<double>(hits), static_cast<double>(all));
            },
            .most = 1,
            .needs_attention = true};
}

// {targets, hits of head 0, hits of head 1, ...}
Metric make_alignment_best_head() {
    return {.statistics = [](const EvaluatedExample& e) -> Statistics {
                Statistics counts(1 + e.looked_at.size(), 0);
                for (std::size_t t = 0; t < e.gold.size(); ++t) {
                    if (is_empty(e.gold[t]))
                        continue;
                    ++counts[0];
                    for (std::size_t head = 0; head < e.looked_at.size(); ++head) {
                        const int32_t place = e.looked_at[head].at(t);
                        counts[1 + head] += place >= e.gold[t].begin && place < e.gold[t].end ? 1 : 0;
                    }
                }
                return counts[0] > 0 && !e.looked_at.empty() ? counts : Statistics();
            },
            .score = [](std::span<const double> sums) -> std::optional<double> {
                return *std::max_element(sums.begin() + 1, sums.end()) / sums[0];
            },
            .most = 1,
            .needs_attention = true};
}

Metric make_part_alignment(const std::string& part) {
    return {.statistics = [part](const EvaluatedExample& e) -> Statistics {
                const auto found = std::ranges::find(e.parts, part, &TargetPart::name);
                if (found == e.parts.end() || !is_aligned(e))
                    return {};
                const int64_t begin = found->symbols.begin,
                              end = std::min<int64_t>(found->symbols.end, static_cast<int64_t>(e.gold.size()));
                Range source;  // from the first to the last position that the part's symbols come from
                for (int64_t t = begin; t < end; ++t)
                    if (const Range r = e.gold[static_cast<std::size_t>(t)]; !is_empty(r))
                        source = is_empty(source) ? r : Range{std::min(source.begin, r.begin), std::max(source.end, r.end)};
                if (is_empty(source))
                    return {};
                double inside = 0, all = 0;
                for (int64_t t = begin; t < end; ++t)
                    for (int64_t s = 0; s < e.attention.columns; ++s) {
                        // What is read with a weight below 0 (differential and talking heads) is not looked at.
                        const auto weight = std::max(0.0, static_cast<double>(e.attention.at(t, s)));
                        all += weight;
                        inside += s >= source.begin && s < source.end ? weight : 0;
                    }
                // Half is enough, up to rounding of sums of weights.
                return counted(all > 0 && inside >= (0.5 - 1e-6) * all ? 1 : 0, 1);
            },
            .most = 1,
            .needs_attention = true};
}

// - sum of (a / z) ln (a / z), z the sum of the row's weights a: those of relu, sigmoid, talking and differential heads need
// not sum to 1. A row with a weight below 0 (of differential and talking heads) has no entropy and does not count.
Metric make_attention_entropy() {
    return {.statistics =
                [](const EvaluatedExample& e) {
                    const AttentionRows& from = e.chosen_from.rows > 0 ? e.chosen_from : e.attention;
                    double sum = 0;
                    int64_t rows = 0;
                    for (int64_t t = 0; t < from.rows; ++t) {
                        double products = 0, z = 0;
                        bool any = false, below = false;
                        for (int64_t s = 0; s < from.columns; ++s) {
                            const auto a = static_cast<double>(from.at(t, s));
                            if (a == 0)
                                continue;  // the limit of a ln a
                            below = below || a < 0;
                            products += a * std::log(a);
                            z += a;
                            any = true;
                        }
                        // 0 where the row has no weight, and never below 0 by rounding
                        sum += below || !any ? 0 : std::max(0.0, std::log(z) - products / z);
                        rows += any && !below ? 1 : 0;
                    }
                    return counted(sum, static_cast<double>(rows));
                },
            .better = Better::lower,
            .needs_attention = true};
}

}  // namespace attend
