#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/ops.h"
#include "nn/attention/gumbel.h"
#include "nn/estimators/marginal.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct UnorderedSetOptions {
    int64_t k = 3;
    void fields(Visitor& v) { v.integer("k", k, {2, 12}, "positions of a step that are drawn, no position twice"); }
};

// Of k positions S that were drawn one after the other without replacement, in whatever order: for each
// subset C of S the probability Q(C) to draw the rest of S where C is taken out before,
//     Q(S) = 1,   Q(C) = sum_{a in S - C} p_a / (1 - P_C) Q(C + a)
// so that R(S, s) = Q({s}) / Q({}) and R^{D - s}(S, s') = Q({s, s'}) / Q({s}). `outside` is the weight
// of all positions that are not in S.
class SetProbabilities {
  public:
    SetProbabilities(const std::vector<double>& p, double outside) : q_(std::size_t{1} << p.size(), 1) {
        for (std::size_t c = q_.size() - 1; c-- > 0;) {
            double left = outside, total = 0;  // 1 - P_C, without a difference of near numbers
            for (std::size_t a = 0; a < p.size(); ++a)
                if ((c >> a & 1) == 0) {
                    left += p[a];
                    total += p[a] * q_[c | std::size_t{1} << a];
                }
            q_[c] = total / left;
        }
    }
    double ratio(std::size_t s) const { return q_[bit(s)] / q_[0]; }
    double ratio_without(std::size_t s, std::size_t other) const { return q_[bit(s) | bit(other)] / q_[bit(s)]; }

  private:
    static std::size_t bit(std::size_t s) { return std::size_t{1} << s; }
    std::vector<double> q_;
};

/// k positions S of every step, drawn without replacement, in any order. With f the loss of a step and
/// R the leave-one-out ratio,
///     e^US = sum_{s in S} p(s) R(S, s) f(s)   has the mean E[f]
///     grad E[f] = E[ sum_{s in S} R(S, s) ((f(s) - B(s)) grad p(s) + p(s) grad f(s)) ]
///     B(s) = sum_{s' in S} p(s') R^{D - s}(S, s') f(s'),   R^{D - s}(S, s) = 1
/// (Kool, van Hoof and Welling 2020: the unordered set estimator, and the unordered set policy gradient
/// with its built-in baseline). Where s is drawn first, the others are drawn from all positions but s,
/// so that B(s) has the mean E[f] whatever s is. With k = S it is `exact` with objective 'expected'.
class UnorderedSet final : public Estimator {
  public:
    UnorderedSet(const UnorderedSetOptions& o, const Scope& scope, const EstimatorSetup&)
        : options_(o), name_(hash_name(scope.path())) {}
    Aim aim() const override { return Aim::expected; }
    bool needs_independence() const override { return true; }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context& context) const override {
        const Drawn d = read(rollouts, context);
        return estimated(d, sum(d.of_weights * d.by.weights) + sum(d.of_losses * d.by.loss), normaliser);
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context& context) const override {
        const Drawn d = read(rollouts, context);
        return estimated(d, sum(d.of_losses * d.by.loss), normaliser).loss;
    }

  private:
    // The positions that are read, and what the gradients of their weights and losses are multiplied
    // by: R (f - B) and R p, [B, N, T], not recorded.
    struct Drawn {
        ByPosition by;
        Tensor of_weights, of_losses;
    };
    static Estimated estimated(const Drawn& d, const Tensor& total, double normaliser) {
        return {scale(total, static_cast<real>(1 / normaliser)), sum(d.of_losses * d.by.loss, 1).detach(),
                likeliest_prediction(d.by, d.by.weights)};
    }
    Drawn read(const Rollouts& rollouts, const Context& context) const {
        const int64_t b = rollouts.rows(), s = rollouts.positions(), t = rollouts.targets(), k = std::min(options_.k, s);
        std::vector<double> outside(static_cast<std::size_t>(b * t));
        Drawn out{rollouts.by_position([&](const Tensor& weights) {
                      Support support{k, Array<int32_t>(static_cast<std::size_t>(b * k * t))};
                      for (int64_t r = 0; r < b; ++r)
                          for (int64_t i = 0; i < t; ++i) {
                              const real* w = weights.data() + (r * t + i) * s;
                              const std::vector<int32_t> order =
                                  drawn_order(w, s, r, context.draws(name_, static_cast<uint32_t>(i)));
                              for (int64_t n = 0; n < s; ++n) {
                                  const int32_t at = order[static_cast<std::size_t>(n)];
                                  if (n < k)
                                      support.index[static_cast<std::size_t>((r * k + n) * t + i)] = w[at] > 0 ? at : -1;
                                  else
                                      outside[static_cast<std::size_t>(r * t + i)] += static_cast<double>(w[at]);
                              }
                          }
                      return support;
                  }),
                  Tensor::zeros({b, k, t}), Tensor::zeros({b, k, t})};
        for (int64_t r = 0; r < b; ++r)
            for (int64_t i = 0; i < t; ++i) weigh(out, r * k * t + i, outside[static_cast<std::size_t>(r * t + i)]);
        return out;
    }
    // The order in which positions are drawn without replacement: exponential noise over weight, the
    // smallest first (the Gumbel-top-k trick). Those without weight stand last.
    static std::vector<int32_t> drawn_order(const real* w, int64_t s, int64_t row, const Draws& draws) {
        std::vector<double> key(static_cast<std::size_t>(s));
        for (int64_t i = 0; i < s; ++i)
            key[static_cast<std::size_t>(i)] = w[i] > 0 ? exponential(draws, row, i) / static_cast<double>(w[i]) : INFINITY;
        std::vector<int32_t> order(key.size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int32_t x, int32_t y) {
            return key[static_cast<std::size_t>(x)] < key[static_cast<std::size_t>(y)];
        });
        return order;
    }
    // The factors of one target's positions, whose first element of [B, N, T] is `first`.
    static void weigh(Drawn& d, int64_t first, double outside) {
        const int64_t n = d.by.loss.dim(1), t = d.by.loss.dim(2);
        std::vector<double> p, f;
        for (int64_t i = 0; i < n && d.by.weights.data()[first + i * t] > 0; ++i) {
            p.push_back(static_cast<double>(d.by.weights.data()[first + i * t]));
            f.push_back(static_cast<double>(d.by.loss.data()[first + i * t]));
        }
        const SetProbabilities set(p, outside);
        for (std::size_t i = 0; i < p.size(); ++i) {
            double baseline = p[i] * f[i];
            for (std::size_t j = 0; j < p.size(); ++j) baseline += j == i ? 0 : p[j] * set.ratio_without(i, j) * f[j];
            const int64_t at = first + static_cast<int64_t>(i) * t;
            d.of_weights.writable()[at] = static_cast<real>(set.ratio(i) * (f[i] - baseline));
            d.of_losses.writable()[at] = static_cast<real>(set.ratio(i) * p[i]);
        }
    }

    UnorderedSetOptions options_;
    uint64_t name_;
};

}  // namespace

EstimatorTable::Row estimator_unordered_set() {
    return EstimatorTable::row<UnorderedSet, UnorderedSetOptions>(
        "unordered_set", "expected: k positions of a step, drawn without replacement, with their own baseline (Kool 2020)");
}

}  // namespace attend::ATTEND_PRECISION
