#include <limits>
#include <span>

#include "core/ops.h"
#include "core/parameters.h"
#include "tests/core/broken_calls.h"

namespace op_errors_test {

using namespace attend;
using namespace attend::oracles;

TEST_SUITE("op errors") {
    TEST_CASE("products before and after an axis, counted from either end") {
        const Shape s{2, 3, 5};
        CHECK(s.outer(1) == 2);
        CHECK(s.outer(-1) == 6);
        CHECK(s.inner(0) == 15);
        CHECK(s.inner(-3) == 15);
        CHECK(s.inner(-1) == 1);
        CHECK(s.rows() == 6);
        CHECK(Shape{}.rows() == 1);
        CHECK(Shape{}.columns() == 1);
    }

    TEST_CASE("shapes and tensors") {
        check_all({
            {"shape: too many axes: rank 7, limit 6",
             [] {
                 t({1, 1, 1, 1, 1, 1, 1});
             }},
            {"shape: negative size: size -1, least 0",
             [] {
                 t({2, -1});
             }},
            {"shape: too many elements: sizes multiply to more than 1099511627776, axis of 1099511627776",
             [] {
                 Shape{0, 2, int64_t{1} << 40};
             }},
            {"shape: too many elements: sizes multiply to more than 1099511627776, axis of 9223372036854775807",
             [] {
                 Shape{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()};
             }},
            {"shape: no such axis: axis 2, rank 2",
             [] {
                 t({2, 3}).dim(2);
             }},
            {"shape: no such axis: axis -3, rank 2",
             [] {
                 t({2, 3}).dim(-3);
             }},
            {"shape: no such axis: axis 2, rank 2",
             [] {
                 (void)Shape{2, 3}.outer(2);
             }},
            {"shape: no such axis: axis -3, rank 2",
             [] {
                 (void)Shape{2, 3}.inner(-3);
             }},
            {"shape: no such axis: axis 2, rank 2",
             [] {
                 (void)Shape{2, 3}.with(2, 1);
             }},
            {"shape: no such axis: axis -3, rank 2",
             [] {
                 (void)Shape{2, 3}.without(-3);
             }},
            {"tensor: undefined where one is needed: an op or a module was given a tensor that is not there: defined 0, least "
             "1",
             [] { (void)Tensor().rows(0, 1); }},
            {"shape: cannot insert an axis: axis 3, rank 2",
             [] {
                 (void)Shape{2, 3}.inserted(3, 1);
             }},
            {"tensor: count of values differs: shape [2, 3] has 6, given 2",
             [] {
                 Tensor::of({2, 3}, {1, 2});
             }},
            {"item: not one element: shape [2], size 2", [] { t({2}).item(); }},
            {"reshape: sizes differ: from [2, 3] with 6 elements, to [4] with 4",
             [] {
                 t({2, 3}).reshape({4});
             }},
            {"rows: a scalar has no rows: rank 0, least 1", [] { t({}).rows(0, 1); }},
            {"rows: out of range: rows 1 to 4, shape [3, 2] has 3",
             [] {
                 t({3, 2}).rows(1, 4);
             }},
            {"rows: out of range: rows 2 to 1, shape [3, 2] has 3",
             [] {
                 t({3, 2}).rows(2, 1);
             }},
            {"rows: out of range: rows -1 to 1, shape [3, 2] has 3",
             [] {
                 t({3, 2}).rows(-1, 1);
             }},
            {"rows: out of range: rows 3 to 4, shape [3] has 3", [] { t({3}).row(3); }},
            {"part: out of range: elements 4 to 7, shape [6] has 6", [] { t({6}).part(4, {3}); }},
        });
    }

    TEST_CASE("elementwise and reductions") {
        const Tensor a = t({2, 3}), b = t({2, 4});
        check_all({
            {"add: shapes do not broadcast: a [2, 3] has 3 on axis -1, b [2, 4] has 4", [=] { add(a, b); }},
            {"subtract: shapes do not broadcast: a [2, 3] has 3 on axis -1, b [2, 4] has 4", [=] { subtract(a, b); }},
            {"multiply: shapes do not broadcast: a [2, 3] has 2 on axis -2, b [4, 1] has 4",
             [=] {
                 multiply(a, t({4, 1}));
             }},
            {"divide: shapes do not broadcast: a [2, 3] has 3 on axis -1, b [0] has 0", [=] { divide(a, t({0})); }},
            {"shape: no such axis: axis 2, rank 2", [=] { sum(a, 2); }},
            {"mean: no elements: shape [0, 2], size 0",
             [] {
                 mean(t({0, 2}));
             }},
            {"mean: empty axis: shape [0, 2], axis 0",
             [] {
                 mean(t({0, 2}), 0);
             }},
            {"max: empty axis: shape [2, 0], axis 1",
             [] {
                 attend::max(t({2, 0}), 1);
             }},
            {"shape: no such axis: axis 0, rank 0", [] { attend::max(t({}), 0); }},
        });
    }

    TEST_CASE("products name both shapes, and parameters by name") {
        ParameterStore store(1);
        const Tensor w = store.add("decoder.0.cross.query.weight", {128, 256}, Init::zeros());
        check_all({
            {"matmul: inner sizes differ: a [10, 64] has 64 columns, b 'decoder.0.cross.query.weight' [128, 256] has 128 rows",
             [&] {
                 matmul(t({10, 64}), w);
             }},
            {"matmul: inner sizes differ: a [3, 2] has 3 rows, b [2, 4] has 4 columns",
             [] {
                 matmul(t({3, 2}), t({2, 4}), Transpose::yes, Transpose::yes);
             }},
            {"matmul: ranks differ: a [2, 3, 4], b [4, 5]",
             [] {
                 matmul(t({2, 3, 4}), t({4, 5}));
             }},
            {"matmul: leading axes differ: a [2, 3, 4] has 2 on axis 0, b [3, 4, 5] has 3",
             [] {
                 matmul(t({2, 3, 4}), t({3, 4, 5}));
             }},
            {"matmul: at least two axes are needed: a [4], b [4, 5]",
             [] {
                 matmul(t({4}), t({4, 5}));
             }},
            {"linear: inner sizes differ: x [32, 10, 64] has 64 columns, weight 'decoder.0.cross.query.weight' [128, 256] has "
             "128 rows",
             [&] {
                 linear(t({32, 10, 64}), w);
             }},
            {"linear: weight needs two axes and x one: x [], weight [2, 3]",
             [] {
                 linear(t({}), t({2, 3}));
             }},
            {"linear: bias of another size: bias [2], weight [4, 3]",
             [] {
                 linear(t({1, 4}), t({4, 3}), t({2}));
             }},
            {"linear: plus of another shape: plus [1, 4], output [1, 3]",
             [] {
                 linear(t({1, 4}), t({4, 3}), {}, t({1, 4}));
             }},
        });
    }

    TEST_CASE("arrangement") {
        const int32_t ids[] = {0, 3, -1}, past_end[] = {0, 6}, below[] = {-2};
        const std::span<const int32_t> all(ids), first_two(ids, 2), past(past_end), before(below), first(ids, 1);
        check_all({
            {"concat: nothing to join: 0 parts, at least 1", [] { concat(std::span<const Tensor>{}, 0); }},
            {"concat: shapes differ off axis 1: first [2, 3], another [3, 3]",
             [] {
                 concat({t({2, 3}), t({3, 3})}, 1);
             }},
            {"concat: shapes differ off axis 0: first [2], another [2, 1]",
             [] {
                 concat({t({2}), t({2, 1})}, 0);
             }},
            {"shape: no such axis: axis 2, rank 2",
             [] {
                 concat({t({2, 3})}, 2);
             }},
            {"stack: nothing to join: 0 parts, at least 1", [] { stack(std::span<const Tensor>{}, 0); }},
            {"stack: shapes differ: first [2], another [3]",
             [] {
                 const Tensor parts[] = {t({2}), t({3})};
                 stack(parts, 0);
             }},
            {"shape: cannot insert an axis: axis 2, rank 1",
             [] {
                 const Tensor parts[] = {t({2})};
                 stack(parts, 2);
             }},
            {"slice: out of range: positions 2 to 4, shape [2, 3] has 3 on axis 1",
             [] {
                 slice(t({2, 3}), 1, 2, 4);
             }},
            {"slice: out of range: positions 2 to 1, shape [2, 3] has 3 on axis 1",
             [] {
                 slice(t({2, 3}), -1, 2, 1);
             }},
            {"step: out of range: step 3, shape [2, 3]",
             [] {
                 step(t({2, 3}), 3);
             }},
            {"step: out of range: step 0, shape [2]", [] { step(t({2}), 0); }},
            {"shape: no such axis: axis 2, rank 2",
             [] {
                 transpose(t({2, 3}), 0, 2);
             }},
            {"embedding: id out of range: id 3 at place 1, table has 3",
             [=] {
                 embedding(t({3, 2}), first_two, {2});
             }},
            {"embedding: id out of range: id -1 at place 2, table has 4",
             [=] {
                 embedding(t({4, 2}), all, {3});
             }},
            {"embedding: sizes differ: 3 ids, shape [2]",
             [=] {
                 embedding(t({4, 2}), all, {2});
             }},
            {"elements: number out of range: number 6 at place 1, x has 6",
             [=] {
                 elements(t({2, 3}), past, {2});
             }},
            {"elements: number out of range: number -2 at place 0, x has 6",
             [=] {
                 elements(t({2, 3}), before, {1});
             }},
            {"tanh_of_pairs: a row out of range: row 6 of a at pair 1, rows 3",
             [=] {
                 tanh_of_pairs(t({3, 2}), past, t({1, 2}), past);
             }},
            {"tanh_of_pairs: a row out of range: row -2 of b at pair 0, rows 1",
             [=] {
                 tanh_of_pairs(t({3, 2}), first, t({1, 2}), before);
             }},
            {"tanh_of_pairs: two tables of one width, and two rows for each pair: a [3, 2], b [1, 3], rows of a 1, rows of b 1",
             [=] {
                 tanh_of_pairs(t({3, 2}), first, t({1, 3}), first);
             }},
            {"embedding: a table has two axes: rank 1, shape [4]", [=] { embedding(t({4}), all, {3}); }},
            {"pick: one id a row: x [2, 4], 3 ids",
             [=] {
                 pick(t({2, 4}), all);
             }},
            {"pick: id out of range: id 3 at place 1, table has 3",
             [=] {
                 pick(t({2, 3}), first_two);
             }},
        });
    }

    TEST_CASE("normalisers and additive_score") {
        const Ranges two = {{0, 1}, {1, 4}}, turned = {{0, 1}, {2, 1}}, negative = {{-1, 1}, {0, 1}};
        check_all({
            {"softmax: one range a row: 2 ranges, 3 rows",
             [=] {
                 softmax(t({3, 4}), two);
             }},
            {"softmax: range leaves the axis: 1 to 4, shape [2, 3]",
             [=] {
                 softmax(t({2, 3}), two);
             }},
            {"softmax: range leaves the axis: 2 to 1, shape [2, 3]",
             [=] {
                 softmax(t({2, 3}), turned);
             }},
            {"log_softmax: range leaves the axis: -1 to 1, shape [2, 3]",
             [=] {
                 log_softmax(t({2, 3}), negative);
             }},
            {"sparsemax: one range a row: 2 ranges, 6 rows",
             [=] {
                 sparsemax(t({2, 3, 4}), two);
             }},
            {"layer_norm: sizes differ: x [2, 3], gain [2], bias [3]",
             [] {
                 layer_norm(t({2, 3}), t({2}), t({3}), 1);
             }},
            {"layer_norm: epsilon out of range: epsilon 0, more than 0",
             [] {
                 layer_norm(t({2, 3}), {}, {}, 0);
             }},
            {"rms_norm: sizes differ: x [2, 3], gain [2]",
             [] {
                 rms_norm(t({2, 3}), t({2}), 1);
             }},
            {"rms_norm: epsilon out of range: epsilon -1, more than 0",
             [] {
                 rms_norm(t({2, 3}), {}, -1);
             }},
            {"swiglu: two halves are needed: x [2, 3], columns 3",
             [] {
                 swiglu(t({2, 3}));
             }},
            {"swiglu: two halves are needed: x [], columns 1", [] { swiglu(t({})); }},
            {"rotary: three axes are needed: x [2, 4], rank 2",
             [] {
                 rotary(t({2, 4}), 1, 4);
             }},
            {"rotary: head size must be even: head size 3, at least 2",
             [] {
                 rotary(t({1, 2, 6}), 2, 3);
             }},
            {"rotary: heads leave the last axis: 2 heads of 4 columns, x [1, 2, 6]",
             [] {
                 rotary(t({1, 2, 6}), 2, 4);
             }},
            {"rotary: position out of range: first position -1, positions 2",
             [] {
                 rotary(t({1, 2, 4}), 1, 4, -1);
             }},
            {"rotary: base out of range: base 0, more than 0",
             [] {
                 rotary(t({1, 2, 4}), 1, 4, 0, 0);
             }},
            {"rotary: factor out of range: factor 0.5, at least 1",
             [] {
                 rotary_turns(4, {.scaling = RotaryScaling::linear, .factor = 0.5});
             }},
            {"rotary: a number for each position: x [2, 2, 4], numbers 3",
             [] {
                 rotary(t({2, 2, 4}), 1, rotary_turns(4, {}), Array<int32_t>{0, 1, 2}, RotaryPairs::halves);
             }},
            {"dropout: probability out of range: probability 1, at least 0 and below 1", [] { dropout(t({2}), 1, Draws{}); }},
            {"dropout: probability out of range: probability nan, at least 0 and below 1",
             [] { dropout(t({2}), std::numeric_limits<real>::quiet_NaN(), Draws{}); }},
            {"relative_scores: shapes do not fit: scores [2, 1, 4], products [2, 2, 3]",
             [] {
                 relative_scores(t({2, 1, 4}), t({2, 2, 3}), 0);
             }},
            {"relative_scores: distances are 2 k + 1: products [2, 1, 4], distances 4",
             [] {
                 relative_scores(t({2, 1, 4}), t({2, 1, 4}), 0);
             }},
            {"relative_scores: position out of range: first position -1, queries 1",
             [] {
                 relative_scores(t({2, 1, 4}), t({2, 1, 3}), -1);
             }},
            {"relative_scores: one range a row: 2 ranges, 4 rows",
             [=] {
                 relative_scores(t({2, 2, 3}), t({2, 2, 3}), 0, two);
             }},
            {"relative_scores: range leaves the axis: 1 to 4, scores [2, 1, 3]",
             [=] {
                 relative_scores(t({2, 1, 3}), t({2, 1, 3}), 0, two);
             }},
            {"additive_score: shapes do not fit: query [2, 1, 4], keys [2, 3, 5], v [4]",
             [] {
                 additive_score(t({2, 1, 4}), t({2, 3, 5}), t({4}));
             }},
            {"additive_score: one range a row: 2 ranges, 4 rows",
             [=] {
                 additive_score(t({2, 2, 4}), t({2, 3, 4}), t({4}), two);
             }},
            {"additive_score: range leaves the axis: 1 to 4, keys [2, 3, 4]",
             [=] {
                 additive_score(t({2, 1, 4}), t({2, 3, 4}), t({4}), two);
             }},
        });
    }

    TEST_CASE("losses") {
        const int32_t targets[] = {0, 4}, ignored[] = {-1, -2};
        const auto with = [](double normaliser, double smoothing) { return CrossEntropyOptions{normaliser, smoothing, -1}; };
        const double nan = std::numeric_limits<double>::quiet_NaN();
        check_all({
            {"cross_entropy: two axes are needed: logits [4], rank 1", [=] { cross_entropy(t({4}), targets, {}); }},
            {"cross_entropy: one target a row: 2 targets, 3 rows",
             [=] {
                 cross_entropy(t({3, 5}), targets, {});
             }},
            {"cross_entropy: target out of range: target 4 at row 1, 4 classes",
             [=] {
                 cross_entropy(t({2, 4}), targets, {});
             }},
            {"cross_entropy: target out of range: target -2 at row 1, 4 classes",
             [=] {
                 cross_entropy(t({2, 4}), ignored, {});
             }},
            {"cross_entropy: normaliser out of range: normaliser 0, more than 0",
             [=] {
                 cross_entropy(t({2, 5}), targets, with(0, 0));
             }},
            {"cross_entropy: normaliser out of range: normaliser nan, more than 0",
             [=] {
                 cross_entropy(t({2, 5}), targets, with(nan, 0));
             }},
            {"cross_entropy: label smoothing out of range: 1, at least 0 and below 1",
             [=] {
                 cross_entropy(t({2, 5}), targets, with(1, 1));
             }},
            {"head: inner sizes differ: h [2, 3] has 3 columns, weight [4, 5] takes 4",
             [=] {
                 head_cross_entropy(t({2, 3}), t({4, 5}), Transpose::no, {}, targets, {});
             }},
            {"head: inner sizes differ: h [2, 3] has 3 columns, weight [5, 4] takes 4",
             [=] {
                 head_cross_entropy(t({2, 3}), t({5, 4}), Transpose::yes, {}, targets, {});
             }},
            {"head: bias of another size: bias [4], 5 classes",
             [=] {
                 head_cross_entropy(t({2, 3}), t({3, 5}), Transpose::no, t({4}), targets, {});
             }},
            {"head: two axes are needed: h [3], weight [3, 5]",
             [=] {
                 head_cross_entropy(t({3}), t({3, 5}), Transpose::no, {}, targets, {});
             }},
            {"head: target out of range: target 4 at row 1, 4 classes",
             [=] {
                 head_cross_entropy(t({2, 3}), t({3, 4}), Transpose::no, {}, targets, {});
             }},
        });
    }

    TEST_CASE("recurrent steps and layers") {
        const int32_t lengths[] = {1, 4};
        const std::span<const int32_t> both(lengths), one(lengths, 1);
        const Direction d = Direction::forward;
        check_all({
            {"gru_step: shapes do not fit: projection [2, 4], state [2, 2]",
             [] {
                 gru_step(t({2, 4}), t({2, 2}), t({2, 6}), t({6}));
             }},
            {"gru_step: weights of another size: recurrent [2, 4], bias [6], hidden 2 needs [2, 6]",
             [] {
                 gru_step(t({2, 6}), t({2, 2}), t({2, 4}), t({6}));
             }},
            {"lstm_step: shapes do not fit: projection [2, 8], h [2, 2], c [2, 3]",
             [] {
                 lstm_step(t({2, 8}), {t({2, 2}), t({2, 3})}, t({2, 8}), t({8}));
             }},
            {"lstm_step: weights of another size: recurrent [2, 8], bias [6], hidden 2 needs [2, 8]",
             [] {
                 lstm_step(t({2, 8}), {t({2, 2}), t({2, 2})}, t({2, 8}), t({6}));
             }},
            {"rnn_step: shapes do not fit: projection [2, 4], state [2, 2]",
             [] {
                 rnn_step(t({2, 4}), t({2, 2}), t({2, 2}), t({2}));
             }},
            {"rnn_step: weights of another size: recurrent [2, 4], bias [2], hidden 2 needs [2, 2]",
             [] {
                 rnn_step(t({2, 2}), t({2, 2}), t({2, 4}), t({2}));
             }},
            {"rnn_layer: length out of range: length 4, 3 steps",
             [=] {
                 rnn_layer(t({2, 3, 2}), {}, t({2, 2}), t({2}), both, d);
             }},
            {"gru_layer: projection of another shape: [2, 3, 5], needs [B, S, 3 H]",
             [=] {
                 gru_layer(t({2, 3, 5}), {}, t({2, 6}), t({6}), {}, d);
             }},
            {"gru_layer: weights of another size: recurrent [3, 6], bias [6], hidden 2 needs [2, 6]",
             [=] {
                 gru_layer(t({2, 3, 6}), {}, t({3, 6}), t({6}), {}, d);
             }},
            {"gru_layer: state of another shape: state [1, 2], projection [2, 3, 6]",
             [=] {
                 gru_layer(t({2, 3, 6}), t({1, 2}), t({2, 6}), t({6}), {}, d);
             }},
            {"gru_layer: one length a row: 1 lengths, 2 rows",
             [=] {
                 gru_layer(t({2, 3, 6}), {}, t({2, 6}), t({6}), one, d);
             }},
            {"gru_layer: length out of range: length 4, 3 steps",
             [=] {
                 gru_layer(t({2, 3, 6}), {}, t({2, 6}), t({6}), both, d);
             }},
            {"lstm_layer: length out of range: length 4, 3 steps",
             [=] {
                 lstm_layer(t({2, 3, 8}), {}, t({2, 8}), t({8}), both, d);
             }},
            {"lstm_layer: states differ: h [2, 2], c nothing",
             [=] {
                 lstm_layer(t({2, 3, 8}), {t({2, 2}), {}}, t({2, 8}), t({8}), {}, d);
             }},
            {"lstm_layer: projection of another shape: [2, 8], needs [B, S, 4 H]",
             [=] {
                 lstm_layer(t({2, 8}), {}, t({2, 8}), t({8}), {}, d);
             }},
        });
    }
}

}  // namespace op_errors_test
