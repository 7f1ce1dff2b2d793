#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "nn/attention/choosing.h"
#include "nn/attention/gumbel.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// The choice as a sequence of binary ones, stick-breaking: positions are asked one after the other,
/// the likeliest first, and position i is taken with probability
///     nu_i = w_i / (the sum of w over i and those after it)
/// Of a pair the first sample takes it where u_i < nu_i, the second where 1 - u_i < nu_i   (Dong, Mnih and Tucker 2021)
class CoupledPairs final : public Choosing {
  public:
    Chosen operator()(const ChoiceInput& input) const override {
        const Tensor& weights = input.weights;
        const int64_t k = input.pass.samples, s = weights.dim(2), queries = weights.dim(1), times = queries / k;
        require(k % 2 == 0, "attention: coupled choices come in pairs: samples {}, choices in a pair {}", k, 2);
        Array<int32_t> index(static_cast<std::size_t>(weights.dim(0) * queries), -1);
        each_query(weights, {input.stream, input.call.position, k}, input.pass,
                   [&](int64_t row, int64_t b, const Draws& draws) {
                       if (row % queries / times % 2 == 1)
                           return;  // it was drawn with the sample before it
                       const auto [first, second] = pair(weights.data() + row * s, s, b, draws);
                       index[static_cast<std::size_t>(row)] = first;
                       index[static_cast<std::size_t>(row + times)] = second;
                   });
        return {one_hot(weights, index), std::move(index)};
    }

  private:
    static std::pair<int32_t, int32_t> pair(const real* w, int64_t s, int64_t b, const Draws& draws) {
        std::vector<int32_t> order(static_cast<std::size_t>(s));
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(), [w](int32_t i, int32_t j) { return asked_before(w, i, j); });
        std::vector<double> left(order.size() + 1, 0);  // sums from the end, so that the last nu is 1
        for (std::size_t n = order.size(); n-- > 0;) left[n] = left[n + 1] + static_cast<double>(w[order[n]]);
        std::pair<int32_t, int32_t> out{-1, -1};
        for (std::size_t n = 0; n < order.size() && w[order[n]] > 0 && (out.first < 0 || out.second < 0); ++n) {
            const auto bits = philox(draws.counter(b, static_cast<int64_t>(1 + n / 4)), draws.key);
            const double u = open_interval(bits[n % 4]), nu = static_cast<double>(w[order[n]]) / left[n];
            if (out.first < 0 && u < nu)
                out.first = order[n];
            if (out.second < 0 && 1 - u < nu)
                out.second = order[n];
        }
        return out;
    }
};

}  // namespace

WayOfChoosing choose_coupled() { return std::make_unique<CoupledPairs>(); }

}  // namespace attend::ATTEND_PRECISION
