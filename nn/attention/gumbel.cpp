#include "nn/attention/gumbel.h"

#include <algorithm>
#include <cmath>

namespace attend::ATTEND_PRECISION {

Ranges ranges_of(const Tensor& weights) {
    const int64_t s = weights.shape().columns(), rows = s == 0 ? 0 : weights.size() / s;
    Ranges ranges(static_cast<std::size_t>(rows));
    for (int64_t r = 0; r < rows; ++r) {
        const real* w = weights.data() + r * s;
        if (std::any_of(w, w + s, [](real x) { return x > 0; }))
            ranges[static_cast<std::size_t>(r)] = {0, static_cast<int32_t>(s)};
    }
    return ranges;
}

Tensor shut_out(const Tensor& weights, double temperature) {
    Tensor out = Tensor::zeros(weights.shape());
    for (int64_t i = 0; i < out.size(); ++i)
        if (weights.data()[i] <= 0)
            out.writable()[i] = static_cast<real>(-1e4 * temperature);
    return out;
}

double exponential(const Draws& draws, int64_t row, int64_t i) {
    const auto bits = philox(draws.counter(row, 1 + i / 4), draws.key);
    return -std::log(static_cast<double>(open_interval(bits[static_cast<std::size_t>(i % 4)])));
}

GivenGumbel gumbel_given(const Tensor& weights, const Array<int32_t>& index, const GumbelPlace& place, const Context& context) {
    GivenGumbel out{Tensor::zeros(weights.shape()), Tensor::zeros(weights.shape())};
    const int64_t s = weights.dim(2);
    each_query(weights, place, context, [&](int64_t row, int64_t b, const Draws& draws) {
        const int32_t a = index[static_cast<std::size_t>(row)];
        if (a < 0)
            return;
        const double least = exponential(draws, b, a);
        for (int64_t i = 0; i < s; ++i) {
            const double w = std::max(static_cast<double>(weights.data()[row * s + i]), static_cast<double>(tiny_weight));
            const double r = i == a ? 0 : exponential(draws, b, i) / w;
            out.z.writable()[row * s + i] = static_cast<real>(-std::log(r + least));
            out.slope.writable()[row * s + i] = static_cast<real>(r / (r + least));
        }
    });
    return out;
}

}  // namespace attend::ATTEND_PRECISION
