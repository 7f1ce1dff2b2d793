#include "core/ops.h"
#include "tests/core/op_cases.h"
#include "tests/oracles/composites.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

enum class Cell { gru, lstm, rnn };
constexpr int64_t gates_of(Cell cell) { return cell == Cell::gru ? 3 : cell == Cell::lstm ? 4 : 1; }
constexpr int64_t states_of(Cell cell) { return cell == Cell::lstm ? 2 : 1; }
constexpr const char* name_of(Cell cell) {
    return cell == Cell::gru ? "gru_layer" : cell == Cell::lstm ? "lstm_layer" : "rnn_layer";
}

Tensor flat(const Tensor& x) { return x.reshape({x.size()}); }
Tensor together(const GruLayerResult& r) { return concat({flat(r.outputs), flat(r.last)}, 0); }
Tensor together(const LstmState& s) { return concat({s.h, s.c}, 0); }
Tensor together(const LstmLayerResult& r) { return concat({flat(r.outputs), flat(r.last.h), flat(r.last.c)}, 0); }

constexpr int32_t few_lengths[] = {2, 0, 3};
constexpr int32_t no_lengths[] = {0, 0, 0};
enum class Start { zeros, given };
enum class Layer { full, lengths, empty };
template <bool composite, Cell cell, Start start, Layer layer, Direction direction>
Tensor recurrent(Inputs in) {
    using Lengths = std::span<const int32_t>;
    const Lengths lengths = layer == Layer::full ? Lengths{} : layer == Layer::lengths ? few_lengths : no_lengths;
    const Tensor h = start == Start::given ? in[3] : Tensor{};
    if constexpr (cell == Cell::lstm) {
        const LstmState s{h, start == Start::given ? in[4] : Tensor{}};
        return together(composite ? lstm_layer_composite(in[0], s, in[1], in[2], lengths, direction)
                                  : lstm_layer(in[0], s, in[1], in[2], lengths, direction));
    } else if constexpr (cell == Cell::gru) {
        return together(composite ? gru_layer_composite(in[0], h, in[1], in[2], lengths, direction)
                                  : gru_layer(in[0], h, in[1], in[2], lengths, direction));
    } else {
        return together(composite ? rnn_layer_composite(in[0], h, in[1], in[2], lengths, direction)
                                  : rnn_layer(in[0], h, in[1], in[2], lengths, direction));
    }
}
template <Cell cell, Start start, Layer layer, Direction direction>
void add_layer(std::vector<OpCase>& all, const std::string& name) {
    const int64_t b = 3, s = 3, h = 2, g = gates_of(cell);
    std::vector<CaseInput> inputs = {{b, s, g * h}, {h, g * h}, {g * h}};
    for (int64_t i = 0; start == Start::given && i < states_of(cell); ++i) inputs.push_back({b, h});
    // Rows that never run give the state they were given, and no gradient to anything else.
    const Expected expected = layer == Layer::empty ? Expected::no_gradient : Expected::gradient;
    all.push_back({std::string(name_of(cell)) + " " + name,
                   inputs,
                   {b * s * h + states_of(cell) * b * h},
                   recurrent<false, cell, start, layer, direction>,
                   recurrent<true, cell, start, layer, direction>,
                   expected});
}
template <Cell cell>
void add_layers(std::vector<OpCase>& all) {
    constexpr Direction f = Direction::forward, b = Direction::backward;
    add_layer<cell, Start::zeros, Layer::full, f>(all, "forward");
    add_layer<cell, Start::zeros, Layer::full, b>(all, "backward");
    add_layer<cell, Start::given, Layer::full, f>(all, "forward, state");
    add_layer<cell, Start::given, Layer::full, b>(all, "backward, state");
    add_layer<cell, Start::zeros, Layer::lengths, f>(all, "forward, lengths");
    add_layer<cell, Start::zeros, Layer::lengths, b>(all, "backward, lengths");
    add_layer<cell, Start::given, Layer::lengths, f>(all, "forward, lengths, state");
    add_layer<cell, Start::given, Layer::lengths, b>(all, "backward, lengths, state");
    add_layer<cell, Start::zeros, Layer::empty, f>(all, "forward, lengths 0");
    add_layer<cell, Start::zeros, Layer::empty, b>(all, "backward, lengths 0");
    const std::string name = name_of(cell);
    const int64_t g = gates_of(cell), states = states_of(cell);
    const OpCase::Function from_zeros = recurrent<false, cell, Start::zeros, Layer::full, f>;
    all.push_back({name + " no steps", {{2, 0, g}, {1, g}, {g}}, {states * 2}, from_zeros, nullptr, Expected::no_gradient});
    all.push_back({name + " no rows", {{0, 2, g}, {1, g}, {g}}, {0}, from_zeros, nullptr, Expected::no_gradient});
    std::vector<CaseInput> smallest = {{1, 1, g}, {1, g}, {g}};
    for (int64_t i = 0; i < states; ++i) smallest.push_back({1, 1});
    all.push_back({name + " 1 x 1 x 1", smallest, {1 + states}, recurrent<false, cell, Start::given, Layer::full, f>});
}

void add_steps(std::vector<OpCase>& all) {
    all.push_back({"gru_step",
                   {{3, 6}, {3, 2}, {2, 6}, {6}},
                   {3, 2},
                   [](Inputs in) { return gru_step(in[0], in[1], in[2], in[3]); },
                   [](Inputs in) { return gru_step_composite(in[0], in[1], in[2], in[3]); }});
    all.push_back({"gru_step 1 x 1",
                   {{1, 3}, {1, 1}, {1, 3}, {3}},
                   {1, 1},
                   [](Inputs in) { return gru_step(in[0], in[1], in[2], in[3]); },
                   [](Inputs in) { return gru_step_composite(in[0], in[1], in[2], in[3]); }});
    all.push_back({"gru_step no rows",
                   {{0, 6}, {0, 2}, {2, 6}, {6}},
                   {0, 2},
                   [](Inputs in) { return gru_step(in[0], in[1], in[2], in[3]); },
                   nullptr,
                   Expected::no_gradient});
    all.push_back({"gru_step repeated",
                   {{3, 6}, {3, 2}, {2, 6}, {6}},
                   {3, 2},
                   [](Inputs in) {
                       Tensor h = in[1];
                       for (int t = 0; t < 3; ++t) h = gru_step(in[0], h, in[2], in[3]);
                       return h;
                   },
                   [](Inputs in) {
                       Tensor h = in[1];
                       for (int t = 0; t < 3; ++t) h = gru_step_composite(in[0], h, in[2], in[3]);
                       return h;
                   }});
    all.push_back({"lstm_step",
                   {{3, 8}, {3, 2}, {3, 2}, {2, 8}, {8}},
                   {6, 2},
                   [](Inputs in) {
                       return together(lstm_step(in[0], {in[1], in[2]}, in[3], in[4]));
                   },
                   [](Inputs in) {
                       return together(lstm_step_composite(in[0], {in[1], in[2]}, in[3], in[4]));
                   }});
    all.push_back({"lstm_step only h",
                   {{3, 8}, {3, 2}, {3, 2}, {2, 8}, {8}},
                   {3, 2},
                   [](Inputs in) {
                       return lstm_step(in[0], {in[1], in[2]}, in[3], in[4]).h;
                   },
                   [](Inputs in) {
                       return lstm_step_composite(in[0], {in[1], in[2]}, in[3], in[4]).h;
                   }});
    all.push_back({"lstm_step no rows",
                   {{0, 8}, {0, 2}, {0, 2}, {2, 8}, {8}},
                   {0, 2},
                   [](Inputs in) {
                       return together(lstm_step(in[0], {in[1], in[2]}, in[3], in[4]));
                   },
                   nullptr,
                   Expected::no_gradient});
    all.push_back({"lstm_step repeated",
                   {{3, 8}, {3, 2}, {3, 2}, {2, 8}, {8}},
                   {6, 2},
                   [](Inputs in) {
                       LstmState s{in[1], in[2]};
                       for (int t = 0; t < 3; ++t) s = lstm_step(in[0], s, in[3], in[4]);
                       return together(s);
                   },
                   [](Inputs in) {
                       LstmState s{in[1], in[2]};
                       for (int t = 0; t < 3; ++t) s = lstm_step_composite(in[0], s, in[3], in[4]);
                       return together(s);
                   }});
    all.push_back({"rnn_step",
                   {{3, 2}, {3, 2}, {2, 2}, {2}},
                   {3, 2},
                   [](Inputs in) { return rnn_step(in[0], in[1], in[2], in[3]); },
                   [](Inputs in) { return rnn_step_composite(in[0], in[1], in[2], in[3]); }});
    all.push_back({"rnn_step no rows",
                   {{0, 2}, {0, 2}, {2, 2}, {2}},
                   {0, 2},
                   [](Inputs in) { return rnn_step(in[0], in[1], in[2], in[3]); },
                   nullptr,
                   Expected::no_gradient});
    all.push_back({"rnn_step repeated",
                   {{3, 2}, {3, 2}, {2, 2}, {2}},
                   {3, 2},
                   [](Inputs in) {
                       Tensor h = in[1];
                       for (int t = 0; t < 3; ++t) h = rnn_step(in[0], h, in[2], in[3]);
                       return h;
                   },
                   [](Inputs in) {
                       Tensor h = in[1];
                       for (int t = 0; t < 3; ++t) h = rnn_step_composite(in[0], h, in[2], in[3]);
                       return h;
                   }});
}

}  // namespace

std::vector<OpCase> recurrent_op_cases() {
    std::vector<OpCase> all;
    add_steps(all);
    add_layers<Cell::gru>(all);
    add_layers<Cell::lstm>(all);
    add_layers<Cell::rnn>(all);
    return all;
}

}  // namespace attend::ATTEND_PRECISION::oracles
