#pragma once
/// Recurrent steps and layers, gates fused. The input's projection is given (one product for all
/// steps of a layer); the recurrent product is made here, and its weight gradient is one product
/// over all steps. Gate order and formulas:
///   GRU (Cho et al. 2014), r, z, n: r = s(xr + hr), z = s(xz + hz), n = tanh(xn + r hn), h' = (1 -
///   z) n + z h
///   LSTM (Hochreiter and Schmidhuber 1997), i, f, g, o: c' = s(f) c + s(i) tanh(g), h' = s(o)
///   tanh(c')
///   RNN (Elman 1990), one gate: h' = tanh(x + h U + b)
/// with (hr, hz, hn) = h U + b, the reset gate after the product.
#include <span>

#include "core/base/ids.h"
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// Which way a layer walks over the time axis.
enum class Direction { forward, backward };

struct LstmState {
    Tensor h, c;  ///< [B, H] each
};
/// What a layer of GRU or RNN gives.
struct GruLayerResult {
    Tensor outputs;  ///< [B, S, H], 0 after each row's length
    Tensor last;     ///< [B, H], the state after the last step taken (backward: at the first position)
};
using RnnLayerResult = GruLayerResult;
struct LstmLayerResult {
    Tensor outputs;  ///< [B, S, H], 0 after each row's length
    LstmState last;
};

/// One step: x_projection [B, 3H] (bias included), h [B, H], recurrent [H, 3H], bias [3H]; output
/// [B, H]. Throws Error naming shapes that do not fit.
Tensor gru_step(const Tensor& x_projection, const Tensor& h, const Tensor& recurrent, const Tensor& bias);
/// One step: x_projection [B, 4H], recurrent [H, 4H], bias [4H].
LstmState lstm_step(const Tensor& x_projection, const LstmState& state, const Tensor& recurrent, const Tensor& bias);

/// One step: x_projection [B, H], recurrent [H, H], bias [H].
Tensor rnn_step(const Tensor& x_projection, const Tensor& h, const Tensor& recurrent, const Tensor& bias);

/// All steps of x_projection [B, S, 3H], from `h` [B, H] or zeros when undefined. `lengths` holds B
/// lengths or is empty; a row starts and ends within its length, whatever the direction.
GruLayerResult gru_layer(const Tensor& x_projection, const Tensor& h, const Tensor& recurrent, const Tensor& bias,
                         std::span<const int32_t> lengths, Direction direction);
LstmLayerResult lstm_layer(const Tensor& x_projection, const LstmState& state, const Tensor& recurrent, const Tensor& bias,
                           std::span<const int32_t> lengths, Direction direction);
RnnLayerResult rnn_layer(const Tensor& x_projection, const Tensor& h, const Tensor& recurrent, const Tensor& bias,
                         std::span<const int32_t> lengths, Direction direction);

}  // namespace attend::ATTEND_PRECISION
