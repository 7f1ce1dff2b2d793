#include "train/evaluate/metrics/chrf.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "train/evaluate/metrics/corpus.h"
#include "train/evaluate/metrics/metrics.h"
#include "train/evaluate/metrics/white_space.h"

namespace attend {

namespace {

std::u32string characters(std::string_view text) {
    std::u32string all;
    for (std::size_t at = 0; at < text.size();) {
        const utf8::CodePoint c = utf8::decode(text, at);
        if (!is_white_space(c))
            all += c.valid ? c.code : char32_t{0x110000} + c.code;  // bytes that are no text: above all code points
        at += c.bytes;
    }
    return all;
}

using Counts = std::unordered_map<std::u32string_view, int64_t>;

Counts count_ngrams(std::u32string_view text, std::size_t n) {
    Counts counts;
    for (std::size_t at = 0; at + n <= text.size(); ++at) ++counts[text.substr(at, n)];
    return counts;
}

// The counts of one line and one reference.
ChrfCounts compare(std::u32string_view hypothesis, std::u32string_view reference) {
    ChrfCounts line;
    for (std::size_t k = 0; k < ChrfCounts::orders && k < reference.size(); ++k) {
        const Counts of_h = count_ngrams(hypothesis, k + 1), of_r = count_ngrams(reference, k + 1);
        line.reference[k] = static_cast<int64_t>(reference.size() - k);
        line.hypothesis[k] = static_cast<int64_t>(hypothesis.size() - std::min(k, hypothesis.size()));
        for (const auto& [ngram, count] : of_h)
            if (const auto there = of_r.find(ngram); there != of_r.end())
                line.matches[k] += std::min(count, there->second);
    }
    return line;
}

}  // namespace

void ChrfCounts::add(std::string_view hypothesis_line, std::span<const std::string_view> references) {
    ensure(!references.empty(), "chrf: a line needs a reference: references {}, needed at least 1", references.size());
    const std::u32string h = characters(hypothesis_line);
    ChrfCounts best;
    double best_score = -1;
    for (const std::string_view reference_line : references) {
        const ChrfCounts line = compare(h, characters(reference_line));
        if (line.score() <= best_score)
            continue;
        best = line;
        best_score = line.score();
    }
    for (std::size_t k = 0; k < orders; ++k) {
        hypothesis[k] += best.hypothesis[k];
        reference[k] += best.reference[k];
        matches[k] += best.matches[k];
    }
}

double ChrfCounts::score() const {
    constexpr double factor = 2 * 2;
    double precision = 0, recall = 0;
    int64_t effective = 0;
    for (std::size_t k = 0; k < orders; ++k) {
        if (hypothesis[k] == 0 || reference[k] == 0)
            continue;
        precision += static_cast<double>(matches[k]) / static_cast<double>(hypothesis[k]);
        recall += static_cast<double>(matches[k]) / static_cast<double>(reference[k]);
        ++effective;
    }
    if (precision + recall == 0)
        return 0;
    precision /= static_cast<double>(effective);
    recall /= static_cast<double>(effective);
    return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}

Metric make_chrf() { return corpus_metric<ChrfCounts>(); }

}  // namespace attend
