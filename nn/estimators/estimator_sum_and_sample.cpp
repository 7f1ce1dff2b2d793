#include <algorithm>
#include <numeric>

#include "core/engine.h"
#include "nn/estimators/marginal.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct SumAndSampleOptions {
    int64_t k = 3;
    void fields(Visitor& v) { v.integer("k", k, {1, 65536}, "likeliest positions that are summed; one more is drawn"); }
};

/// p(y_t) = sum_{s in top k} p_s p(y_t | s) + (1 - P) E_{r ~ p_r / (1 - P)}[p(y_t | r)], P the
/// weight of the k likeliest, with one draw for the expectation (Liu et al. 2019, eq. 6): unbiased
/// for p(y_t) and its gradient. The loss is its logarithm, which is biased unless all positions are
/// summed: with k = S it is `exact`.
class SumAndSample final : public Estimator {
  public:
    SumAndSample(const SumAndSampleOptions& o, const Scope& scope, const EstimatorSetup&)
        : options_(o), name_(hash_name(scope.path())) {}
    Aim aim() const override { return Aim::marginal; }
    bool unbiased() const override { return false; }
    bool needs_independence() const override { return true; }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context& context) const override {
        const Summed summed = read(rollouts, context);
        return marginal(summed.by, summed.factor, rollouts.mask(), normaliser);
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context& context) const override {
        Summed summed = read(rollouts, context);
        summed.by.weights = summed.by.weights.detach();
        return marginal(summed.by, summed.factor, rollouts.mask(), normaliser).loss;
    }

  private:
    // The positions that are read, and the factor of each one's weight.
    struct Summed {
        ByPosition by;
        Tensor factor;
    };
    Summed read(const Rollouts& rollouts, const Context& context) const {
        const int64_t b = rollouts.rows(), s = rollouts.positions(), t = rollouts.targets(), k = std::min(options_.k, s);
        const int64_t count = k < s ? k + 1 : k;
        Tensor factor = Tensor::full({b, count, t}, 1);
        const ByPosition by = rollouts.by_position([&](const Tensor& weights) {
            Support support{count, Array<int32_t>(static_cast<std::size_t>(b * count * t))};
            for (int64_t r = 0; r < b; ++r)
                for (int64_t i = 0; i < t; ++i) {
                    const real* w = weights.data() + (r * t + i) * s;
                    Array<int32_t> order(static_cast<std::size_t>(s));
                    std::iota(order.begin(), order.end(), 0);
                    std::stable_sort(order.begin(), order.end(), [w](int32_t x, int32_t y) { return w[x] > w[y]; });
                    if (k < s)
                        factor.writable()[(r * count + k) * t + i] = draw(w, order, k, r, i, context);
                    for (int64_t j = 0; j < count; ++j) {
                        const int32_t position = order[static_cast<std::size_t>(j)];
                        support.index[static_cast<std::size_t>((r * count + j) * t + i)] = w[position] > 0 ? position : -1;
                    }
                }
            return support;
        });
        return {by, factor};
    }
    // Moves a position drawn from those after the k likeliest to index k and returns (1 - P) / p_r;
    // 0 where none has weight.
    real draw(const real* w, Array<int32_t>& order, int64_t k, int64_t row, int64_t time, const Context& context) const {
        double left = 0;
        for (std::size_t j = static_cast<std::size_t>(k); j < order.size(); ++j) left += static_cast<double>(w[order[j]]);
        if (left <= 0)
            return 0;
        const Draws draws = context.draws(name_, static_cast<uint32_t>(time));
        double until = static_cast<double>(open_interval(philox(draws.counter(row, 0), draws.key)[0])) * left;
        std::size_t chosen = static_cast<std::size_t>(k);
        for (std::size_t j = chosen; j < order.size() && until >= 0; ++j)
            if (w[order[j]] > 0) {
                chosen = j;
                until -= static_cast<double>(w[order[j]]);
            }
        std::swap(order[static_cast<std::size_t>(k)], order[chosen]);
        return static_cast<real>(left / static_cast<double>(w[order[static_cast<std::size_t>(k)]]));
    }

    SumAndSampleOptions options_;
    uint64_t name_;
};

}  // namespace

EstimatorTable::Row estimator_sum_and_sample() {
    return EstimatorTable::row<SumAndSample, SumAndSampleOptions>(
        "sum_and_sample", "marginal: the likeliest positions are summed, one of the rest is drawn (Liu 2019, eq. 6)");
}

}  // namespace attend::ATTEND_PRECISION
