#include "nn/attention/choosing.h"

#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "nn/attention/gumbel.h"

namespace attend::ATTEND_PRECISION {

Tensor one_hot(const Tensor& weights, const Array<int32_t>& index) {
    Tensor read = Tensor::zeros(weights.shape());
    for (std::size_t q = 0; q < index.size(); ++q)
        if (index[q] >= 0)
            read.writable()[static_cast<int64_t>(q) * weights.dim(2) + index[q]] = 1;
    return read;
}

Tensor straight_through(const Tensor& read, const Tensor& weights) { return add(read, subtract(weights, weights.detach())); }

// The first position whose cumulated weight exceeds u of the row's sum; u of (time, sample, row)
// alone.
Array<int32_t> draw_positions(const Tensor& from, const ChoiceInput& input) {
    const int64_t s = from.dim(2);
    Array<int32_t> index(static_cast<std::size_t>(from.dim(0) * from.dim(1)), -1);
    each_query(from, {input.stream, input.call.position, input.pass.samples}, input.pass,
               [&](int64_t row, int64_t b, const Draws& draws) {
                   const real* w = from.data() + row * s;
                   double total = 0;
                   for (int64_t i = 0; i < s; ++i) total += static_cast<double>(w[i]);
                   double left = static_cast<double>(open_interval(philox(draws.counter(b, 0), draws.key)[0])) * total;
                   for (int64_t i = 0; i < s && left >= 0; ++i)
                       if (w[i] > 0) {
                           index[static_cast<std::size_t>(row)] = static_cast<int32_t>(i);
                           left -= static_cast<double>(w[i]);
                       }
               });
    return index;
}

Array<int32_t> likeliest_positions(const Tensor& weights) {
    const int64_t s = weights.dim(2), queries = weights.dim(0) * weights.dim(1);
    Array<int32_t> index(static_cast<std::size_t>(queries), -1);
    for (int64_t q = 0; q < queries; ++q) {
        const real* w = weights.data() + q * s;
        const real* best = std::max_element(w, w + s);
        if (best != w + s && *best > 0)
            index[static_cast<std::size_t>(q)] = static_cast<int32_t>(best - w);
    }
    return index;
}

Tensor gumbel_noise(const ChoiceInput& input) {
    const int64_t s = input.weights.dim(2);
    Tensor noise = Tensor::empty(input.weights.shape());
    each_query(input.weights, {input.stream, input.call.position, input.pass.samples}, input.pass,
               [&](int64_t row, int64_t b, const Draws& draws) {
                   for (int64_t i = 0; i < s; ++i)
                       noise.writable()[row * s + i] = static_cast<real>(-std::log(exponential(draws, b, i)));
               });
    return noise;
}

Tensor relaxed_weights(const ChoiceInput& input, double temperature) {
    const Tensor& weights = input.weights;
    const Tensor noise = gumbel_noise(input);
    return softmax(
        scale(log(shift(weights, tiny_weight)) + noise + shut_out(weights, temperature), static_cast<real>(1 / temperature)),
        ranges_of(weights));
}

Array<int32_t> choices_for(const Choices& choices, const ChoiceInput& input) {
    const auto at = choices.find({input.call.number, input.call.position});
    if (at == choices.end())
        return {};
    const int64_t queries = input.weights.dim(0) * input.weights.dim(1), positions = input.weights.dim(2);
    require(static_cast<int64_t>(at->second.size()) == queries,
            "attention: one forced choice for each query: site {}, step {}, choices {}, queries {}", input.call.number,
            input.call.position, at->second.size(), queries);
    for (const int32_t c : at->second)
        require(c >= -1 && c < positions,
                "attention: a forced choice out of range: site {}, step {}, position {}, positions {}", input.call.number,
                input.call.position, c, positions);
    return at->second;
}

}  // namespace attend::ATTEND_PRECISION
