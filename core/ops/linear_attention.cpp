#include "core/ops/linear_attention.h"

#include <algorithm>

#include "core/gemm.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/linear_attention.h"
#include "core/ops/linear_chunk.h"

namespace attend::ATTEND_PRECISION {

namespace {

// Heads that share a state, and the rows of a state for values of that width.
int64_t states_of(const char* op, const LinearAttentionOptions& o) {
    const int64_t key_heads = o.key_heads == 0 ? o.heads : o.key_heads;
    require(o.heads >= 1 && key_heads >= 1 && o.heads % key_heads == 0,
            "{}: heads must be a multiple of key heads: heads {}, key heads {}", op, o.heads, key_heads);
    return key_heads;
}
int64_t state_rows(int64_t value_size, Normalise normalise) { return value_size + (normalise == Normalise::yes ? 1 : 0); }

// The columns of each of `heads` heads.
int64_t columns_of_head(const char* op, const char* name, const Tensor& x, int64_t heads) {
    require(x.rank() == 3 && x.dim(2) > 0 && x.dim(2) % heads == 0, "{}: {} do not divide into heads: {} {}, {} heads", op,
            name, name, x, heads);
    return x.dim(2) / heads;
}

LinearOperands linear_operands(const char* op, const Tensor* q, const StateWrites& w, const Tensor& state,
                               std::span<const int32_t> lengths, const LinearAttentionOptions& o) {
    LinearSizes s;
    s.states = states_of(op, o);
    s.heads = q != nullptr ? o.heads : s.states;
    s.key_size = columns_of_head(op, "keys", w.keys, s.states);
    s.value_size = columns_of_head(op, "values", w.values, s.states);
    s.rows = state_rows(s.value_size, o.normalise);
    s.batch = w.keys.dim(0);
    s.steps = w.keys.dim(1);
    require(w.values.dim(0) == s.batch && w.values.dim(1) == s.steps, "{}: shapes do not fit: keys {}, values {}", op, w.keys,
            w.values);
    if (q != nullptr)
        require(q->shape() == Shape{s.batch, s.steps, s.heads * s.key_size},
                "{}: queries of another shape: q {}, keys {}, {} heads", op, *q, w.keys, s.heads);
    for (const Tensor* x : {&w.alpha, &w.beta})
        require(!x->defined() || x->shape() == Shape{s.batch, s.steps, s.states},
                "{}: one number a position and key head: {} {}, keys {}, {} key heads", op, x == &w.alpha ? "alpha" : "beta",
                *x, w.keys, s.states);
    require(!state.defined() || state.shape() == s.state_shape(), "{}: state of another shape: state {}, needs {}", op, state,
            s.state_shape());
    require(lengths.empty() || static_cast<int64_t>(lengths.size()) == s.batch, "{}: one length a row: {} lengths, {} rows", op,
            lengths.size(), s.batch);
    for (const int32_t n : lengths)
        require(n >= 0 && n <= s.steps, "{}: length out of range: length {}, {} steps", op, n, s.steps);
    s.lengths.assign(lengths.begin(), lengths.end());
    return {std::move(s), q != nullptr ? Saved(*q) : Saved(), Saved(w.keys), Saved(w.values), Saved(w.alpha), Saved(w.beta)};
}

// The states before the chunks of every row and head, [B, G, chunks, R, Kk], kept for the backward.
class ChunkStates {
  public:
    ChunkStates(const LinearSizes& s, bool given)
        : chunks_(count(s.steps)),
          size_(s.state_size()),
          given_(given),
          states_(Tensor::empty({s.batch * s.states, chunks_, size_})) {}
    static int64_t count(int64_t steps) { return (steps + LinearChunk::length - 1) / LinearChunk::length; }
    real* at(int64_t number, int64_t chunk) { return states_.writable() + (number * chunks_ + chunk) * size_; }
    // Null: zero.
    const real* before(int64_t number, int64_t chunk) const {
        return chunk > 0 || given_ ? states_.data() + (number * chunks_ + chunk) * size_ : nullptr;
    }

  private:
    int64_t chunks_, size_;
    bool given_;
    Tensor states_;
};

// Writes the last states [B, G, R, Kk], and outputs where there are queries.
ChunkStates run_chunks(const LinearOperands& in, const Tensor& initial, LinearReadings to, real* last) {
    const LinearSizes& s = in.sizes;
    const int64_t size = s.state_size(), columns = s.heads * s.value_size;
    ChunkStates states(s, initial.defined());
    LinearChunk chunk(in);
    for (int64_t number = 0; number < s.batch * s.states; ++number) {
        const int64_t b = number / s.states, chunks = ChunkStates::count(s.length(b));
        real* const first = chunks > 0 ? states.at(number, 0) : last + number * size;
        if (initial.defined())
            std::copy_n(initial.data() + number * size, size, first);
        else if (chunks == 0)
            std::fill_n(first, size, real{0});
        for (int64_t c = 0; c < chunks; ++c) {
            chunk.enter(b, number % s.states, c, states.before(number, c));
            if (to.outputs != nullptr)
                chunk.read(to);
            chunk.advance(c + 1 < chunks ? states.at(number, c + 1) : last + number * size);
        }
    }
    for (int64_t b = 0; b < s.batch && to.outputs != nullptr; ++b)
        std::fill(to.outputs + (b * s.steps + s.length(b)) * columns, to.outputs + (b + 1) * s.steps * columns, real{0});
    return states;
}

// A gradient that is added to: zero at first where nothing was written yet. Null: not wanted.
real* added(Backward& b, int input, int64_t size) {
    const Destination to = b.wanted(input);
    if (to.data != nullptr && to.write == Write::set)
        std::fill_n(to.data, size, real{0});
    return to.data;
}

// Adds all gradients; inputs are numbered q, keys, values, alpha, beta, state from `first` on (-1: no q).
void add_gradients(Backward& b, int first, const LinearOperands& in, const ChunkStates& states, const LinearRead& read,
                   const real* dlast) {
    const LinearSizes& s = in.sizes;
    const int64_t positions = s.batch * s.steps, size = s.state_size();
    const LinearSlopes to{first == 0 ? added(b, 0, positions * s.heads * s.key_size) : nullptr,
                          added(b, first + 1, positions * s.states * s.key_size),
                          added(b, first + 2, positions * s.states * s.value_size), added(b, first + 3, positions * s.states),
                          added(b, first + 4, positions * s.states)};
    real* const dinitial = added(b, first + 5, s.batch * s.states * size);
    LinearChunk chunk(in);
    Tensor dstate = Tensor::empty({size});
    for (int64_t number = 0; number < s.batch * s.states; ++number) {
        const int64_t row = number / s.states;
        std::copy_n(dlast + number * size, size, dstate.writable());
        for (int64_t c = ChunkStates::count(s.length(row)); c-- > 0;) {
            chunk.enter(row, number % s.states, c, states.before(number, c));
            chunk.backward(read, to, dstate.writable());
        }
        if (dinitial != nullptr)
            kernels::axpy(1, dstate.data(), {dinitial + number * size, Write::add}, size);
    }
}

}  // namespace

LinearAttentionResult linear_attention(const Tensor& q, const StateWrites& w, const Tensor& state,
                                       std::span<const int32_t> lengths, const LinearAttentionOptions& options) {
    LinearOperands in = linear_operands("linear_attention", &q, w, state, lengths, options);
    const LinearSizes& s = in.sizes;
    const Shape outputs{s.batch, s.steps, s.heads * s.value_size}, states = s.state_shape();
    const int64_t count = outputs.size();
    Tensor y = Tensor::empty({count + states.size()}),
           shares = Tensor::zeros({s.normalised() ? s.batch * s.steps * s.heads : 0});
    ChunkStates kept = run_chunks(in, state, {y.writable(), shares.writable()}, y.writable() + count);
    y = record("linear_attention", y, {q, w.keys, w.values, w.alpha, w.beta, state},
               [=, in = std::move(in), kept = std::move(kept), y = Saved(y), shares = Saved(shares)](Backward& b) {
                   add_gradients(b, 0, in, kept, {y.data(), shares.data(), b.gradient()}, b.gradient() + count);
               });
    return {y.part(0, outputs), y.part(count, states)};
}

Tensor write_states(const StateWrites& w, const Tensor& state, std::span<const int32_t> lengths,
                    const LinearAttentionOptions& options) {
    LinearOperands in = linear_operands("write_states", nullptr, w, state, lengths, options);
    Tensor y = Tensor::empty(in.sizes.state_shape());
    ChunkStates kept = run_chunks(in, state, {}, y.writable());
    return record(
        "write_states", y, {w.keys, w.values, w.alpha, w.beta, state},
        [in = std::move(in), kept = std::move(kept)](Backward& b) { add_gradients(b, -1, in, kept, {}, b.gradient()); });
}

// X = Q S^T, and with the normaliser Y = X[:, :Kv] / X[:, Kv]; dQ = dX S, dS = dX^T Q
Tensor read_states(const Tensor& q, const Tensor& state, const LinearAttentionOptions& options) {
    constexpr const char* op = "read_states";
    const int64_t states = states_of(op, options), heads = options.heads, extra = state_rows(0, options.normalise);
    const int64_t k = columns_of_head(op, "queries", q, heads);
    require(
        state.rank() == 4 && state.dim(0) == q.dim(0) && state.dim(1) == states && state.dim(2) > extra && state.dim(3) == k,
        "{}: state of another shape: state {}, q {}, {} heads", op, state, q, heads);
    const int64_t batch = q.dim(0), steps = q.dim(1), r = state.dim(2), values = r - extra;
    // body(number of a row's and head's first query, of its state)
    const auto each = [=](auto body) {
        for (int64_t i = 0; i < batch * heads; ++i)
            body(i / heads * steps * heads + i % heads, i / heads * states + i % heads / (heads / states));
    };
    Tensor y = Tensor::empty({batch, steps, heads * values}), shares = Tensor::empty({extra * batch * steps * heads});
    Tensor joined = Tensor::empty({extra * steps * r});
    each([&](int64_t first, int64_t number) {
        const kernels::Rows out{y.writable() + first * values, heads * values},
            x = extra ? kernels::Rows{joined.writable(), r} : out;
        gemm(Transpose::no, Transpose::yes, steps, r, k, 1, q.data() + first * k, heads * k, state.data() + number * r * k, k,
             0, x.data, x.stride);
        if (extra)
            kernels::divide_by_last({x.data, x.stride}, out, shares.writable() + first, heads, steps, values);
    });
    return record(op, y, {q, state},
                  [=, q = Saved(q), state = Saved(state), y = Saved(y), shares = Saved(shares)](Backward& b) {
                      Tensor dx = Tensor::empty({extra * steps * r});
                      const auto slopes = [&](int64_t first) -> kernels::ConstRows {
                          const kernels::ConstRows dy{b.gradient() + first * values, heads * values};
                          if (!extra)
                              return dy;
                          kernels::divide_by_last_backward({y.data() + first * values, heads * values}, dy,
                                                           shares.data() + first, heads, {dx.writable(), r}, steps, values);
                          return {dx.data(), r};
                      };
                      if (real* const dq = added(b, 0, q.size()))
                          each([&](int64_t first, int64_t number) {
                              const kernels::ConstRows up = slopes(first);
                              gemm(Transpose::no, Transpose::no, steps, k, r, 1, up.data, up.stride,
                                   state.data() + number * r * k, k, 1, dq + first * k, heads * k);
                          });
                      if (real* const dstate = added(b, 1, state.size()))
                          each([&](int64_t first, int64_t number) {
                              const kernels::ConstRows up = slopes(first);
                              gemm(Transpose::yes, Transpose::no, r, k, steps, 1, up.data, up.stride, q.data() + first * k,
                                   heads * k, 1, dstate + number * r * k, k);
                          });
                  });
}

}  // namespace attend::ATTEND_PRECISION
