#include <algorithm>

#include "train/evaluate/metrics/metrics.h"
#include "train/evaluate/metrics/share.h"

namespace attend {

namespace {

bool is_empty(Range r) { return r.begin >= r.end; }

void check_rows(const EvaluatedExample& e) {
    const auto symbols = static_cast<int64_t>(e.gold.size());
    ensure(symbols <= e.attention.rows, "alignment_accuracy: more symbols than attention rows: gold ranges {}, rows {}",
           symbols, e.attention.rows);
}

class AlignmentAccuracy final : public Share {
  public:
    Statistics statistics(const EvaluatedExample& e) const override {
        if (e.attention.rows == 0 || e.gold.empty())
            return {};
        check_rows(e);
        int64_t hits = 0, all = 0;
        for (int64_t t = 0; t < static_cast<int64_t>(e.gold.size()); ++t) {
            const Range gold = e.gold[static_cast<std::size_t>(t)];
            if (is_empty(gold))
                continue;
            const int64_t place = most_attended(e.attention, t);
            hits += place >= gold.begin && place < gold.end ? 1 : 0;
            ++all;
        }
        return counted(hits, all);
    }
    bool needs_attention() const override { return true; }

  private:
    // The first position of the greatest weight, -1 when no weight is above 0.
    static int64_t most_attended(const AttentionRows& a, int64_t row) {
        int64_t best = -1;
        float weight = 0;
        for (int64_t s = 0; s < a.columns; ++s) {
            if (!(a.at(row, s) > weight))
                continue;
            weight = a.at(row, s);
            best = s;
        }
        return best;
    }
};

class PartAlignment final : public Share {
  public:
    explicit PartAlignment(std::string part) : part_(std::move(part)) {}
    Statistics statistics(const EvaluatedExample& e) const override {
        const auto part = std::find_if(e.parts.begin(), e.parts.end(), [&](const TargetPart& p) { return p.name == part_; });
        if (e.attention.rows == 0 || e.gold.empty() || part == e.parts.end())
            return {};
        check_rows(e);
        const int64_t end = std::min<int64_t>(part->symbols.end, static_cast<int64_t>(e.gold.size()));
        Range source;  // from the first to the last position that the part's symbols come from
        for (int64_t t = part->symbols.begin; t < end; ++t)
            if (const Range r = e.gold[static_cast<std::size_t>(t)]; !is_empty(r))
                source = is_empty(source) ? r : Range{std::min(source.begin, r.begin), std::max(source.end, r.end)};
        if (is_empty(source))
            return {};
        double inside = 0, all = 0;
        for (int64_t t = part->symbols.begin; t < end; ++t)
            for (int64_t s = 0; s < e.attention.columns; ++s) {
                const auto weight = static_cast<double>(e.attention.at(t, s));
                all += weight;
                inside += s >= source.begin && s < source.end ? weight : 0;
            }
        // Half is enough, up to rounding of sums of weights.
        return counted(all > 0 && inside >= (0.5 - 1e-6) * all ? int64_t{1} : int64_t{0}, int64_t{1});
    }
    bool needs_attention() const override { return true; }

  private:
    std::string part_;
};

}  // namespace

std::unique_ptr<Metric> make_alignment_accuracy() { return std::make_unique<AlignmentAccuracy>(); }
std::unique_ptr<Metric> make_part_alignment(const std::string& part) { return std::make_unique<PartAlignment>(part); }

}  // namespace attend
