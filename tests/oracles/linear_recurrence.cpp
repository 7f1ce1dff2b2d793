#include "tests/oracles/linear_recurrence.h"

#include <vector>

#include "core/ops.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

// Rows and heads are one axis, N = B G; a state is [N, R, Kk].
struct Recurrence {
    const StateWrites& writes;
    int64_t batch, states, count;  // count: N
    Normalise normalise;

    Recurrence(const StateWrites& w, const LinearAttentionOptions& o)
        : writes(w),
          batch(w.keys.dim(0)),
          states(o.key_heads == 0 ? o.heads : o.key_heads),
          count(batch * states),
          normalise(o.normalise) {}

    int64_t value_size() const { return writes.values.dim(2) / states; }
    int64_t rows() const { return value_size() + (normalise == Normalise::yes ? 1 : 0); }
    int64_t key_size() const { return writes.keys.dim(2) / states; }
    Tensor start(const Tensor& state) const {
        return state.defined() ? state.reshape({count, rows(), key_size()}) : Tensor::zeros({count, rows(), key_size()});
    }
    // Position t of something of every key head, as [N, 1, 1] or [N, size, 1].
    Tensor column(const Tensor& x, int64_t t) const { return step(x, t).reshape({count, x.dim(2) / states, 1}); }
    // 1 where position t is within a row's length, [N, 1, 1].
    Tensor inside(std::span<const int32_t> lengths, int64_t t) const {
        Tensor m = Tensor::full({count, 1, 1}, 1);
        for (int64_t i = 0; i < count && !lengths.empty(); ++i)
            m.writable()[i] = t < lengths[static_cast<std::size_t>(i / states)] ? 1 : 0;
        return m;
    }
    // S_t of S_{t-1}: alpha S (I - beta k k^T) + beta v k^T
    Tensor next(const Tensor& s, int64_t t) const {
        const Tensor k = column(writes.keys, t);
        Tensor v = column(writes.values, t), left = s;
        if (normalise == Normalise::yes)
            v = concat({v, Tensor::full({count, 1, 1}, 1)}, 1);
        if (writes.beta.defined()) {
            const Tensor beta = column(writes.beta, t);
            left = left - beta * matmul(matmul(left, k), k, Transpose::no, Transpose::yes);
            v = beta * v;
        }
        if (writes.alpha.defined())
            left = column(writes.alpha, t) * left;
        return left + matmul(v, k, Transpose::no, Transpose::yes);
    }
    // The last states [B, G, R, Kk]; look(t, S_t [N, R, Kk]) after each position.
    template <class Look>
    Tensor walk(const Tensor& state, std::span<const int32_t> lengths, Look look) const {
        Tensor s = start(state);
        for (int64_t t = 0; t < writes.keys.dim(1); ++t) {
            const Tensor runs = inside(lengths, t);
            s = runs * next(s, t) + (shift(negate(runs), 1)) * s;
            look(t, s);
        }
        return s.reshape({batch, states, rows(), key_size()});
    }
};

}  // namespace

Tensor read_states_composite(const Tensor& q, const Tensor& state, const LinearAttentionOptions& o) {
    const int64_t batch = q.dim(0), steps = q.dim(1), states = state.dim(1), rows = state.dim(2), size = state.dim(3);
    const int64_t group = o.heads / states, values = rows - (o.normalise == Normalise::yes ? 1 : 0);
    // [B, T, G, group, Kk] to [B, G, T, group, Kk]
    const Tensor heads = transpose(q.reshape({batch, steps, states, group * size}), 1, 2);
    Tensor y = matmul(heads.reshape({batch * states, steps * group, size}), state.reshape({batch * states, rows, size}),
                      Transpose::no, Transpose::yes);
    if (o.normalise == Normalise::yes) {
        Tensor none = Tensor::zeros({y.dim(0), y.dim(1), 1});
        const Tensor z = slice(y, 2, values, rows);
        for (int64_t i = 0; i < none.size(); ++i) none.writable()[i] = z.data()[i] == 0 ? 1 : 0;
        y = slice(y, 2, 0, values) / (z + none) * shift(negate(none), 1);
    }
    return transpose(y.reshape({batch, states, steps, group * values}), 1, 2).reshape({batch, steps, o.heads * values});
}

LinearAttentionResult linear_attention_recurrence(const Tensor& q, const StateWrites& writes, const Tensor& state,
                                                  std::span<const int32_t> lengths, const LinearAttentionOptions& o) {
    const Recurrence r(writes, o);
    std::vector<Tensor> outputs;
    const Tensor last = r.walk(state, lengths, [&](int64_t t, const Tensor& s) {
        const Tensor now = step(q, t).reshape({r.batch, 1, q.dim(2)});
        const Tensor y = read_states_composite(now, s.reshape({r.batch, r.states, r.rows(), r.key_size()}), o);
        Tensor mask = Tensor::full({r.batch, 1, 1}, 1);
        for (int64_t b = 0; b < r.batch && !lengths.empty(); ++b)
            mask.writable()[b] = t < lengths[static_cast<std::size_t>(b)] ? 1 : 0;
        outputs.push_back(y * mask);
    });
    return {concat(outputs, 1), last};
}

Tensor write_states_recurrence(const StateWrites& writes, const Tensor& state, std::span<const int32_t> lengths,
                               const LinearAttentionOptions& o) {
    return Recurrence(writes, o).walk(state, lengths, [](int64_t, const Tensor&) {});
}

}  // namespace attend::ATTEND_PRECISION::oracles
