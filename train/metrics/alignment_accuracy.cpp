#include <algorithm>

#include "train/metrics/metrics.h"
#include "train/metrics/share.h"

namespace attend::inline ATTEND_PRECISION {

namespace {
class AlignmentAccuracy final : public Share {
  public:
    explicit AlignmentAccuracy(std::string part) : part_(std::move(part)) {}
    Statistics statistics(const EvaluatedExample& e) const override {
        if (e.attention.rows == 0 || e.gold.empty())
            return {};
        const auto symbols = static_cast<int64_t>(e.gold.size());
        ensure(symbols <= e.attention.rows, "alignment_accuracy: more symbols than attention rows: gold ranges {}, rows {}",
               symbols, e.attention.rows);
        int64_t hits = 0, all = 0;
        for (int64_t t = 0; t < symbols; ++t) {
            const Range gold = e.gold[static_cast<std::size_t>(t)];
            if (gold.begin >= gold.end || !counts(e, t))
                continue;
            const int64_t place = most_attended(e.attention, t);
            hits += place >= gold.begin && place < gold.end ? 1 : 0;
            ++all;
        }
        return counted(hits, all);
    }
    bool needs_attention() const override { return true; }

  private:
    bool counts(const EvaluatedExample& e, int64_t t) const {
        return part_.empty() || std::any_of(e.parts.begin(), e.parts.end(), [&](const TargetPart& p) {
                   return p.name == part_ && t >= p.symbols.begin && t < p.symbols.end;
               });
    }
    // The first position of the greatest weight, -1 when no weight is above 0.
    static int64_t most_attended(const AttentionRows& a, int64_t row) {
        int64_t best = -1;
        real weight = 0;
        for (int64_t s = 0; s < a.columns; ++s) {
            if (!(a.at(row, s) > weight))
                continue;
            weight = a.at(row, s);
            best = s;
        }
        return best;
    }
    std::string part_;  // empty: all symbols count
};
}  // namespace

std::unique_ptr<Metric> make_alignment_accuracy() { return std::make_unique<AlignmentAccuracy>(""); }
std::unique_ptr<Metric> make_part_alignment(const std::string& part) { return std::make_unique<AlignmentAccuracy>(part); }

}  // namespace attend::inline ATTEND_PRECISION
