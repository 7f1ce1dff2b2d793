#include <algorithm>
#include <utility>

#include "core/ops.h"
#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct CoupledOptions {
    int64_t samples = 2;
    void fields(Visitor& v) { samples_field(v, samples); }
};

/// Choices are drawn in pairs with opposite noise (Dong, Mnih and Tucker 2021, "Coupled gradient
/// estimators for discrete latent variables"). Of their variants this is stick-breaking (DisARM-SB):
/// a choice is a sequence of binary choices, which choose_coupled.cpp draws, the likeliest position
/// first; DisARM (Dong, Mnih and Tucker 2020) at each, in its form for one sample where one of the two
/// has chosen already, and the mean over binary choices that neither of the two needed. With a the one
/// of the pair that chose first, b the other, f the losses of their steps, and R the sum of p over
/// the positions after a,
///     grad E[f] = E[ 1/2 (f(a) - f(b)) g + 1/2 (grad f(a) + grad f(b)) ]
///     g = s (grad ln p_a - grad ln R) - (grad ln p_b - grad ln R)
///     s = max(p_a, R) / (p_a + R)
/// s (grad ln p_a - grad ln R) is
/// DisARM's term sigmoid(|alpha|) grad alpha with alpha = ln p_a - ln R, and the score of b among the
/// positions after a. Binary choices before a are equal in both and have the term 0; where a = b all
/// of them have it. The losses are those of the step alone: after different choices the weights of
/// later steps would differ, and would not be coupled.
class Coupled final : public Estimator {
  public:
    Coupled(const CoupledOptions& o, const Scope& scope, const EstimatorSetup&) : options_(o) {
        require(o.samples % 2 == 0, "{}: choices are drawn in pairs: samples {}, choices in a pair {}", scope.path(), o.samples,
                2);
    }
    Aim aim() const override { return Aim::expected; }
    bool needs_independence() const override { return true; }
    bool needs_one_site() const override { return true; }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        const Rollout rollout = rollouts(*choose_coupled(), options_.samples);
        const Seen& call = rollout.sites.front().calls.front();
        return averaged(rollout, sum(rollout.loss) + sum(slopes(rollout, call) * call.weights), normaliser);
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return direct_losses(rollouts, *choose_coupled(), options_.samples, normaliser);
    }

  private:
    // The derivatives of a pair's first term with respect to the weights of its first sample [B, K T, S],
    // not recorded. Twice the formula, as averaged() divides by the samples, not by the pairs.
    static Tensor slopes(const Rollout& rollout, const Seen& call) {
        const int64_t b = rollout.loss.dim(0), k = rollout.loss.dim(1), t = rollout.loss.dim(2), s = call.weights.dim(2);
        Tensor out = Tensor::zeros(call.weights.shape());
        for (int64_t pair = 0; pair < b * k / 2; ++pair)
            for (int64_t i = 0; i < t; ++i) {
                const int64_t first = 2 * pair * t + i, second = first + t;
                const real* w = call.weights.data() + first * s;
                int64_t of_a = first, of_b = second;
                int32_t at_a = call.index[static_cast<std::size_t>(of_a)], at_b = call.index[static_cast<std::size_t>(of_b)];
                if (at_a == at_b || at_a < 0)
                    continue;
                if (asked_before(w, at_b, at_a)) {
                    std::swap(at_a, at_b);
                    std::swap(of_a, of_b);
                }
                double left = 0;  // R
                for (int64_t j = 0; j < s; ++j) left += asked_before(w, at_a, j) ? static_cast<double>(w[j]) : 0;
                const double pa = static_cast<double>(w[at_a]), pb = static_cast<double>(w[at_b]);
                const double share = std::max(pa, left) / (pa + left);
                const auto difference = static_cast<double>(rollout.loss.data()[of_a] - rollout.loss.data()[of_b]);
                real* slope = out.writable() + first * s;
                for (int64_t j = 0; j < s; ++j)
                    if (asked_before(w, at_a, j))
                        slope[j] = static_cast<real>(difference * (1 - share) / left);
                slope[at_a] = static_cast<real>(difference * share / pa);
                slope[at_b] -= static_cast<real>(difference / pb);
            }
        return out;
    }

    CoupledOptions options_;
};

}  // namespace

EstimatorTable::Row estimator_coupled() {
    return EstimatorTable::row<Coupled, CoupledOptions>(
        "coupled", "expected: pairs of choices with opposite noise, in stick-breaking form (Dong, Mnih and Tucker 2021)");
}

}  // namespace attend::ATTEND_PRECISION
