#include <algorithm>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/attention/choosing.h"
#include "nn/attention/gumbel.h"

namespace attend::ATTEND_PRECISION {

namespace {

// The position with weight whose value(i) is the largest; -1 where none has weight.
template <class F>
int32_t largest(const real* weights, int64_t s, F value) {
    int64_t best = -1;
    for (int64_t i = 0; i < s; ++i)
        if (weights[i] > 0 && (best < 0 || value(i) > value(best)))
            best = i;
    return static_cast<int32_t>(best);
}

// z = the one-hot of index, the largest of x = theta + noise in each row; dtheta = (z - z') / step, z' that of x - step dz.
// This is no derivative: the gradient that comes back moves theta, and the choice is made once more with the same noise.
Tensor implicit_choice(const Tensor& theta, const Tensor& x, const Tensor& weights, const Array<int32_t>& index, double step) {
    const Tensor z = one_hot(weights, index);
    return record("implicit_choice", z, {theta}, [x = Saved(x), weights = Saved(weights), index, step](Backward& b) {
        const auto rows = static_cast<int64_t>(index.size());
        const int64_t s = rows == 0 ? 0 : x.size() / rows;
        const real *const perturbed = x.data(), *const dz = b.gradient();
        const Destination to = b.into(0);
        if (to.write == Write::set)
            std::fill_n(to.data, rows * s, real{0});
        for (int64_t r = 0; r < rows; ++r) {
            const int32_t chosen = index[static_cast<std::size_t>(r)],
                          target = largest(weights.data() + r * s, s, [&](int64_t i) {
                              return static_cast<double>(perturbed[r * s + i]) - step * static_cast<double>(dz[r * s + i]);
                          });
            if (target == chosen)
                continue;
            to.data[r * s + chosen] += static_cast<real>(1 / step);
            to.data[r * s + target] -= static_cast<real>(1 / step);
        }
    });
}

/// c = value_a, a the largest of theta + g, theta = ln weights, g Gumbel noise: a draw of the weights   (Niepert, Minervini
/// and Franceschi 2021, algorithm 1, for a categorical choice)
class Perturbed final : public Choosing {
  public:
    explicit Perturbed(double step) : step_(step) {}
    Chosen operator()(const ChoiceInput& input) const override {
        const Tensor& weights = input.weights;
        const int64_t s = weights.dim(2);
        const Tensor theta = log(shift(weights, tiny_weight)), x = theta.detach() + gumbel_noise(input);
        Array<int32_t> index(static_cast<std::size_t>(weights.dim(0) * weights.dim(1)));
        for (std::size_t r = 0; r < index.size(); ++r) {
            const int64_t row = static_cast<int64_t>(r) * s;
            index[r] = largest(weights.data() + row, s, [&](int64_t i) { return x.data()[row + i]; });
        }
        Tensor read = implicit_choice(theta, x, weights, index, step_);
        return {std::move(read), std::move(index)};
    }

  private:
    double step_;
};

}  // namespace

WayOfChoosing choose_perturbed(double step) { return std::make_unique<Perturbed>(step); }

}  // namespace attend::ATTEND_PRECISION
