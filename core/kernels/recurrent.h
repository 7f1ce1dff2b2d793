#pragma once
/// The pointwise half of one recurrent step, after the matrix products. One row per sequence; s is
/// the logistic function. `lengths` is null or holds one length per row: a row with t >=
/// lengths[row] carries its state, and its gradient passes straight through, with zero projection
/// gradients. The strides are the distances between rows.
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// Which sequences still run at step t.
struct Lengths {
    const int32_t* lengths = nullptr;
    int64_t t = 0;
    bool runs(int64_t row) const { return lengths == nullptr || t < lengths[row]; }
};

/// GRU (Cho et al. 2014, the reset gate after the product as in PyTorch), gate order r, z, n:
///     r = s(xr + hr), z = s(xz + hz), n = tanh(xn + r hn), h' = (1 - z) n + z h
/// x_proj and h_proj [rows, 3 hidden], biases included; h_prev, h_next [rows, hidden], h_next may
/// be h_prev; saved [rows, 4 hidden], contiguous: r, z, n, hn, for the backward (untouched for
/// carried rows).
extern Kernel<void(ConstRows x_proj, ConstRows h_proj, ConstRows h_prev, Rows h_next, real* saved, Lengths lengths,
                   int64_t rows, int64_t hidden)>
    gru_forward;

/// From dh_next [rows, hidden]: dx_proj and dh_proj [rows, 3 hidden] and the direct part of dh_prev
/// [rows, hidden], dh z, all overwritten (the part through h_proj is the caller's product). dh_prev
/// may be dh_next.
extern Kernel<void(ConstRows dh_next, const real* saved, ConstRows h_prev, Rows dx_proj, Rows dh_proj, Rows dh_prev,
                   Lengths lengths, int64_t rows, int64_t hidden)>
    gru_backward;

/// LSTM (Hochreiter and Schmidhuber 1997, with forget gate), gate order i, f, g, o as in PyTorch:
///     i, f, o = s(x + h), g = tanh(xg + hg), c' = f c + i g, h' = o tanh(c')
/// x_proj, h_proj [rows, 4 hidden], biases included; h_prev, c_prev, h_next, c_next [rows, hidden],
/// next may be prev; saved [rows, 5 hidden], contiguous: i, f, g, o, tanh(c') (untouched for
/// carried rows).
extern Kernel<void(ConstRows x_proj, ConstRows h_proj, ConstRows h_prev, ConstRows c_prev, Rows h_next, Rows c_next,
                   real* saved, Lengths lengths, int64_t rows, int64_t hidden)>
    lstm_forward;

/// From dh_next and dc_next [rows, hidden]: dgates [rows, 4 hidden], the gradient of both
/// projections; dc_prev [rows, hidden], which may be dc_next; and dh_carry [rows, hidden]: dh_next
/// in carried rows and 0 in others, which may be dh_next (add it to the caller's product). All
/// overwritten.
extern Kernel<void(ConstRows dh_next, ConstRows dc_next, const real* saved, ConstRows c_prev, Rows dgates, Rows dc_prev,
                   Rows dh_carry, Lengths lengths, int64_t rows, int64_t hidden)>
    lstm_backward;

/// Elman's network (1990): h' = tanh(x + h). x_proj, h_proj [rows, hidden], biases included;
/// h_prev, h_next [rows, hidden], h_next may be h_prev.
extern Kernel<void(ConstRows x_proj, ConstRows h_proj, ConstRows h_prev, Rows h_next, Lengths lengths, int64_t rows,
                   int64_t hidden)>
    rnn_forward;

/// From dh_next and h_next [rows, hidden]: dgate [rows, hidden], the gradient of both projections,
/// and dh_carry [rows, hidden]: dh_next in carried rows and 0 in others, which may be dh_next (add
/// it to the caller's product). Both overwritten.
extern Kernel<void(ConstRows dh_next, ConstRows h_next, Rows dgate, Rows dh_carry, Lengths lengths, int64_t rows,
                   int64_t hidden)>
    rnn_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
