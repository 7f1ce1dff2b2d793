#include "train/evaluate/metrics/chrf.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "data/text/utf8.h"
#include "train/evaluate/metrics/metrics.h"
#include "train/evaluate/metrics/white_space.h"

namespace attend {

namespace {

std::u32string characters(std::string_view text) {
    std::u32string all;
    for (std::size_t at = 0; at < text.size();) {
        if (const std::size_t space = space_at(text, at)) {
            at += space;
            continue;
        }
        const std::size_t size = utf8_size(text, at);
        // Bytes that are no text get numbers above all code points.
        all += size > 0 ? utf8_decode(text, at) : char32_t{0x110000} + static_cast<unsigned char>(text[at]);
        at += size > 0 ? size : 1;
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

class Chrf final : public Metric {
  public:
    Statistics statistics(const EvaluatedExample& e) const override {
        if (e.references.empty())
            return {};
        std::vector<std::string_view> references;
        for (const Answer& r : e.references) references.push_back(r.text);
        ChrfCounts line;
        line.add(e.decoded.text, references);
        Statistics numbers;
        for (const auto* counts : {&line.hypothesis, &line.reference, &line.matches})
            numbers.insert(numbers.end(), counts->begin(), counts->end());
        return numbers;
    }
    std::optional<double> score(std::span<const double> sums) const override {
        ChrfCounts counts;
        std::size_t place = 0;
        for (auto* of : {&counts.hypothesis, &counts.reference, &counts.matches})
            for (int64_t& count : *of) count = static_cast<int64_t>(sums[place++]);
        return counts.score();
    }
    bool needs_decoding() const override { return true; }
};

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

std::unique_ptr<Metric> make_chrf() { return std::make_unique<Chrf>(); }

}  // namespace attend
