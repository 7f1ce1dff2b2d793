#include <cmath>
#include <numbers>

#include "core/ops.h"
#include "nn/attention/align.h"
#include "nn/attention/gumbel.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct MonotonicOptions {
    double first = -2, noise = 1;
    int64_t chunk = 1;
    void fields(Visitor& v) {
        v.number("first", first, {-1e3, 1e3},
                 "first value of the learned offset r of the scores: below 0, so that attention starts by moving on (Raffel "
                 "2017: -4 to -1)");
        v.number("noise", noise, {0, 1e3},
                 "deviation of the normal noise added to the scores in training, which makes choices hard");
        v.integer(
            "chunk", chunk, {1, 1 << 16},
            "positions w, the stop and those before it, that are read softly (MoChA: Chiu and Raffel 2018); 1: the stop alone");
    }
};

/// Attention that moves forward only   (Raffel et al. 2017). p_s = sigmoid(e_s + r + noise) is the probability to stop at s.
/// Training: expected alignments a_ts = p_ts q_ts, q_ts = (1 - p_t,s-1) q_t,s-1 + a_t-1,s (eq. 8 to 11). Evaluation: the first
/// s from the last stop on with p_s > 1/2; a query that finds none reads nothing (algorithm 1). With chunks the weights are
/// those of MoChA (Chiu and Raffel 2018, eq. 23), with the same scores for stopping and within a chunk.
class MonotonicAlign final : public Align {
  public:
    MonotonicAlign(const MonotonicOptions& o, const Scope& scope)
        : o_(o), offset_(scope.add("offset", {1}, Init::constant(o.first))), stream_(hash_name(scope.path())) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call& call) const override {
        const Tensor shifted = scores + offset_;
        const Tensor stops = call.context.training()
                                 ? monotonic_alignment(sigmoid(noisy(shifted, call)), call.previous.align, ranges)
                                 : first_stops(shifted, ranges, call);
        return {o_.chunk == 1 ? stops : chunkwise(stops, scores, o_.chunk, ranges), stops};
    }
    bool needs_previous() const override { return true; }
    bool is_distribution() const override { return false; }
    bool weighs_equals() const override { return false; }

  private:
    Tensor noisy(const Tensor& scores, const Call& call) const;
    // [B, T, S] 1 where the query stops
    Tensor first_stops(const Tensor& scores, const Ranges& ranges, const Call& call) const;

    MonotonicOptions o_;
    Tensor offset_;
    uint64_t stream_;
};

// Two normals of each group of four words, by Box and Muller; a draw is that of (step, time, sample, row, position).
Tensor MonotonicAlign::noisy(const Tensor& scores, const Call& call) const {
    if (o_.noise == 0)
        return scores;
    Tensor noise = Tensor::empty(scores.shape());
    const int64_t columns = scores.dim(2);
    each_query(scores, {stream_, call.position, call.samples}, call.context, [&](int64_t row, int64_t b, const Draws& draws) {
        for (int64_t s = 0; s < columns; ++s) {
            const auto bits = philox(draws.counter(b, s / 2), draws.key);
            const auto first = static_cast<std::size_t>(s % 2 * 2);
            const double radius = std::sqrt(-2 * std::log(open_interval(bits[first])));
            noise.writable()[row * columns + s] =
                static_cast<real>(o_.noise * radius * std::cos(2 * std::numbers::pi * unit_interval(bits[first + 1])));
        }
    });
    return scores + noise;
}

Tensor MonotonicAlign::first_stops(const Tensor& scores, const Ranges& ranges, const Call& call) const {
    Tensor stops = Tensor::zeros(scores.shape());
    const int64_t columns = call.source;
    for (std::size_t row = 0; row < ranges.size(); ++row) {
        const auto at = static_cast<int64_t>(row) * columns;
        int64_t s = ranges[row].begin;
        if (call.previous.align.defined()) {  // from the last stop on; after a query without one nothing is read any more
            const real* before = call.previous.align.data() + at;
            while (s < ranges[row].end && before[s] == 0) ++s;
        }
        while (s < ranges[row].end && scores.data()[at + s] <= 0) ++s;
        if (s < ranges[row].end)
            stops.writable()[at + s] = 1;
    }
    return stops;
}

}  // namespace

AlignTable::Row align_monotonic() {
    return AlignTable::row<MonotonicAlign, MonotonicOptions>(
        "monotonic", "moves forward only: expected alignment in training, hard outside of it (Raffel 2017; MoChA: Chiu 2018)");
}

}  // namespace attend::ATTEND_PRECISION
