#pragma once
/// GRU, LSTM and the plain RNN: one step, one layer, both directions, stacked. For the formulas and
/// the order of gates see core/ops/recurrent.h.
#include <span>
#include <string>
#include <vector>

#include "core/ops/recurrent.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

enum class CellKind { gru, lstm, rnn };
/// Their names, in the order of CellKind.
std::vector<std::string> cell_names();
/// The kind of that name; throws Error naming the known ones.
CellKind cell_kind(const std::string& name);

/// The state of one layer; only an LSTM has c.
using CellState = LstmState;
/// What a layer of any kind gives.
using LayerOutput = LstmLayerResult;

/// One direction of one layer: `input` [in, G H], `recurrent` [H, G H] with G = 3 (GRU), 4 (LSTM) or 1
/// (RNN) gates and two biases, all uniform within 1 / sqrt(H) at the start.
struct RecurrentLayer {
    RecurrentLayer() = default;
    RecurrentLayer(const Scope& scope, CellKind kind_, int64_t in, int64_t hidden_);

    /// The input's part of the gates for any number of steps: x [..., in] to [..., G H].
    Tensor project(const Tensor& x) const { return project_part(x, 0, in, {}); }
    /// The same for the input's columns [begin, end) alone, added to `plus`: lets a decoder project
    /// what it knows in advance for all steps at once, and the rest step by step.
    Tensor project_part(const Tensor& x, int64_t begin, int64_t end, const Tensor& plus) const;
    /// One step from a projection [B, G H].
    CellState step(const Tensor& projection, const CellState& state) const;
    /// All steps of x [B, S, in].
    LayerOutput operator()(const Tensor& x, const CellState& state, std::span<const int32_t> lengths,
                           Direction direction) const;
    /// All zeros, for `rows` rows.
    CellState zeros(int64_t rows) const;

    CellKind kind = CellKind::gru;
    int64_t in = 0, hidden = 0;
    Tensor input_weight, input_bias, recurrent_weight, recurrent_bias;
    std::string path;
};

enum class Directions { one, two };

/// Stacked layers, each in one or both directions (Schuster and Paliwal 1997): layer l + 1 reads
/// [forward, backward] of layer l, with dropout between layers.
struct RecurrentStack {
    RecurrentStack() = default;
    RecurrentStack(const Scope& scope, CellKind kind, Directions directions, int64_t layers, int64_t in, int64_t hidden,
                   double dropout);
    /// What the top layer gives: outputs [B, S, directions * H]; the last state is that of its backward
    /// direction where there are two.
    LayerOutput operator()(const Tensor& x, std::span<const int32_t> lengths, const Context& context) const;
    /// Width of the outputs.
    int64_t width() const { return static_cast<int64_t>(forward.back().hidden) * (backward.empty() ? 1 : 2); }

    std::vector<RecurrentLayer> forward, backward;
    std::vector<Dropout> between;
};

}  // namespace attend::ATTEND_PRECISION
