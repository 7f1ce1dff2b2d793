#include "nn/estimators/observed.h"

#include <algorithm>
#include <cmath>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/estimators/marginal.h"

namespace attend::ATTEND_PRECISION {

namespace {

// H = -sum_s p_s ln p_s
double entropy_of(const real* p, int64_t positions) {
    double sum = 0;
    for (int64_t s = 0; s < positions; ++s)
        if (p[s] > 0)
            sum -= static_cast<double>(p[s]) * std::log(static_cast<double>(p[s]));
    return sum;
}

double masked_sum(const Tensor& x, const Tensor& mask) {
    double sum = 0;
    for (int64_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x.data()[i]) * static_cast<double>(mask.data()[i]);
    return sum;
}

// Rollouts that are looked at when they are made: the first pass, and the first reading of all
// positions.
class Watched final : public Rollouts {
  public:
    Watched(const Rollouts& of, ObservedSums& sums) : of_(of), sums_(sums) {}

    Rollout operator()(const Choosing& way, int64_t samples) const override {
        Rollout rollout = of_(way, samples);
        if (sums_.choices == 0)
            for (const SiteRollout& site : rollout.sites)
                for (const Seen& call : site.calls) add_entropies(call, site.site.affects, samples);
        return rollout;
    }
    ByPosition by_position(const SupportOf& support) const override {
        ByPosition by = of_.by_position([&](const Tensor& weights) {  // [B, T, S]
            if (sums_.choices == 0)
                add_entropies(weights);
            return support(weights);
        });
        add_objectives(by);
        return by;
    }
    const Sites& sites() const override { return of_.sites(); }
    int64_t rows() const override { return of_.rows(); }
    int64_t targets() const override { return of_.targets(); }
    int64_t positions() const override { return of_.positions(); }
    const Tensor& mask() const override { return of_.mask(); }
    const Ids& target() const override { return of_.target(); }

  private:
    // Of a call's first samples: query f of its K T' belongs to row f / (K T').
    void add_entropies(const Seen& call, Affects affects, int64_t samples) const {
        const int64_t s = call.weights.dim(2), queries = static_cast<int64_t>(call.index.size()), of_row = queries / rows();
        for (int64_t f = 0; f < queries; ++f) {
            const int64_t row = f / of_row, time = call.step + f % of_row;
            if (f % of_row >= of_row / samples || call.index[static_cast<std::size_t>(f)] < 0)
                continue;
            if (affects != Affects::all && !(time < targets() && mask().data()[row * targets() + time] > 0))
                continue;
            sums_.entropy += entropy_of(call.weights.data() + f * s, s);
            ++sums_.choices;
        }
    }
    void add_entropies(const Tensor& weights) const {
        const int64_t s = weights.dim(2);
        for (int64_t q = 0; q < rows() * targets(); ++q)
            if (mask().data()[q] > 0) {
                sums_.entropy += entropy_of(weights.data() + q * s, s);
                ++sums_.choices;
            }
    }
    //     expected  sum_t sum_s p_s l_ts      marginal  -sum_t ln sum_s p_s e^(-l_ts)
    // Not where an estimator left positions out.
    void add_objectives(const ByPosition& by) const {
        const NoGrad off;
        const Tensor weights = by.weights.detach(), read = sum(weights, 1);
        for (int64_t q = 0; q < read.size(); ++q)
            if (mask().data()[q] > 0 && std::abs(read.data()[q] - 1) > real{1e-3})
                return;
        if (sums_.targets > 0)
            return;
        const ByPosition all{weights, by.loss.detach(), by.predicted};
        sums_.expected += masked_sum(sum(all.weights * all.loss, 1), mask());
        const Tensor marginals = marginal(all, Tensor::full({1, 1, 1}, 1), mask(), 1).target_loss;
        sums_.marginal += masked_sum(marginals, mask());
        sums_.targets += static_cast<int64_t>(std::lround(masked_sum(mask(), mask())));
    }

    const Rollouts& of_;
    ObservedSums& sums_;
};

}  // namespace

ObservedSums& ObservedSums::operator+=(const ObservedSums& other) {
    entropy += other.entropy;
    choices += other.choices;
    expected += other.expected;
    marginal += other.marginal;
    targets += other.targets;
    return *this;
}

Estimated Observed::operator()(const Rollouts& rollouts, double normaliser, const Context& context) const {
    ObservedSums sums;
    const Watched watched(rollouts, sums);
    Context quiet = context;
    quiet.updates = nullptr;
    Estimated out;
    out.loss = of_.direct(watched, normaliser, quiet);
    out.target_loss = Tensor::zeros({rollouts.rows(), rollouts.targets()});
    {
        const NoGrad off;
        if (sums.targets == 0 && rollouts.sites().size() == 1 && independent(rollouts.sites()))
            watched.by_position([](const Tensor& weights) { return with_weight(weights); });
        if (sums.choices == 0)
            watched(*choose_drawn(), 1);
    }
    sums_ += sums;
    return out;
}

}  // namespace attend::ATTEND_PRECISION
