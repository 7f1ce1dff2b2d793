#include "tests/core/op_cases.h"

#include "core/ops.h"
#include "tests/oracles/composites.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

Tensor flat(const Tensor& x) { return x.reshape({x.size()}); }
Tensor together(const GruLayerResult& r) { return concat({flat(r.outputs), flat(r.last)}, 0); }
Tensor together(const LstmState& s) { return concat({s.h, s.c}, 0); }
Tensor together(const LstmLayerResult& r) { return concat({flat(r.outputs), flat(r.last.h), flat(r.last.c)}, 0); }

// For 6 rows of 5 columns: all, none, inner, first, last, none at the end.
Ranges mixed() { return {{0, 5}, {2, 2}, {1, 4}, {0, 1}, {4, 5}, {5, 5}}; }
Ranges none(std::size_t rows) { return Ranges(rows); }

constexpr int32_t few_lengths[] = {2, 0, 3};
constexpr int32_t no_lengths[] = {0, 0, 0};
using Lengths = std::span<const int32_t>;
template <bool composite>
Tensor gru(Inputs in, bool state, Lengths lengths, Direction direction) {
    const Tensor h = state ? in[3] : Tensor{};
    return together(composite ? gru_layer_composite(in[0], h, in[1], in[2], lengths, direction)
                              : gru_layer(in[0], h, in[1], in[2], lengths, direction));
}
template <bool composite>
Tensor lstm(Inputs in, bool state, Lengths lengths, Direction direction) {
    const LstmState s = state ? LstmState{in[3], in[4]} : LstmState{};
    return together(composite ? lstm_layer_composite(in[0], s, in[1], in[2], lengths, direction)
                              : lstm_layer(in[0], s, in[1], in[2], lengths, direction));
}
enum class Start { zeros, given };
enum class Layer { full, lengths, empty };
template <bool composite, bool is_gru, Start start, Layer layer, Direction direction>
Tensor recurrent(Inputs in) {
    const Lengths lengths = layer == Layer::full ? Lengths{} : layer == Layer::lengths ? few_lengths : no_lengths;
    return is_gru ? gru<composite>(in, start == Start::given, lengths, direction)
                  : lstm<composite>(in, start == Start::given, lengths, direction);
}
template <bool is_gru, Start start, Layer layer, Direction direction>
void add_layer(std::vector<OpCase>& all, const std::string& name) {
    const int64_t b = 3, s = 3, h = 2, g = is_gru ? 3 : 4;
    std::vector<CaseInput> inputs = {{b, s, g * h}, {h, g * h}, {g * h}};
    for (int64_t i = 0; start == Start::given && i < (is_gru ? 1 : 2); ++i) inputs.push_back({b, h});
    // Rows that never run give the state they were given, and no gradient to anything else.
    const Expected expected = layer == Layer::empty ? Expected::no_gradient : Expected::gradient;
    all.push_back({(is_gru ? "gru_layer " : "lstm_layer ") + name,
                   inputs,
                   {b * s * h + (is_gru ? 1 : 2) * b * h},
                   recurrent<false, is_gru, start, layer, direction>,
                   recurrent<true, is_gru, start, layer, direction>,
                   expected});
}
template <bool is_gru>
void add_layers(std::vector<OpCase>& all) {
    constexpr Direction f = Direction::forward, b = Direction::backward;
    add_layer<is_gru, Start::zeros, Layer::full, f>(all, "forward");
    add_layer<is_gru, Start::zeros, Layer::full, b>(all, "backward");
    add_layer<is_gru, Start::given, Layer::full, f>(all, "forward, state");
    add_layer<is_gru, Start::given, Layer::full, b>(all, "backward, state");
    add_layer<is_gru, Start::zeros, Layer::lengths, f>(all, "forward, lengths");
    add_layer<is_gru, Start::zeros, Layer::lengths, b>(all, "backward, lengths");
    add_layer<is_gru, Start::given, Layer::lengths, f>(all, "forward, lengths, state");
    add_layer<is_gru, Start::given, Layer::lengths, b>(all, "backward, lengths, state");
    add_layer<is_gru, Start::zeros, Layer::empty, f>(all, "forward, lengths 0");
    add_layer<is_gru, Start::zeros, Layer::empty, b>(all, "backward, lengths 0");
}

constexpr int32_t some_targets[] = {2, 0, -1, 3, 2};
CrossEntropyOptions loss_options(double smoothing) { return {3.5, smoothing, -1}; }
template <bool composite>
Tensor head(Inputs in, Transpose t, bool bias, double smoothing) {
    const Tensor b = bias ? in[2] : Tensor{};
    return composite ? head_cross_entropy_composite(in[0], in[1], t, b, some_targets, loss_options(smoothing))
                     : head_cross_entropy(in[0], in[1], t, b, some_targets, loss_options(smoothing)).loss;
}

template <bool composite>
Tensor rows(Inputs in, Transpose t, double smoothing) {
    const Tensor z = composite ? matmul(in[0], in[1], Transpose::no, t) : Tensor();
    return composite ? row_losses_composite(in[2].defined() ? z + in[2] : z, some_targets, loss_options(smoothing))
                     : head_row_losses(in[0], in[1], t, in[2], some_targets, loss_options(smoothing)).loss;
}

void add_normalisers(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    all.push_back({"softmax",
                   {{{2, 3, 5}, -2, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return softmax(in[0]); },
                   [](Inputs in) { return softmax_composite(in[0], {}, 1); }});
    all.push_back({"softmax ranges, scale",
                   {{{2, 3, 5}, -2, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return softmax(in[0], mixed(), real{1.7}); },
                   [](Inputs in) { return softmax_composite(in[0], mixed(), real{1.7}); }});
    all.push_back({"softmax one column", {{3, 1}}, {3, 1}, [](Inputs in) { return softmax(in[0]); }, nullptr, nothing});
    all.push_back(
        {"softmax empty ranges", {{3, 4}}, {3, 4}, [](Inputs in) { return softmax(in[0], none(3)); }, nullptr, nothing});
    all.push_back({"softmax no columns", {{3, 0}}, {3, 0}, [](Inputs in) { return softmax(in[0]); }, nullptr, nothing});
    all.push_back({"softmax no rows", {{0, 3}}, {0, 3}, [](Inputs in) { return softmax(in[0]); }, nullptr, nothing});
    all.push_back({"log_softmax",
                   {{{6, 5}, -2, 2}},
                   {6, 5},
                   [](Inputs in) { return log_softmax(in[0]); },
                   [](Inputs in) { return log_softmax_composite(in[0], {}); }});
    all.push_back({"log_softmax ranges",
                   {{{6, 5}, -2, 2}},
                   {6, 5},
                   [](Inputs in) { return log_softmax(in[0], mixed()); },
                   [](Inputs in) { return log_softmax_composite(in[0], mixed()); }});
    all.push_back({"log_softmax empty ranges",
                   {{3, 4}},
                   {3, 4},
                   [](Inputs in) { return log_softmax(in[0], none(3)); },
                   nullptr,
                   nothing});
    all.push_back({"log_softmax no columns", {{3, 0}}, {3, 0}, [](Inputs in) { return log_softmax(in[0]); }, nullptr, nothing});
    all.push_back({"sparsemax",
                   {{{6, 5}, -1, 1}},
                   {6, 5},
                   [](Inputs in) { return sparsemax(in[0]); },
                   [](Inputs in) { return sparsemax_composite(in[0], {}, 1); }});
    all.push_back({"sparsemax ranges, scale",
                   {{{6, 5}, -1, 1}},
                   {6, 5},
                   [](Inputs in) { return sparsemax(in[0], mixed(), real{0.6}); },
                   [](Inputs in) { return sparsemax_composite(in[0], mixed(), real{0.6}); }});
    all.push_back(
        {"sparsemax empty ranges", {{3, 4}}, {3, 4}, [](Inputs in) { return sparsemax(in[0], none(3)); }, nullptr, nothing});
    all.push_back({"sparsemax no columns", {{3, 0}}, {3, 0}, [](Inputs in) { return sparsemax(in[0]); }, nullptr, nothing});
    constexpr real e = real{1e-2};
    all.push_back({"layer_norm",
                   {{2, 3, 5}, {5}, {5}},
                   {2, 3, 5},
                   [](Inputs in) { return layer_norm(in[0], in[1], in[2], e); },
                   [](Inputs in) { return layer_norm_composite(in[0], in[1], in[2], e); }});
    all.push_back({"layer_norm plain",
                   {{4, 5}},
                   {4, 5},
                   [](Inputs in) { return layer_norm(in[0], {}, {}, e); },
                   [](Inputs in) { return layer_norm_composite(in[0], {}, {}, e); }});
    all.push_back({"layer_norm gain",
                   {{1, 5}, {5}},
                   {1, 5},
                   [](Inputs in) { return layer_norm(in[0], in[1], {}, e); },
                   [](Inputs in) { return layer_norm_composite(in[0], in[1], {}, e); }});
    all.push_back({"layer_norm bias, one axis",
                   {{5}, {5}},
                   {5},
                   [](Inputs in) { return layer_norm(in[0], {}, in[1], e); },
                   [](Inputs in) { return layer_norm_composite(in[0], {}, in[1], e); }});
    all.push_back({"layer_norm no rows",
                   {{0, 3}, {3}, {3}},
                   {0, 3},
                   [](Inputs in) { return layer_norm(in[0], in[1], in[2], e); },
                   nullptr,
                   nothing});
    all.push_back({"layer_norm no columns",
                   {{3, 0}, {0}, {0}},
                   {3, 0},
                   [](Inputs in) { return layer_norm(in[0], in[1], in[2], e); },
                   nullptr,
                   nothing});
    all.push_back({"dropout", {{4, 3, 3}}, {4, 3, 3}, [](Inputs in) {
                       return dropout(in[0], real{0.4}, Draws{stream_key(1, "mask"), 3, 1, 0, 0});
                   }});
    all.push_back({"dropout of nothing", {{4, 3}}, {4, 3}, [](Inputs in) { return dropout(in[0], 0, Draws{}); }});
    all.push_back(
        {"dropout empty", {{0, 3}}, {0, 3}, [](Inputs in) { return dropout(in[0], real{0.5}, Draws{}); }, nullptr, nothing});
    all.push_back({"additive_score",
                   {{2, 3, 4}, {2, 3, 4}, {4}},
                   {2, 3, 3},
                   [](Inputs in) { return additive_score(in[0], in[1], in[2]); },
                   [](Inputs in) { return additive_score_composite(in[0], in[1], in[2], {}); }});
    all.push_back({"additive_score ranges",
                   {{2, 3, 4}, {2, 5, 4}, {4}},
                   {2, 3, 5},
                   [](Inputs in) { return additive_score(in[0], in[1], in[2], mixed()); },
                   [](Inputs in) { return additive_score_composite(in[0], in[1], in[2], mixed()); }});
    all.push_back({"additive_score 1 x 1", {{1, 1, 1}, {1, 1, 1}, {1}}, {1, 1, 1}, [](Inputs in) {
                       return additive_score(in[0], in[1], in[2]);
                   }});
    all.push_back({"additive_score many keys",
                   {{1, 2, 4}, {1, 11, 4}, {4}},
                   {1, 2, 11},
                   [](Inputs in) { return additive_score(in[0], in[1], in[2]); },
                   [](Inputs in) { return additive_score_composite(in[0], in[1], in[2], {}); }});
    all.push_back({"additive_score empty ranges",
                   {{2, 1, 4}, {2, 3, 4}, {4}},
                   {2, 1, 3},
                   [](Inputs in) { return additive_score(in[0], in[1], in[2], none(2)); },
                   nullptr,
                   nothing});
    all.push_back({"additive_score no keys",
                   {{2, 1, 4}, {2, 0, 4}, {4}},
                   {2, 1, 0},
                   [](Inputs in) { return additive_score(in[0], in[1], in[2]); },
                   nullptr,
                   nothing});
    all.push_back({"additive_score no width",
                   {{2, 1, 0}, {2, 3, 0}, {0}},
                   {2, 1, 3},
                   [](Inputs in) { return additive_score(in[0], in[1], in[2]); },
                   nullptr,
                   nothing});
}

void add_losses(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    constexpr Transpose no = Transpose::no, yes = Transpose::yes;
    all.push_back({"cross_entropy",
                   {{{5, 4}, -2, 2}},
                   {},
                   [](Inputs in) { return cross_entropy(in[0], some_targets, loss_options(0)).loss; },
                   [](Inputs in) { return cross_entropy_composite(in[0], some_targets, loss_options(0)); }});
    all.push_back({"cross_entropy smoothed",
                   {{{5, 4}, -2, 2}},
                   {},
                   [](Inputs in) { return cross_entropy(in[0], some_targets, loss_options(0.2)).loss; },
                   [](Inputs in) { return cross_entropy_composite(in[0], some_targets, loss_options(0.2)); }});
    all.push_back(
        {"cross_entropy no rows", {{0, 4}}, {}, [](Inputs in) { return cross_entropy(in[0], {}, {}).loss; }, nullptr, nothing});
    all.push_back({"cross_entropy all ignored",
                   {{2, 4}},
                   {},
                   [](Inputs in) {
                       const int32_t ignored[] = {-1, -1};
                       return cross_entropy(in[0], ignored, {}).loss;
                   },
                   nullptr,
                   nothing});
    all.push_back({"cross_entropy one class",
                   {{2, 1}},
                   {},
                   [](Inputs in) {
                       const int32_t first[] = {0, 0};
                       return cross_entropy(in[0], first, {}).loss;
                   },
                   nullptr,
                   nothing});
    all.push_back({"head_cross_entropy",
                   {{5, 3}, {3, 4}},
                   {},
                   [](Inputs in) { return head<false>(in, no, false, 0); },
                   [](Inputs in) { return head<true>(in, no, false, 0); }});
    all.push_back({"head_cross_entropy bias, smoothed",
                   {{5, 3}, {3, 4}, {4}},
                   {},
                   [](Inputs in) { return head<false>(in, no, true, 0.1); },
                   [](Inputs in) { return head<true>(in, no, true, 0.1); }});
    all.push_back({"head_cross_entropy tied",
                   {{5, 4}, {4, 4}},
                   {},
                   [](Inputs in) { return head<false>(in, yes, false, 0.1); },
                   [](Inputs in) { return head<true>(in, yes, false, 0.1); }});
    all.push_back({"head_cross_entropy tied, bias",
                   {{5, 3}, {4, 3}, {4}},
                   {},
                   [](Inputs in) { return head<false>(in, yes, true, 0); },
                   [](Inputs in) { return head<true>(in, yes, true, 0); }});
    all.push_back({"head_cross_entropy tied to its embedding",
                   {{5, 3}},
                   {},
                   [](Inputs in) {
                       const int32_t ids[] = {4, 1, 1, 0, 2};
                       return scale(head_cross_entropy(embedding(in[0], ids, {5}), in[0], yes, {}, ids, {}).loss, 2);
                   },
                   [](Inputs in) {
                       const int32_t ids[] = {4, 1, 1, 0, 2};
                       return scale(head_cross_entropy_composite(embedding(in[0], ids, {5}), in[0], yes, {}, ids, {}), 2);
                   }});
    all.push_back({"head_row_losses",
                   {{5, 3}, {3, 4}, {4}},
                   {5},
                   [](Inputs in) { return rows<false>(in, no, 0); },
                   [](Inputs in) { return rows<true>(in, no, 0); }});
    all.push_back({"head_row_losses tied, smoothed",
                   {{5, 3}, {4, 3}, {4}},
                   {5},
                   [](Inputs in) { return rows<false>(in, yes, 0.1); },
                   [](Inputs in) { return rows<true>(in, yes, 0.1); }});
    all.push_back({"head_row_losses no rows",
                   {{0, 3}, {3, 4}, {4}},
                   {0},
                   [](Inputs in) { return head_row_losses(in[0], in[1], no, in[2], {}, {}).loss; },
                   nullptr,
                   nothing});
    all.push_back({"head_cross_entropy no rows",
                   {{0, 3}, {3, 4}, {4}},
                   {},
                   [](Inputs in) { return head_cross_entropy(in[0], in[1], no, in[2], {}, {}).loss; },
                   nullptr,
                   nothing});
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
    add_layers<true>(all);
    add_layers<false>(all);
    for (const bool gru : {true, false}) {
        const std::string name = gru ? "gru_layer" : "lstm_layer";
        const int64_t g = gru ? 3 : 4, states = gru ? 1 : 2;
        const OpCase::Function f = gru ? recurrent<false, true, Start::zeros, Layer::full, Direction::forward>
                                       : recurrent<false, false, Start::zeros, Layer::full, Direction::forward>;
        all.push_back({name + " no steps", {{2, 0, g}, {1, g}, {g}}, {states * 2}, f, nullptr, Expected::no_gradient});
        all.push_back({name + " no rows", {{0, 2, g}, {1, g}, {g}}, {0}, f, nullptr, Expected::no_gradient});
        std::vector<CaseInput> smallest = {{1, 1, g}, {1, g}, {g}, {1, 1}};
        if (!gru)
            smallest.push_back({1, 1});
        all.push_back({name + " 1 x 1 x 1",
                       smallest,
                       {1 + states},
                       gru ? recurrent<false, true, Start::given, Layer::full, Direction::forward>
                           : recurrent<false, false, Start::given, Layer::full, Direction::forward>});
    }
}

}  // namespace

std::vector<OpCase> fused_op_cases() {
    std::vector<OpCase> all;
    add_normalisers(all);
    add_losses(all);
    add_steps(all);
    return all;
}

}  // namespace attend::ATTEND_PRECISION::oracles
