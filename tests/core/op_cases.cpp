#include "tests/core/op_cases.h"

#include "core/ops.h"
#include "tests/oracles/composites.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);
template <Unary op>
Tensor one(Inputs in) {
    return op(in[0]);
}
template <Binary op>
Tensor two(Inputs in) {
    return op(in[0], in[1]);
}

void add_elementwise(std::vector<OpCase>& all) {
    const struct {
        const char* name;
        OpCase::Function op;
        double low, high;
    } binary[] = {{"add", two<add>, -1, 1},
                  {"subtract", two<subtract>, -1, 1},
                  {"multiply", two<multiply>, -1, 1},
                  {"divide", two<divide>, 0.5, 2}},
      unary[] = {{"negate", one<negate>, -1, 1},      {"exp", one<attend::exp>, -2, 2}, {"log", one<attend::log>, 0.2, 3},
                 {"sqrt", one<attend::sqrt>, 0.2, 3}, {"square", one<square>, -2, 2},   {"absolute", one<absolute>, -1, 1},
                 {"tanh", one<attend::tanh>, -3, 3},  {"sigmoid", one<sigmoid>, -4, 4}, {"relu", one<relu>, -1, 1}};
    const struct {
        Shape a, b, y;
    } shapes[] = {{{7}, {7}, {7}},
                  {{2, 3}, {2, 3}, {2, 3}},
                  {{2, 3}, {3}, {2, 3}},
                  {{3}, {2, 3}, {2, 3}},
                  {{2, 3}, {1}, {2, 3}},
                  {{2, 3}, {}, {2, 3}},
                  {{}, {2, 3}, {2, 3}},
                  {{}, {}, {}},
                  {{2, 1}, {1, 3}, {2, 3}},
                  {{2, 1}, {3}, {2, 3}},
                  {{2, 3, 4}, {3, 1}, {2, 3, 4}},
                  {{2, 1, 4}, {3, 1}, {2, 3, 4}},
                  {{2, 1, 3, 1}, {1, 2, 1, 2}, {2, 2, 3, 2}},
                  {{1, 1, 1}, {5}, {1, 1, 5}},
                  {{1, 3}, {3}, {1, 3}},
                  {{2, 3, 1, 2}, {1, 3, 2, 2}, {2, 3, 2, 2}}};
    for (const auto& op : binary) {
        for (const auto& s : shapes)
            all.push_back({std::string(op.name) + " " + s.a.text() + " " + s.b.text(),
                           {{s.a, op.low, op.high}, {s.b, op.low, op.high}},
                           s.y,
                           op.op});
        for (const Shape& empty : {Shape{0}, Shape{3, 0}, Shape{0, 1}})
            all.push_back({std::string(op.name) + " empty " + empty.text(),
                           {{empty, op.low, op.high}, {Shape{1}, op.low, op.high}},
                           empty,
                           op.op,
                           nullptr,
                           Expected::no_gradient});
    }
    for (const auto& op : unary) {
        all.push_back({op.name, {{{3, 7}, op.low, op.high}}, {3, 7}, op.op});
        all.push_back({std::string(op.name) + " scalar", {{Shape{}, op.low, op.high}}, {}, op.op});
        all.push_back(
            {std::string(op.name) + " empty", {{{2, 0}, op.low, op.high}}, {2, 0}, op.op, nullptr, Expected::no_gradient});
    }
    all.push_back({"scale", {{3, 5}}, {3, 5}, [](Inputs in) { return scale(in[0], real{-1.5}); }});
    all.push_back({"shift", {{3, 5}}, {3, 5}, [](Inputs in) { return shift(in[0], 2); }});
    all.push_back({"operators", {{3}, {3}}, {3}, [](Inputs in) {
                       return real{2} * (in[0] + in[1]) * in[0] - (-in[1]) / shift(square(in[0]), 1);
                   }});
}

void add_reductions(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    all.push_back({"sum", {{2, 3, 5}}, {}, one<sum>});
    all.push_back({"sum scalar", {Shape{}}, {}, one<sum>});
    all.push_back({"sum empty", {{0, 2}}, {}, one<sum>, nullptr, nothing});
    all.push_back({"sum axis 0", {{2, 3, 5}}, {3, 5}, [](Inputs in) { return sum(in[0], 0); }});
    all.push_back({"sum axis 1", {{2, 3, 5}}, {2, 5}, [](Inputs in) { return sum(in[0], 1); }});
    all.push_back({"sum axis -1", {{2, 3, 5}}, {2, 3}, [](Inputs in) { return sum(in[0], -1); }});
    all.push_back({"sum axis of 1", {{3, 1}}, {3}, [](Inputs in) { return sum(in[0], 1); }});
    all.push_back({"sum axis of 0", {{3, 0}}, {3}, [](Inputs in) { return sum(in[0], 1); }, nullptr, nothing});
    all.push_back({"sum no rows", {{0, 3}}, {0}, [](Inputs in) { return sum(in[0], 1); }, nullptr, nothing});
    all.push_back({"mean", {{2, 3}}, {}, one<mean>});
    all.push_back({"mean axis 0", {{4, 3}}, {3}, [](Inputs in) { return mean(in[0], 0); }});
    all.push_back({"mean axis -2", {{2, 4, 3}}, {2, 3}, [](Inputs in) { return mean(in[0], -2); }});
    all.push_back({"max axis 0", {{4, 3}}, {3}, [](Inputs in) { return attend::max(in[0], 0); }});
    all.push_back({"max axis 1", {{2, 4, 3}}, {2, 3}, [](Inputs in) { return attend::max(in[0], 1); }});
    all.push_back({"max axis -1", {{2, 5}}, {2}, [](Inputs in) { return attend::max(in[0], -1); }});
    all.push_back({"max no rows", {{0, 5}}, {0}, [](Inputs in) { return attend::max(in[0], -1); }, nullptr, nothing});
}

void add_products(std::vector<OpCase>& all) {
    constexpr Transpose no = Transpose::no, yes = Transpose::yes;
    const Expected nothing = Expected::no_gradient;
    all.push_back({"matmul", {{3, 4}, {4, 5}}, {3, 5}, [](Inputs in) { return matmul(in[0], in[1]); }});
    all.push_back({"matmul square", {{3, 3}, {3, 3}}, {3, 3}, [](Inputs in) { return matmul(in[0], in[1]); }});
    all.push_back({"matmul a^T", {{4, 3}, {4, 5}}, {3, 5}, [](Inputs in) { return matmul(in[0], in[1], yes); }});
    all.push_back({"matmul b^T", {{3, 4}, {5, 4}}, {3, 5}, [](Inputs in) { return matmul(in[0], in[1], no, yes); }});
    all.push_back({"matmul a^T b^T", {{4, 3}, {5, 4}}, {3, 5}, [](Inputs in) { return matmul(in[0], in[1], yes, yes); }});
    all.push_back({"matmul one row", {{1, 4}, {4, 5}}, {1, 5}, [](Inputs in) { return matmul(in[0], in[1]); }});
    all.push_back({"matmul one row, a^T", {{4, 1}, {4, 5}}, {1, 5}, [](Inputs in) { return matmul(in[0], in[1], yes); }});
    all.push_back({"matmul one row, b^T", {{1, 4}, {5, 4}}, {1, 5}, [](Inputs in) { return matmul(in[0], in[1], no, yes); }});
    all.push_back({"matmul one column", {{3, 4}, {4, 1}}, {3, 1}, [](Inputs in) { return matmul(in[0], in[1]); }});
    all.push_back({"matmul outer", {{3, 1}, {1, 2}}, {3, 2}, [](Inputs in) { return matmul(in[0], in[1]); }});
    all.push_back({"matmul 1 x 1", {{1, 1}, {1, 1}}, {1, 1}, [](Inputs in) { return matmul(in[0], in[1]); }});
    all.push_back({"matmul batched", {{2, 3, 4}, {2, 4, 2}}, {2, 3, 2}, [](Inputs in) { return matmul(in[0], in[1]); }});
    all.push_back({"matmul batched a^T", {{2, 2, 3, 2}, {2, 2, 3, 1}}, {2, 2, 2, 1}, [](Inputs in) {
                       return matmul(in[0], in[1], yes);
                   }});
    all.push_back(
        {"matmul batched b^T", {{2, 3, 4}, {2, 3, 4}}, {2, 3, 3}, [](Inputs in) { return matmul(in[0], in[1], no, yes); }});
    all.push_back({"matmul batched a^T b^T", {{2, 4, 3}, {2, 2, 4}}, {2, 3, 2}, [](Inputs in) {
                       return matmul(in[0], in[1], yes, yes);
                   }});
    all.push_back(
        {"matmul inner size 0", {{2, 0}, {0, 3}}, {2, 3}, [](Inputs in) { return matmul(in[0], in[1]); }, nullptr, nothing});
    all.push_back(
        {"matmul no rows", {{0, 2}, {2, 3}}, {0, 3}, [](Inputs in) { return matmul(in[0], in[1]); }, nullptr, nothing});
    all.push_back({"matmul no batch",
                   {{0, 2, 3}, {0, 3, 1}},
                   {0, 2, 1},
                   [](Inputs in) { return matmul(in[0], in[1]); },
                   nullptr,
                   nothing});
    all.push_back({"linear",
                   {{3, 4}, {4, 5}},
                   {3, 5},
                   [](Inputs in) { return linear(in[0], in[1]); },
                   [](Inputs in) { return linear_composite(in[0], in[1], {}, {}); }});
    all.push_back({"linear bias",
                   {{2, 3, 4}, {4, 5}, {5}},
                   {2, 3, 5},
                   [](Inputs in) { return linear(in[0], in[1], in[2]); },
                   [](Inputs in) { return linear_composite(in[0], in[1], in[2], {}); }});
    all.push_back({"linear plus",
                   {{3, 2}, {2, 2}, {3, 2}},
                   {3, 2},
                   [](Inputs in) { return linear(in[0], in[1], {}, in[2]); },
                   [](Inputs in) { return linear_composite(in[0], in[1], {}, in[2]); }});
    all.push_back({"linear bias and plus",
                   {{3, 4}, {4, 4}, {4}, {3, 4}},
                   {3, 4},
                   [](Inputs in) { return linear(in[0], in[1], in[2], in[3]); },
                   [](Inputs in) { return linear_composite(in[0], in[1], in[2], in[3]); }});
    all.push_back({"linear one axis", {{4}, {4, 3}, {3}}, {3}, [](Inputs in) { return linear(in[0], in[1], in[2]); }});
    all.push_back({"linear no rows",
                   {{0, 4}, {4, 3}, {3}},
                   {0, 3},
                   [](Inputs in) { return linear(in[0], in[1], in[2]); },
                   nullptr,
                   nothing});
    all.push_back(
        {"linear no inputs", {{2, 0}, {0, 3}}, {2, 3}, [](Inputs in) { return linear(in[0], in[1]); }, nullptr, nothing});
    all.push_back({"linear repeated",
                   {{3, 4}, {4, 4}, {4}},
                   {3, 4},
                   [](Inputs in) {
                       Tensor h = in[0];
                       for (int t = 0; t < 3; ++t) h = attend::tanh(linear(h, in[1], in[2]));
                       return h;
                   },
                   [](Inputs in) {
                       Tensor h = in[0];
                       for (int t = 0; t < 3; ++t) h = attend::tanh(linear_composite(h, in[1], in[2], {}));
                       return h;
                   }});
    all.push_back({"linear with views of one weight",
                   {{3, 4}, {4, 2}},
                   {3, 2},
                   [](Inputs in) {
                       const Tensor top = linear(slice(in[0], 1, 0, 2), in[1].rows(0, 2));
                       const Tensor bottom = linear(slice(in[0], 1, 1, 4), in[1].rows(1, 4));
                       const Tensor turned = linear(slice(in[0], 1, 0, 2), in[1].reshape({2, 4}));
                       return linear(in[0], in[1], {}, top * bottom) + slice(turned, 1, 1, 3);
                   },
                   [](Inputs in) {
                       const Tensor top = matmul(slice(in[0], 1, 0, 2), in[1].rows(0, 2));
                       const Tensor bottom = matmul(slice(in[0], 1, 1, 4), in[1].rows(1, 4));
                       const Tensor turned = matmul(slice(in[0], 1, 0, 2), in[1].reshape({2, 4}));
                       return matmul(in[0], in[1]) + top * bottom + slice(turned, 1, 1, 3);
                   }});
}

void add_arrangement(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    all.push_back({"concat axis 0", {{2, 3}, {1, 3}, {2, 3}}, {5, 3}, [](Inputs in) { return concat(in, 0); }});
    all.push_back({"concat axis 1", {{2, 3, 2}, {2, 1, 2}}, {2, 4, 2}, [](Inputs in) { return concat(in, 1); }});
    all.push_back({"concat axis -1", {{2, 3}, {2, 3}}, {2, 6}, [](Inputs in) { return concat(in, -1); }});
    all.push_back({"concat one", {{2, 3}}, {2, 3}, [](Inputs in) { return concat(in, 0); }});
    all.push_back({"concat with an empty part", {{2, 3}, {2, 0}}, {2, 3}, [](Inputs in) { return concat(in, 1); }});
    all.push_back({"concat empty", {{0, 3}, {0, 3}}, {0, 6}, [](Inputs in) { return concat(in, 1); }, nullptr, nothing});
    all.push_back({"stack axis 0", {{2, 3}, {2, 3}}, {2, 2, 3}, [](Inputs in) { return stack(in, 0); }});
    all.push_back({"stack axis 1", {{2, 3}, {2, 3}, {2, 3}}, {2, 3, 3}, [](Inputs in) { return stack(in, 1); }});
    all.push_back({"stack axis 2", {{2, 3}, {2, 3}}, {2, 3, 2}, [](Inputs in) { return stack(in, 2); }});
    all.push_back({"slice axis 1", {{2, 5}}, {2, 3}, [](Inputs in) { return slice(in[0], 1, 1, 4); }});
    all.push_back({"slice axis 0", {{5, 2}}, {3, 2}, [](Inputs in) { return slice(in[0], 0, 1, 4); }});
    all.push_back({"slice axis -2", {{2, 3, 2}}, {2, 1, 2}, [](Inputs in) { return slice(in[0], -2, 2, 3); }});
    all.push_back({"slice all", {{2, 3}}, {2, 3}, [](Inputs in) { return slice(in[0], 1, 0, 3); }});
    all.push_back({"slice nothing", {{2, 3}}, {2, 0}, [](Inputs in) { return slice(in[0], 1, 3, 3); }, nullptr, nothing});
    all.push_back({"step", {{2, 3, 2}}, {2, 2}, [](Inputs in) { return step(in[0], 1); }});
    all.push_back({"transpose", {{3, 4}}, {4, 3}, [](Inputs in) { return transpose(in[0], 0, 1); }});
    all.push_back({"transpose 1 2 of 4", {{2, 3, 2, 2}}, {2, 2, 3, 2}, [](Inputs in) { return transpose(in[0], 1, 2); }});
    all.push_back({"transpose 0 -1", {{2, 3, 4}}, {4, 3, 2}, [](Inputs in) { return transpose(in[0], 0, -1); }});
    all.push_back({"transpose 0 2 of 4", {{2, 3, 2, 3}}, {2, 3, 2, 3}, [](Inputs in) { return transpose(in[0], 2, 0); }});
    all.push_back({"transpose nothing", {{2, 3}}, {2, 3}, [](Inputs in) { return transpose(in[0], 1, 1); }});
    all.push_back(
        {"transpose empty", {{0, 2, 3}}, {3, 2, 0}, [](Inputs in) { return transpose(in[0], 0, 2); }, nullptr, nothing});
    all.push_back(
        {"transpose empty after", {{2, 3, 0}}, {3, 2, 0}, [](Inputs in) { return transpose(in[0], 0, 1); }, nullptr, nothing});
    all.push_back({"neighbours",
                   {{3, 5}},
                   {3, 5, 3},
                   [](Inputs in) { return neighbours(in[0], 3); },
                   [](Inputs in) { return neighbours_composite(in[0], 3); }});
    all.push_back({"neighbours even width",
                   {{2, 5}},
                   {2, 5, 4},
                   [](Inputs in) { return neighbours(in[0], 4); },
                   [](Inputs in) { return neighbours_composite(in[0], 4); }});
    all.push_back({"neighbours wider than the row",
                   {{1, 2}},
                   {1, 2, 9},
                   [](Inputs in) { return neighbours(in[0], 9); },
                   [](Inputs in) { return neighbours_composite(in[0], 9); }});
    all.push_back({"neighbours itself", {{2, 3}}, {2, 3, 1}, [](Inputs in) { return neighbours(in[0], 1); }});
    all.push_back(
        {"neighbours no columns", {{2, 0}}, {2, 0, 3}, [](Inputs in) { return neighbours(in[0], 3); }, nullptr, nothing});
    all.push_back({"cumulative_sum",
                   {{2, 4, 3}},
                   {2, 4, 3},
                   [](Inputs in) { return cumulative_sum(in[0]); },
                   [](Inputs in) { return cumulative_sum_composite(in[0]); }});
    all.push_back({"cumulative_sum 1 x 1 x 1", {{1, 1, 1}}, {1, 1, 1}, [](Inputs in) { return cumulative_sum(in[0]); }});
    all.push_back(
        {"cumulative_sum no steps", {{2, 0, 3}}, {2, 0, 3}, [](Inputs in) { return cumulative_sum(in[0]); }, nullptr, nothing});
    all.push_back({"cumulative_sum no columns",
                   {{2, 3, 0}},
                   {2, 3, 0},
                   [](Inputs in) { return cumulative_sum(in[0]); },
                   nullptr,
                   nothing});
    all.push_back({"embedding", {{4, 3}}, {2, 3, 3}, [](Inputs in) {
                       const int32_t ids[] = {1, 0, 3, 1, 1, 2};
                       return embedding(in[0], ids, {2, 3});
                   }});
    all.push_back(
        {"embedding no ids", {{4, 3}}, {0, 3}, [](Inputs in) { return embedding(in[0], {}, {0}); }, nullptr, nothing});
    all.push_back({"pick", {{3, 4}}, {3}, [](Inputs in) {
                       const int32_t ids[] = {3, 0, 3};
                       return pick(in[0], ids);
                   }});
    all.push_back({"elements", {{2, 3}}, {2, 2}, [](Inputs in) {
                       const int32_t numbers[] = {5, -1, 0, 5};
                       return elements(in[0], numbers, {2, 2});
                   }});
    all.push_back({"elements none", {{2, 3}}, {0}, [](Inputs in) { return elements(in[0], {}, {0}); }, nullptr, nothing});
    static constexpr int32_t of_a[] = {1, 0, 3, 1, 1}, of_b[] = {0, 1, 1, 0, 1};
    all.push_back({"tanh_of_pairs",
                   {{4, 3}, {2, 3}},
                   {5, 3},
                   [](Inputs in) { return tanh_of_pairs(in[0], of_a, in[1], of_b); },
                   [](Inputs in) { return tanh(embedding(in[0], of_a, {5}) + embedding(in[1], of_b, {5})); }});
    all.push_back({"tanh_of_pairs no pairs",
                   {{4, 3}, {2, 3}},
                   {0, 3},
                   [](Inputs in) { return tanh_of_pairs(in[0], {}, in[1], {}); },
                   nullptr,
                   nothing});
    all.push_back({"pick no rows", {{0, 4}}, {0}, [](Inputs in) { return pick(in[0], {}); }, nullptr, nothing});
    all.push_back({"views", {{4, 6}}, {2, 3}, [](Inputs in) {
                       return in[0].rows(1, 2).reshape({2, 3}) * in[0].row(3).reshape({2, 3}) + in[0].part(5, {2, 3});
                   }});
}

}  // namespace

const std::vector<OpCase>& op_cases() {
    static const std::vector<OpCase> cases = [] {
        std::vector<OpCase> all;
        add_elementwise(all);
        add_reductions(all);
        add_products(all);
        add_arrangement(all);
        for (const auto list : {fused_op_cases, recurrent_op_cases, transformer_op_cases, alignment_op_cases, linear_op_cases})
            for (OpCase& c : list()) all.push_back(std::move(c));
        return all;
    }();
    return cases;
}

std::vector<Tensor> inputs_of(const OpCase& c) {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < c.inputs.size(); ++i)
        inputs.push_back(uniform(c.inputs[i].shape, c.name + "." + std::to_string(i), c.inputs[i].low, c.inputs[i].high));
    return inputs;
}

}  // namespace attend::ATTEND_PRECISION::oracles
