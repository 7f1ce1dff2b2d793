#include "nn/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/trace.h"
#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

std::vector<std::string> cell_names() { return {"gru", "lstm", "rnn"}; }

CellKind cell_kind(const std::string& name) {
    const std::vector<std::string> known = cell_names();
    const auto found = std::find(known.begin(), known.end(), name);
    require(found != known.end(), "cell: unknown name '{}'; known: {}", name, fmt::join(known, ", "));
    return static_cast<CellKind>(found - known.begin());
}

namespace {
int64_t gates_of(CellKind kind) {
    switch (kind) {
        case CellKind::gru:
            return 3;
        case CellKind::lstm:
            return 4;
        case CellKind::rnn:
            break;
    }
    return 1;
}
}  // namespace

RecurrentLayer::RecurrentLayer(const Scope& scope, CellKind kind_, int64_t in_, int64_t hidden_)
    : kind(kind_), in(in_), hidden(hidden_), path(scope.path()) {
    const int64_t width = gates_of(kind) * hidden;
    const Init init = Init::uniform(1 / std::sqrt(static_cast<double>(hidden)));
    input_weight = scope.in("input").add("weight", {in, width}, init);
    input_bias = scope.in("input").add("bias", {width}, init);
    recurrent_weight = scope.in("recurrent").add("weight", {hidden, width}, init);
    recurrent_bias = scope.in("recurrent").add("bias", {width}, init);
}

Tensor RecurrentLayer::project_part(const Tensor& x, int64_t begin, int64_t end, const Tensor& plus) const {
    const trace::Scope here(path.c_str());
    return linear(x, input_weight.rows(begin, end), plus.defined() ? Tensor() : input_bias, plus);
}

CellState RecurrentLayer::step(const Tensor& projection, const CellState& s) const {
    const trace::Scope here(path.c_str());
    if (kind == CellKind::lstm)
        return lstm_step(projection, s, recurrent_weight, recurrent_bias);
    const auto one_step = kind == CellKind::gru ? gru_step : rnn_step;
    return {one_step(projection, s.h, recurrent_weight, recurrent_bias), {}};
}

LayerOutput RecurrentLayer::operator()(const Tensor& x, const CellState& s, std::span<const int32_t> lengths,
                                       Direction direction) const {
    const trace::Scope here(path.c_str());
    const Tensor projection = project(x);
    if (kind == CellKind::lstm)
        return lstm_layer(projection, s, recurrent_weight, recurrent_bias, lengths, direction);
    const auto all_steps = kind == CellKind::gru ? gru_layer : rnn_layer;
    const auto [outputs, last] = all_steps(projection, s.h, recurrent_weight, recurrent_bias, lengths, direction);
    return {outputs, {last, {}}};
}

CellState RecurrentLayer::zeros(int64_t rows) const {
    const Tensor zero = Tensor::zeros({rows, hidden});
    return {zero, kind == CellKind::lstm ? zero : Tensor()};
}

RecurrentStack::RecurrentStack(const Scope& scope, CellKind kind, Directions directions, int64_t layers, int64_t in,
                               int64_t hidden, double dropout) {
    for (int64_t l = 0; l < layers; ++l) {
        const Scope layer = scope.in(l);
        forward.emplace_back(layer.in("forward"), kind, in, hidden);
        if (directions == Directions::two)
            backward.emplace_back(layer.in("backward"), kind, in, hidden);
        between.emplace_back(layer.in("dropout"), dropout);
        in = hidden * (directions == Directions::two ? 2 : 1);
    }
}

LayerOutput RecurrentStack::operator()(const Tensor& input, std::span<const int32_t> lengths, const Context& context) const {
    LayerOutput out{input, {}};
    for (std::size_t l = 0; l < forward.size(); ++l) {
        const Tensor x = l > 0 ? between[l](out.outputs, context) : input;
        out = forward[l](x, {}, lengths, Direction::forward);
        if (!backward.empty()) {
            const LayerOutput back = backward[l](x, {}, lengths, Direction::backward);
            out = {concat({out.outputs, back.outputs}, 2), back.last};
        }
    }
    return out;
}

}  // namespace attend::ATTEND_PRECISION
