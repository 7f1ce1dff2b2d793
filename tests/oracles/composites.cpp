#include "tests/oracles/composites.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace attend::ATTEND_PRECISION::oracles {

namespace {

// One mask value a row, [rows, 1].
Tensor row_mask(int64_t rows, const std::function<bool(int64_t)>& inside) {
    Tensor m = Tensor::empty({rows, 1});
    for (int64_t i = 0; i < rows; ++i) m.writable()[i] = inside(i) ? 1 : 0;
    return m;
}

// 1 - m
Tensor complement(const Tensor& m) { return shift(negate(m), 1); }

// x [..., C] as [rows, C]
Tensor as_rows(const Tensor& x) { return x.reshape({x.shape().rows(), x.shape().columns()}); }

// sum over columns, kept as [rows, 1]
Tensor row_sums(const Tensor& x) { return sum(x, 1).reshape({x.dim(0), 1}); }

Tensor gate(const Tensor& x, int64_t number, int64_t hidden) { return slice(x, 1, number * hidden, (number + 1) * hidden); }

// Walks over the steps: take(t, mask [B, 1]) makes step t's state and returns it masked to the rows
// that run.
Tensor outputs_of(const Tensor& x, std::span<const int32_t> lengths, Direction direction,
                  const std::function<Tensor(int64_t, const Tensor&)>& take) {
    const int64_t batch = x.dim(0), steps = x.dim(1);
    std::vector<Tensor> outputs(static_cast<std::size_t>(steps));
    for (int64_t k = 0; k < steps; ++k) {
        const int64_t t = direction == Direction::forward ? k : steps - 1 - k;
        outputs[static_cast<std::size_t>(t)] =
            take(t, row_mask(batch, [&](int64_t b) { return lengths.empty() || t < lengths[static_cast<std::size_t>(b)]; }));
    }
    return stack(outputs, 1);
}

}  // namespace

Tensor mask_of(const Ranges& ranges, int64_t rows, int64_t columns) {
    Tensor m = Tensor::full({rows, columns}, 1);
    for (std::size_t i = 0; i < ranges.size(); ++i)
        for (int64_t j = 0; j < columns; ++j)
            m.writable()[static_cast<int64_t>(i) * columns + j] = j >= ranges[i].begin && j < ranges[i].end ? 1 : 0;
    return m;
}

Tensor softmax_composite(const Tensor& x, const Ranges& ranges, real s) {
    const Tensor z = as_rows(x), m = mask_of(ranges, z.dim(0), z.dim(1));
    const Tensor e = exp(scale(z, s)) * m;
    const Tensor empty = row_mask(z.dim(0), [&](int64_t i) {
        return !ranges.empty() && ranges[static_cast<std::size_t>(i)].begin == ranges[static_cast<std::size_t>(i)].end;
    });
    return (e / (row_sums(e) + empty)).reshape(x.shape());
}

Tensor log_softmax_composite(const Tensor& x, const Ranges& ranges) {
    const Tensor z = as_rows(x), m = mask_of(ranges, z.dim(0), z.dim(1));
    const Tensor empty = row_mask(z.dim(0), [&](int64_t i) {
        return !ranges.empty() && ranges[static_cast<std::size_t>(i)].begin == ranges[static_cast<std::size_t>(i)].end;
    });
    return (m * (z - log(row_sums(exp(z) * m) + empty))).reshape(x.shape());
}

Tensor sparsemax_composite(const Tensor& x, const Ranges& ranges, real s) {
    const Tensor z = scale(as_rows(x), s);
    const int64_t rows = z.dim(0), columns = z.dim(1);
    Tensor support = mask_of(ranges, rows, columns), counts = Tensor::full({rows, 1}, 1);
    for (int64_t i = 0; i < rows; ++i) {
        real* m = support.writable() + i * columns;
        const real* row = z.data() + i * columns;
        std::vector<double> sorted;
        for (int64_t j = 0; j < columns; ++j)
            if (m[j] != 0)
                sorted.push_back(static_cast<double>(row[j]));
        std::sort(sorted.rbegin(), sorted.rend());
        double sum = 0, threshold = 0;
        for (std::size_t k = 0; k < sorted.size(); ++k) {
            sum += sorted[k];
            if (1 + static_cast<double>(k + 1) * sorted[k] > sum)
                threshold = (sum - 1) / static_cast<double>(k + 1);
        }
        real n = 0;
        for (int64_t j = 0; j < columns; ++j) n += m[j] = m[j] != 0 && static_cast<double>(row[j]) > threshold ? 1 : 0;
        counts.writable()[i] = std::max<real>(1, n);
    }
    const Tensor tau = shift(row_sums(z * support), -1) / counts;
    return (support * (z - tau)).reshape(x.shape());
}

Tensor layer_norm_composite(const Tensor& x, const Tensor& gain, const Tensor& bias, real epsilon) {
    const Tensor z = as_rows(x), centred = z - mean(z, 1).reshape({z.dim(0), 1});
    const Tensor deviation = sqrt(shift(mean(square(centred), 1), epsilon)).reshape({z.dim(0), 1});
    Tensor y = centred / deviation;
    if (gain.defined())
        y = y * gain;
    if (bias.defined())
        y = y + bias;
    return y.reshape(x.shape());
}

Tensor rms_norm_composite(const Tensor& x, const Tensor& gain, real epsilon) {
    const Tensor z = as_rows(x);
    const Tensor y = z / sqrt(shift(mean(square(z), 1), epsilon)).reshape({z.dim(0), 1});
    return (gain.defined() ? y * gain : y).reshape(x.shape());
}

Tensor gelu_tanh_composite(const Tensor& x) {
    const Tensor u = scale(x + scale(x * square(x), real(0.044715)), real(0.79788456080286536));
    return scale(x, real(0.5)) * shift(tanh(u), 1);
}

Tensor silu_composite(const Tensor& x) { return x * sigmoid(x); }

Tensor swiglu_composite(const Tensor& x) {
    const int64_t width = x.dim(-1) / 2;
    return silu_composite(slice(x, -1, 0, width)) * slice(x, -1, width, 2 * width);
}

// The halves (a, b) of the first `heads` heads of x become (a cos - b sin, a sin + b cos); the rest stays.
static Tensor turned_halves(const Tensor& x, int64_t heads, int64_t head_size, const Tensor& cosines, const Tensor& sines) {
    const int64_t half = head_size / 2;
    std::vector<Tensor> parts;
    for (int64_t head = 0; head < heads; ++head) {
        const Tensor a = slice(x, 2, head * head_size, head * head_size + half);
        const Tensor b = slice(x, 2, head * head_size + half, (head + 1) * head_size);
        parts.push_back(a * cosines - b * sines);
        parts.push_back(a * sines + b * cosines);
    }
    parts.push_back(slice(x, 2, heads * head_size, x.dim(2)));
    return concat(parts, 2);
}

Tensor rotary_composite(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position, double base) {
    const int64_t steps = x.dim(1), half = head_size / 2;
    Tensor cosines = Tensor::empty({steps, half}), sines = Tensor::empty({steps, half});
    for (int64_t t = 0; t < steps; ++t)
        for (int64_t i = 0; i < half; ++i) {
            const double power = -2 * static_cast<double>(i) / static_cast<double>(head_size);
            const double angle = static_cast<double>(first_position + t) * std::pow(base, power);
            cosines.writable()[t * half + i] = static_cast<real>(std::cos(angle));
            sines.writable()[t * half + i] = static_cast<real>(std::sin(angle));
        }
    return turned_halves(x, heads, head_size, cosines, sines);
}

Tensor rotary_scaled_composite(const Tensor& x, int64_t heads, int64_t head_size, std::span<const int32_t> numbers,
                               const RotaryOptions& o) {
    const int64_t rows = x.dim(0), steps = x.dim(1), half = head_size / 2;
    const double pi = 3.141592653589793, k = static_cast<double>(head_size);
    Tensor cosines = Tensor::empty({rows, steps, half}), sines = Tensor::empty({rows, steps, half});
    for (int64_t at = 0; at < rows * steps; ++at)
        for (int64_t i = 0; i < half; ++i) {
            double position = numbers[static_cast<std::size_t>(at)], length = 1;
            double wave = 2 * pi * std::pow(o.base, 2 * static_cast<double>(i) / k);
            if (o.scaling == RotaryScaling::linear)
                position = position / o.factor;
            if (o.scaling == RotaryScaling::ntk)
                wave = 2 * pi * std::pow(o.base * std::pow(o.factor, k / (k - 2)), 2 * static_cast<double>(i) / k);
            if (o.scaling == RotaryScaling::yarn) {
                const double turns = o.original / wave;
                const double kept = turns < o.slow ? 0 : turns > o.fast ? 1 : (turns - o.slow) / (o.fast - o.slow);
                wave = 1 / ((1 - kept) / (wave * o.factor) + kept / wave);
                length = 0.1 * std::log(o.factor) + 1;
            }
            cosines.writable()[at * half + i] = static_cast<real>(length * std::cos(2 * pi * position / wave));
            sines.writable()[at * half + i] = static_cast<real>(length * std::sin(2 * pi * position / wave));
        }
    return turned_halves(x, heads, head_size, cosines, sines);
}

Tensor rotary_matrix_composite(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position, double base) {
    const int64_t batch = x.dim(0), steps = x.dim(1), columns = x.dim(2);
    std::vector<Tensor> parts;
    for (int64_t t = 0; t < steps; ++t) {
        Tensor turn = Tensor::zeros({columns, columns});  // y = x turn: transposed, as rows are multiplied from the left
        for (int64_t c = heads * head_size; c < columns; ++c) turn.writable()[c * columns + c] = 1;
        for (int64_t head = 0; head < heads; ++head)
            for (int64_t i = 0; i < head_size / 2; ++i) {
                const double power = -2 * static_cast<double>(i) / static_cast<double>(head_size);
                const double angle = static_cast<double>(first_position + t) * std::pow(base, power);
                const int64_t a = head * head_size + 2 * i, b = a + 1;
                turn.writable()[a * columns + a] = turn.writable()[b * columns + b] = static_cast<real>(std::cos(angle));
                turn.writable()[a * columns + b] = static_cast<real>(std::sin(angle));
                turn.writable()[b * columns + a] = static_cast<real>(-std::sin(angle));
            }
        parts.push_back(matmul(slice(x, 1, t, t + 1).reshape({batch, columns}), turn).reshape({batch, 1, columns}));
    }
    return concat(parts, 1);
}

Tensor additive_score_composite(const Tensor& query, const Tensor& keys, const Tensor& v, const Ranges& ranges) {
    const int64_t batch = query.dim(0), queries = query.dim(1), count = keys.dim(1), width = v.dim(0);
    const Tensor pairs =
        tanh(query.reshape({batch, queries, 1, width}) + keys.reshape({batch, 1, count, width}));  // [B, T, S, A]
    return sum(pairs * v, 3) * mask_of(ranges, batch * queries, count).reshape({batch, queries, count});
}

Tensor relative_scores_composite(const Tensor& scores, const Tensor& products, int64_t first_position, const Ranges& ranges) {
    const int64_t rows = scores.dim(0) * scores.dim(1), keys = scores.dim(2), columns = products.dim(2), k = columns / 2;
    Tensor one_hot = Tensor::zeros({rows, columns, keys});
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t s = 0; s < keys; ++s) {
            const int64_t away = s - first_position - row % scores.dim(1);
            const int64_t column = (away < -k ? -k : away > k ? k : away) + k;
            one_hot.writable()[(row * columns + column) * keys + s] = 1;
        }
    const Tensor added = matmul(products.reshape({rows, 1, columns}), one_hot).reshape({rows, keys});
    return scores + (added * mask_of(ranges, rows, keys)).reshape(scores.shape());
}

Tensor bucket_bias_composite(const Tensor& scores, const Tensor& weight, int64_t max_distance, BucketSides sides,
                             int64_t first_position, const Ranges& ranges) {
    const int64_t rows = scores.dim(0) * scores.dim(1), keys = scores.dim(2);
    std::vector<int32_t> buckets;
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t s = 0; s < keys; ++s)
            buckets.push_back(static_cast<int32_t>(
                distance_bucket(s - first_position - row % scores.dim(1), weight.dim(0), max_distance, sides)));
    return scores + elements(weight, buckets, scores.shape()) * mask_of(ranges, rows, keys).reshape(scores.shape());
}

Tensor unit_rows_composite(const Tensor& x, real epsilon) {
    const Tensor z = as_rows(x);
    return (z / sqrt(shift(row_sums(square(z)), epsilon))).reshape(x.shape());
}

Tensor neighbours_composite(const Tensor& x, int64_t width) {
    const int64_t left = width / 2, columns = x.dim(1);
    const Tensor padded = concat({Tensor::zeros({x.dim(0), left}), x, Tensor::zeros({x.dim(0), width - left})}, 1);
    std::vector<Tensor> places;
    for (int64_t i = 0; i < width; ++i) places.push_back(slice(padded, 1, i, i + columns));
    return stack(places, 2);
}

Tensor cumulative_sum_composite(const Tensor& x) {
    std::vector<Tensor> sums = {step(x, 0)};
    for (int64_t t = 1; t < x.dim(1); ++t) sums.push_back(sums.back() + step(x, t));
    return stack(sums, 1);
}

Tensor cross_attention_composite(const Tensor& q, const Tensor& kv, const FusedAttentionOptions& o, const Ranges& ranges) {
    const int64_t key_heads = o.key_heads == 0 ? o.heads : o.key_heads, size = q.dim(2) / o.heads;
    const int64_t queries = q.dim(1), keys = kv.dim(1);
    const real factor = o.scale == 0 ? 1 / std::sqrt(static_cast<real>(size)) : o.scale;
    std::vector<Tensor> contexts;
    for (int64_t head = 0; head < o.heads; ++head) {
        const int64_t k = head / (o.heads / key_heads) * size, v = k + key_heads * size;
        Tensor scores =
            scale(matmul(slice(q, 2, head * size, (head + 1) * size), slice(kv, 2, k, k + size), Transpose::no, Transpose::yes),
                  factor);
        if (!o.alibi.empty()) {
            Tensor bias = Tensor::empty({queries, keys});
            for (int64_t t = 0; t < queries; ++t)
                for (int64_t s = 0; s < keys; ++s)
                    bias.writable()[t * keys + s] =
                        -o.alibi[static_cast<std::size_t>(head)] * static_cast<real>(o.first_position + t - s);
            scores = scores + bias;
        }
        contexts.push_back(matmul(softmax(scores, ranges), slice(kv, 2, v, v + size)));
    }
    return concat(contexts, 2);
}

Tensor self_attention_composite(const Tensor& qkv, const FusedAttentionOptions& o, const Ranges& ranges) {
    const int64_t key_heads = o.key_heads == 0 ? o.heads : o.key_heads;
    const int64_t queries = qkv.dim(2) / (o.heads + 2 * key_heads) * o.heads;
    return cross_attention_composite(slice(qkv, 2, 0, queries), slice(qkv, 2, queries, qkv.dim(2)), o, ranges);
}

Tensor linear_composite(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& plus) {
    Tensor y = matmul(as_rows(x), weight);
    if (bias.defined())
        y = y + bias;
    y = y.reshape(x.shape().with(-1, weight.dim(1)));
    return plus.defined() ? y + plus : y;
}

Tensor row_losses_composite(const Tensor& logits, std::span<const int32_t> targets, const CrossEntropyOptions& o) {
    const Tensor log_p = log_softmax_composite(logits, {});
    Array<int32_t> ids(targets.begin(), targets.end());
    Tensor counted = Tensor::full({logits.dim(0)}, 1);
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (ids[i] == o.ignored) {
            ids[i] = 0;
            counted.writable()[i] = 0;
        }
    const auto e = static_cast<real>(o.label_smoothing);
    return (scale(pick(log_p, ids), e - 1) - scale(sum(log_p, 1), e / static_cast<real>(logits.dim(1)))) * counted;
}

Tensor cross_entropy_composite(const Tensor& logits, std::span<const int32_t> targets, const CrossEntropyOptions& o) {
    return scale(sum(row_losses_composite(logits, targets, o)), static_cast<real>(1 / o.normaliser));
}

Tensor head_cross_entropy_composite(const Tensor& h, const Tensor& weight, Transpose transposed, const Tensor& bias,
                                    std::span<const int32_t> targets, const CrossEntropyOptions& options) {
    const Tensor product = matmul(h, weight, Transpose::no, transposed);
    return cross_entropy_composite(bias.defined() ? product + bias : product, targets, options);
}

Tensor gru_step_composite(const Tensor& x, const Tensor& h, const Tensor& recurrent, const Tensor& bias) {
    const int64_t hidden = h.dim(1);
    const Tensor hp = matmul(h, recurrent) + bias;
    const Tensor r = sigmoid(gate(x, 0, hidden) + gate(hp, 0, hidden)), z = sigmoid(gate(x, 1, hidden) + gate(hp, 1, hidden));
    const Tensor n = tanh(gate(x, 2, hidden) + r * gate(hp, 2, hidden));
    return complement(z) * n + z * h;
}

LstmState lstm_step_composite(const Tensor& x, const LstmState& state, const Tensor& recurrent, const Tensor& bias) {
    const int64_t hidden = state.h.dim(1);
    const Tensor p = x + matmul(state.h, recurrent) + bias;
    const Tensor i = sigmoid(gate(p, 0, hidden)), f = sigmoid(gate(p, 1, hidden)), g = tanh(gate(p, 2, hidden));
    const Tensor c = f * state.c + i * g;
    return {sigmoid(gate(p, 3, hidden)) * tanh(c), c};
}

Tensor rnn_step_composite(const Tensor& x, const Tensor& h, const Tensor& recurrent, const Tensor& bias) {
    return tanh(x + matmul(h, recurrent) + bias);
}

GruLayerResult gru_layer_composite(const Tensor& x, const Tensor& h0, const Tensor& recurrent, const Tensor& bias,
                                   std::span<const int32_t> lengths, Direction direction) {
    Tensor h = h0.defined() ? h0 : Tensor::zeros({x.dim(0), x.dim(2) / 3});
    const Tensor outputs = outputs_of(x, lengths, direction, [&](int64_t t, const Tensor& runs) {
        h = runs * gru_step_composite(step(x, t), h, recurrent, bias) + complement(runs) * h;
        return runs * h;
    });
    return {outputs, h};
}

LstmLayerResult lstm_layer_composite(const Tensor& x, const LstmState& state, const Tensor& recurrent, const Tensor& bias,
                                     std::span<const int32_t> lengths, Direction direction) {
    const Tensor zeros = Tensor::zeros({x.dim(0), x.dim(2) / 4});
    LstmState s = state.h.defined() ? state : LstmState{zeros, zeros};
    const Tensor outputs = outputs_of(x, lengths, direction, [&](int64_t t, const Tensor& runs) {
        const LstmState next = lstm_step_composite(step(x, t), s, recurrent, bias);
        s = {runs * next.h + complement(runs) * s.h, runs * next.c + complement(runs) * s.c};
        return runs * s.h;
    });
    return {outputs, s};
}

RnnLayerResult rnn_layer_composite(const Tensor& x, const Tensor& h0, const Tensor& recurrent, const Tensor& bias,
                                   std::span<const int32_t> lengths, Direction direction) {
    Tensor h = h0.defined() ? h0 : Tensor::zeros({x.dim(0), x.dim(2)});
    const Tensor outputs = outputs_of(x, lengths, direction, [&](int64_t t, const Tensor& runs) {
        h = runs * rnn_step_composite(step(x, t), h, recurrent, bias) + complement(runs) * h;
        return runs * h;
    });
    return {outputs, h};
}

}  // namespace attend::ATTEND_PRECISION::oracles
