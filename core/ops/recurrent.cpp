#include "core/ops/recurrent.h"

#include <algorithm>

#include "core/gemm.h"
#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/recurrent.h"
#include "core/kernels/reduce.h"

namespace attend::ATTEND_PRECISION {

using kernels::ConstRows;
using kernels::Lengths;
using kernels::Rows;

namespace {

constexpr int64_t gru_gates = 3, gru_kept = 4, lstm_gates = 4, lstm_kept = 5, rnn_gates = 1;

// Sizes of a layer and where each step finds its states. The states lie in one buffer [B, S + 1,
// H]: slot k holds them before step k when walking forward, after step k when walking backward.
struct Walk {
    int64_t batch, steps, hidden, gates;
    Direction direction;
    Array<int32_t> lengths;

    bool forward() const { return direction == Direction::forward; }
    int64_t time(int64_t k) const { return forward() ? k : steps - 1 - k; }
    int64_t before(int64_t t) const { return forward() ? t : t + 1; }
    int64_t after(int64_t t) const { return forward() ? t + 1 : t; }
    int64_t first_slot() const { return forward() ? 0 : steps; }
    int64_t last_slot() const { return forward() ? steps : 0; }
    Lengths at(int64_t t) const { return {lengths.empty() ? nullptr : lengths.data(), t}; }

    Tensor states() const { return Tensor::empty({batch, steps + 1, hidden}); }
    ConstRows slot(const real* states, int64_t k) const { return {states + k * hidden, (steps + 1) * hidden}; }
    Rows slot(real* states, int64_t k) const { return {states + k * hidden, (steps + 1) * hidden}; }
    // Step t of something [B, S, gates * H].
    ConstRows gates_at(const real* x, int64_t t) const { return {x + t * gates * hidden, steps * gates * hidden}; }
    Rows gates_at(real* x, int64_t t) const { return {x + t * gates * hidden, steps * gates * hidden}; }

    void start(const Tensor& initial, real* states) const {
        const Rows to = slot(states, first_slot());
        for (int64_t b = 0; b < batch; ++b)
            if (initial.defined())
                std::copy_n(initial.data() + b * hidden, hidden, to[b]);
            else
                std::fill_n(to[b], hidden, real{0});
    }
    // outputs [B, S, H]: the states after each step, 0 after a row's length.
    void write_outputs(const real* states, real* outputs) const {
        for (int64_t b = 0; b < batch; ++b) {
            const int64_t n = lengths.empty() ? steps : lengths[static_cast<std::size_t>(b)];
            std::copy_n(states + (b * (steps + 1) + (forward() ? 1 : 0)) * hidden, n * hidden, outputs + b * steps * hidden);
            std::fill_n(outputs + (b * steps + n) * hidden, (steps - n) * hidden, real{0});
        }
    }
    void write_last(const real* states, real* last) const {
        const ConstRows from = slot(states, last_slot());
        kernels::copy_rows(from.data, from.stride, {last, Write::set}, hidden, batch, hidden);
    }
    // dh += doutputs at step t, for the rows that run: after a row's length outputs are constants.
    void add_output_gradient(const real* doutputs, int64_t t, real* dh) const {
        const Lengths running = at(t);
        for (int64_t b = 0; b < batch; ++b)
            if (running.runs(b))
                kernels::axpy(1, doutputs + (b * steps + t) * hidden, {dh + b * hidden, Write::add}, hidden);
    }
    // The states before every step, [B * S, H].
    Tensor states_before(const real* states) const {
        Tensor h = Tensor::empty({batch * steps, hidden});
        kernels::copy_rows(states + (forward() ? 0 : hidden), (steps + 1) * hidden, {h.writable(), Write::set}, steps * hidden,
                           batch, steps * hidden);
        return h;
    }
};

void check_weights(const char* op, int64_t gates, int64_t hidden, const Tensor& recurrent, const Tensor& bias) {
    require(recurrent.shape() == Shape{hidden, gates * hidden} && bias.shape() == Shape{gates * hidden},
            "{}: weights of another size: recurrent {}, bias {}, hidden {} needs [{}, {}]", op, recurrent.shape(), bias.shape(),
            hidden, hidden, gates * hidden);
}

Walk check_layer(const char* op, int64_t gates, const Tensor& x, const Tensor& h, const Tensor& recurrent, const Tensor& bias,
                 std::span<const int32_t> lengths, Direction direction) {
    require(x.rank() == 3 && x.dim(2) % gates == 0, "{}: projection of another shape: {}, needs [B, S, {} H]", op, x.shape(),
            gates);
    const int64_t batch = x.dim(0), steps = x.dim(1), hidden = x.dim(2) / gates;
    check_weights(op, gates, hidden, recurrent, bias);
    require(!h.defined() || h.shape() == Shape{batch, hidden}, "{}: state of another shape: state {}, projection {}", op, h, x);
    require(lengths.empty() || static_cast<int64_t>(lengths.size()) == batch, "{}: one length a row: {} lengths, {} rows", op,
            lengths.size(), batch);
    for (int32_t n : lengths) require(n >= 0 && n <= steps, "{}: length out of range: length {}, {} steps", op, n, steps);
    return {batch, steps, hidden, gates, direction, Array<int32_t>(lengths.begin(), lengths.end())};
}

// hp [B, gates H] = h U + b
void recurrent_product(ConstRows h, const Tensor& recurrent, const Tensor& bias, int64_t rows, int64_t hidden, real* hp) {
    const int64_t width = bias.dim(0);
    kernels::copy_rows(bias.data(), 0, {hp, Write::set}, width, rows, width);
    gemm(Transpose::no, Transpose::no, rows, width, hidden, 1, h.data, h.stride, recurrent.data(), width, 1, hp, width);
}

// dh += g U^T, with g [rows, gates H] whose rows lie `stride` apart
void through_recurrent(ConstRows g, const Saved& recurrent, int64_t rows, int64_t hidden, real* dh) {
    const int64_t width = recurrent.dim(1);
    gemm(Transpose::no, Transpose::yes, rows, hidden, width, 1, g.data, g.stride, recurrent.data(), width, 1, dh, hidden);
}

// The destination of an input's gradient, or a scratch that is added to it at the end: kernels that
// write in strides overwrite.
struct Overwritten {
    Overwritten(Backward& b, int input, const Shape& shape) : to(b.wanted(input)) {
        if (to.data == nullptr || to.write == Write::add)
            scratch = Tensor::empty(shape);
    }
    real* data() { return scratch.defined() ? scratch.writable() : to.data; }
    void finish() {
        if (to.data != nullptr && scratch.defined())
            kernels::axpy(1, scratch.data(), to, scratch.size());
    }
    Destination to;
    Tensor scratch;
};

// What remains when all gate gradients g [rows, gates H] are known: weight, bias and initial state.
void finish_weights(Backward& b, int recurrent_input, const Tensor& h, const Tensor& g) {
    const int64_t width = g.shape().columns();
    if (b.needs(recurrent_input))
        b.add_product(recurrent_input, h, g);
    if (b.needs(recurrent_input + 1))
        kernels::column_sums(g.data(), g.shape().rows(), width, width, b.into(recurrent_input + 1));
}
void finish_state(Backward& b, int input, const Tensor& dh) {
    if (b.needs(input))
        kernels::axpy(1, dh.data(), b.into(input), dh.size());
}

}  // namespace

Tensor gru_step(const Tensor& x, const Tensor& h, const Tensor& recurrent, const Tensor& bias) {
    require(h.rank() == 2 && x.shape() == Shape{h.dim(0), gru_gates * h.dim(1)},
            "gru_step: shapes do not fit: projection {}, state {}", x.shape(), h.shape());
    const int64_t rows = h.dim(0), hidden = h.dim(1), width = gru_gates * hidden;
    check_weights("gru_step", gru_gates, hidden, recurrent, bias);
    Tensor hp = Tensor::empty({rows, width}), y = Tensor::empty(h.shape()), kept = Tensor::empty({rows, gru_kept * hidden});
    recurrent_product({h.data(), hidden}, recurrent, bias, rows, hidden, hp.writable());
    kernels::gru_forward({x.data(), width}, {hp.data(), width}, {h.data(), hidden}, {y.writable(), hidden}, kept.writable(), {},
                         rows, hidden);
    return record("gru_step", y, {x, h, deferred(recurrent), bias},
                  [=, h = Saved(h), u = Saved(recurrent), kept = Saved(kept)](Backward& b) {
                      Overwritten dx(b, 0, {rows, width});
                      Tensor g = Tensor::empty({rows, width}), dh = Tensor::empty({rows, hidden});
                      kernels::gru_backward({b.gradient(), hidden}, kept.data(), {h.data(), hidden}, {dx.data(), width},
                                            {g.writable(), width}, {dh.writable(), hidden}, {}, rows, hidden);
                      dx.finish();
                      if (b.needs(1)) {
                          through_recurrent({g.data(), width}, u, rows, hidden, dh.writable());
                          finish_state(b, 1, dh);
                      }
                      finish_weights(b, 2, h, g);
                  });
}

LstmState lstm_step(const Tensor& x, const LstmState& s, const Tensor& recurrent, const Tensor& bias) {
    require(s.h.rank() == 2 && s.c.shape() == s.h.shape() && x.shape() == Shape{s.h.dim(0), lstm_gates * s.h.dim(1)},
            "lstm_step: shapes do not fit: projection {}, h {}, c {}", x.shape(), s.h.shape(), s.c.shape());
    const int64_t rows = s.h.dim(0), hidden = s.h.dim(1), width = lstm_gates * hidden, n = rows * hidden;
    check_weights("lstm_step", lstm_gates, hidden, recurrent, bias);
    Tensor hp = Tensor::empty({rows, width}), y = Tensor::empty({2, rows, hidden}),
           kept = Tensor::empty({rows, lstm_kept * hidden});
    recurrent_product({s.h.data(), hidden}, recurrent, bias, rows, hidden, hp.writable());
    kernels::lstm_forward({x.data(), width}, {hp.data(), width}, {s.h.data(), hidden}, {s.c.data(), hidden},
                          {y.writable(), hidden}, {y.writable() + n, hidden}, kept.writable(), {}, rows, hidden);
    const Tensor out = record("lstm_step", y, {x, s.h, s.c, deferred(recurrent), bias},
                              [=, h = Saved(s.h), c = Saved(s.c), u = Saved(recurrent), kept = Saved(kept)](Backward& b) {
                                  Tensor g = Tensor::empty({rows, width}), dh = Tensor::empty({rows, hidden});
                                  Tensor dc = Tensor::empty({rows, hidden});
                                  kernels::lstm_backward({b.gradient(), hidden}, {b.gradient() + n, hidden}, kept.data(),
                                                         {c.data(), hidden}, {g.writable(), width}, {dc.writable(), hidden},
                                                         {dh.writable(), hidden}, {}, rows, hidden);
                                  finish_state(b, 0, g);
                                  if (b.needs(1)) {
                                      through_recurrent({g.data(), width}, u, rows, hidden, dh.writable());
                                      finish_state(b, 1, dh);
                                  }
                                  finish_state(b, 2, dc);
                                  finish_weights(b, 3, h, g);
                              });
    return {out.row(0), out.row(1)};
}

Tensor rnn_step(const Tensor& x, const Tensor& h, const Tensor& recurrent, const Tensor& bias) {
    require(h.rank() == 2 && x.shape() == h.shape(), "rnn_step: shapes do not fit: projection {}, state {}", x.shape(),
            h.shape());
    const int64_t rows = h.dim(0), hidden = h.dim(1);
    check_weights("rnn_step", rnn_gates, hidden, recurrent, bias);
    Tensor hp = Tensor::empty(h.shape()), y = Tensor::empty(h.shape());
    recurrent_product({h.data(), hidden}, recurrent, bias, rows, hidden, hp.writable());
    kernels::rnn_forward({x.data(), hidden}, {hp.data(), hidden}, {h.data(), hidden}, {y.writable(), hidden}, {}, rows, hidden);
    return record("rnn_step", y, {x, h, deferred(recurrent), bias},
                  [=, h = Saved(h), u = Saved(recurrent), y = Saved(y)](Backward& b) {
                      Tensor g = Tensor::empty({rows, hidden}), dh = Tensor::empty({rows, hidden});
                      kernels::rnn_backward({b.gradient(), hidden}, {y.data(), hidden}, {g.writable(), hidden},
                                            {dh.writable(), hidden}, {}, rows, hidden);
                      finish_state(b, 0, g);
                      if (b.needs(1)) {
                          through_recurrent({g.data(), hidden}, u, rows, hidden, dh.writable());
                          finish_state(b, 1, dh);
                      }
                      finish_weights(b, 2, h, g);
                  });
}

GruLayerResult gru_layer(const Tensor& x, const Tensor& h0, const Tensor& recurrent, const Tensor& bias,
                         std::span<const int32_t> lengths, Direction direction) {
    const Walk w = check_layer("gru_layer", gru_gates, x, h0, recurrent, bias, lengths, direction);
    const int64_t outputs = w.batch * w.steps * w.hidden, width = w.gates * w.hidden, kept_step = w.batch * gru_kept * w.hidden;
    Tensor h = w.states(), hp = Tensor::empty({w.batch, width}), kept = Tensor::empty({w.steps, kept_step});
    Tensor y = Tensor::empty({outputs + w.batch * w.hidden});
    w.start(h0, h.writable());
    for (int64_t k = 0; k < w.steps; ++k) {
        const int64_t t = w.time(k);
        const ConstRows before = w.slot(h.data(), w.before(t));
        recurrent_product(before, recurrent, bias, w.batch, w.hidden, hp.writable());
        kernels::gru_forward(w.gates_at(x.data(), t), {hp.data(), width}, before, w.slot(h.writable(), w.after(t)),
                             kept.writable() + t * kept_step, w.at(t), w.batch, w.hidden);
    }
    w.write_outputs(h.data(), y.writable());
    w.write_last(h.data(), y.writable() + outputs);
    y = record("gru_layer", y, {x, h0, deferred(recurrent), bias},
               [=, h = Saved(h), u = Saved(recurrent), kept = Saved(kept)](Backward& b) {
                   Overwritten dx(b, 0, {w.batch, w.steps, width});
                   Tensor g = Tensor::empty({w.batch * w.steps, width}), dh = Tensor::empty({w.batch, w.hidden});
                   std::copy_n(b.gradient() + outputs, dh.size(), dh.writable());
                   for (int64_t k = w.steps; k-- > 0;) {
                       const int64_t t = w.time(k);
                       w.add_output_gradient(b.gradient(), t, dh.writable());
                       kernels::gru_backward({dh.data(), w.hidden}, kept.data() + t * kept_step, w.slot(h.data(), w.before(t)),
                                             w.gates_at(dx.data(), t), w.gates_at(g.writable(), t), {dh.writable(), w.hidden},
                                             w.at(t), w.batch, w.hidden);
                       through_recurrent(w.gates_at(g.data(), t), u, w.batch, w.hidden, dh.writable());
                   }
                   dx.finish();
                   finish_state(b, 1, dh);
                   finish_weights(b, 2, w.states_before(h.data()), g);
               });
    return {y.part(0, {w.batch, w.steps, w.hidden}), y.part(outputs, {w.batch, w.hidden})};
}

LstmLayerResult lstm_layer(const Tensor& x, const LstmState& s, const Tensor& recurrent, const Tensor& bias,
                           std::span<const int32_t> lengths, Direction direction) {
    const Walk w = check_layer("lstm_layer", lstm_gates, x, s.h, recurrent, bias, lengths, direction);
    require(s.c.defined() == s.h.defined() && (!s.c.defined() || s.c.shape() == s.h.shape()),
            "lstm_layer: states differ: h {}, c {}", s.h, s.c);
    const int64_t outputs = w.batch * w.steps * w.hidden, width = w.gates * w.hidden,
                  kept_step = w.batch * lstm_kept * w.hidden;
    const int64_t n = w.batch * w.hidden;
    Tensor h = w.states(), c = w.states(), hp = Tensor::empty({w.batch, width}), kept = Tensor::empty({w.steps, kept_step});
    Tensor y = Tensor::empty({outputs + 2 * n});
    w.start(s.h, h.writable());
    w.start(s.c, c.writable());
    for (int64_t k = 0; k < w.steps; ++k) {
        const int64_t t = w.time(k);
        const ConstRows before = w.slot(h.data(), w.before(t));
        recurrent_product(before, recurrent, bias, w.batch, w.hidden, hp.writable());
        kernels::lstm_forward(w.gates_at(x.data(), t), {hp.data(), width}, before, w.slot(c.data(), w.before(t)),
                              w.slot(h.writable(), w.after(t)), w.slot(c.writable(), w.after(t)),
                              kept.writable() + t * kept_step, w.at(t), w.batch, w.hidden);
    }
    w.write_outputs(h.data(), y.writable());
    w.write_last(h.data(), y.writable() + outputs);
    w.write_last(c.data(), y.writable() + outputs + n);
    y = record("lstm_layer", y, {x, s.h, s.c, deferred(recurrent), bias},
               [=, h = Saved(h), c = Saved(c), u = Saved(recurrent), kept = Saved(kept)](Backward& b) {
                   Tensor g = Tensor::empty({w.batch * w.steps, width});
                   Tensor dh = Tensor::empty({w.batch, w.hidden}), dc = Tensor::empty({w.batch, w.hidden});
                   std::copy_n(b.gradient() + outputs, n, dh.writable());
                   std::copy_n(b.gradient() + outputs + n, n, dc.writable());
                   for (int64_t k = w.steps; k-- > 0;) {
                       const int64_t t = w.time(k);
                       w.add_output_gradient(b.gradient(), t, dh.writable());
                       kernels::lstm_backward({dh.data(), w.hidden}, {dc.data(), w.hidden}, kept.data() + t * kept_step,
                                              w.slot(c.data(), w.before(t)), w.gates_at(g.writable(), t),
                                              {dc.writable(), w.hidden}, {dh.writable(), w.hidden}, w.at(t), w.batch, w.hidden);
                       through_recurrent(w.gates_at(g.data(), t), u, w.batch, w.hidden, dh.writable());
                   }
                   finish_state(b, 0, g);
                   finish_state(b, 1, dh);
                   finish_state(b, 2, dc);
                   finish_weights(b, 3, w.states_before(h.data()), g);
               });
    return {y.part(0, {w.batch, w.steps, w.hidden}),
            {y.part(outputs, {w.batch, w.hidden}), y.part(outputs + n, {w.batch, w.hidden})}};
}

RnnLayerResult rnn_layer(const Tensor& x, const Tensor& h0, const Tensor& recurrent, const Tensor& bias,
                         std::span<const int32_t> lengths, Direction direction) {
    const Walk w = check_layer("rnn_layer", rnn_gates, x, h0, recurrent, bias, lengths, direction);
    const int64_t outputs = w.batch * w.steps * w.hidden;
    Tensor h = w.states(), hp = Tensor::empty({w.batch, w.hidden}), y = Tensor::empty({outputs + w.batch * w.hidden});
    w.start(h0, h.writable());
    for (int64_t k = 0; k < w.steps; ++k) {
        const int64_t t = w.time(k);
        const ConstRows before = w.slot(h.data(), w.before(t));
        recurrent_product(before, recurrent, bias, w.batch, w.hidden, hp.writable());
        kernels::rnn_forward(w.gates_at(x.data(), t), {hp.data(), w.hidden}, before, w.slot(h.writable(), w.after(t)), w.at(t),
                             w.batch, w.hidden);
    }
    w.write_outputs(h.data(), y.writable());
    w.write_last(h.data(), y.writable() + outputs);
    y = record("rnn_layer", y, {x, h0, deferred(recurrent), bias}, [=, h = Saved(h), u = Saved(recurrent)](Backward& b) {
        Tensor g = Tensor::empty({w.batch * w.steps, w.hidden}), dh = Tensor::empty({w.batch, w.hidden});
        std::copy_n(b.gradient() + outputs, dh.size(), dh.writable());
        for (int64_t k = w.steps; k-- > 0;) {
            const int64_t t = w.time(k);
            w.add_output_gradient(b.gradient(), t, dh.writable());
            kernels::rnn_backward({dh.data(), w.hidden}, w.slot(h.data(), w.after(t)), w.gates_at(g.writable(), t),
                                  {dh.writable(), w.hidden}, w.at(t), w.batch, w.hidden);
            through_recurrent(w.gates_at(g.data(), t), u, w.batch, w.hidden, dh.writable());
        }
        finish_state(b, 0, g);
        finish_state(b, 1, dh);
        finish_weights(b, 2, w.states_before(h.data()), g);
    });
    return {y.part(0, {w.batch, w.steps, w.hidden}), y.part(outputs, {w.batch, w.hidden})};
}

}  // namespace attend::ATTEND_PRECISION
