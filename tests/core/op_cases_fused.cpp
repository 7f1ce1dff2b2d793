#include "tests/core/op_cases.h"

#include "core/ops.h"
#include "tests/oracles/composites.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

// For 6 rows of 5 columns: all, none, inner, first, last, none at the end.
Ranges mixed() { return {{0, 5}, {2, 2}, {1, 4}, {0, 1}, {4, 5}, {5, 5}}; }
Ranges none(std::size_t rows) { return Ranges(rows); }

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

}  // namespace

std::vector<OpCase> fused_op_cases() {
    std::vector<OpCase> all;
    add_normalisers(all);
    add_losses(all);
    return all;
}

}  // namespace attend::ATTEND_PRECISION::oracles
