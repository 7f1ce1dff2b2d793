#include "core/ops.h"
#include "tests/core/op_cases.h"
#include "tests/oracles/linear_recurrence.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

constexpr int32_t uneven_lengths[] = {3, 0, 2}, no_lengths_at_all[] = {0, 0, 0};
enum class Has { nothing, alpha, beta, both };  // of the positions
enum class From { zeros, state };
enum class Rows { full, lengths, empty };
enum class Way { op, recurrence };

template <Rows rows>
std::span<const int32_t> row_lengths() {
    return rows == Rows::full      ? std::span<const int32_t>{}
           : rows == Rows::lengths ? std::span<const int32_t>(uneven_lengths)
                                   : std::span<const int32_t>(no_lengths_at_all);
}
LinearAttentionOptions grouped_states(Normalise normalise) {
    LinearAttentionOptions o;
    o.heads = 4;
    o.key_heads = 2;
    o.normalise = normalise;
    return o;
}

// Inputs from `next` on: keys, values, and alpha, beta where the kind has them.
template <Has has>
StateWrites writes_of(Inputs in, std::size_t next) {
    StateWrites w;
    w.keys = in[next++];
    w.values = in[next++];
    if (has == Has::alpha || has == Has::both)
        w.alpha = in[next++];
    if (has == Has::beta || has == Has::both)
        w.beta = in[next++];
    return w;
}

// Outputs and states, one after the other; inputs: queries, what is written, the state.
template <Way way, Has has, From from, Rows rows, Normalise normalise>
Tensor attention_and_state(Inputs in) {
    const Tensor state = from == From::state ? in.back() : Tensor();
    const auto run = way == Way::op ? linear_attention : linear_attention_recurrence;
    const LinearAttentionResult r = run(in[0], writes_of<has>(in, 1), state, row_lengths<rows>(), grouped_states(normalise));
    return concat({r.outputs.reshape({r.outputs.size()}), r.state.reshape({r.state.size()})}, 0);
}
template <Way way, Has has, From from, Rows rows, Normalise normalise>
Tensor state_alone(Inputs in) {
    const Tensor state = from == From::state ? in.back() : Tensor();
    return (way == Way::op ? write_states : write_states_recurrence)(writes_of<has>(in, 0), state, row_lengths<rows>(),
                                                                     grouped_states(normalise));
}
template <Way way, Normalise normalise>
Tensor reading(Inputs in) {
    return (way == Way::op ? read_states : read_states_composite)(in[0], in[1], grouped_states(normalise));
}

// B, T, G = 2 with H = 4, Kk, Kv. What is divided by must not come near 0: then queries, keys and states are positive.
struct CaseSizes {
    int64_t batch = 3, steps = 4, key_size = 3, value_size = 2;
};
template <Has has, From from, Normalise normalise>
std::vector<CaseInput> written_inputs(const CaseSizes& s) {
    const double low = normalise == Normalise::yes ? 0.3 : -1;
    std::vector<CaseInput> all = {{{s.batch, s.steps, 2 * s.key_size}, low, 1}, {{s.batch, s.steps, 2 * s.value_size}, -1, 1}};
    // Something of the first state must be left after the last step.
    const bool lasts = s.steps > 10;
    if (has == Has::alpha || has == Has::both)
        all.push_back({{s.batch, s.steps, 2}, lasts ? 0.97 : 0.1, 1});
    if (has == Has::beta || has == Has::both)
        all.push_back({{s.batch, s.steps, 2}, 0.01, lasts ? 0.1 : normalise == Normalise::yes ? 0.5 : 1});
    if (from == From::state)
        all.push_back({{s.batch, 2, s.value_size + (normalise == Normalise::yes ? 1 : 0), s.key_size}, low, 1});
    return all;
}
template <Has has, From from, Rows rows, Normalise normalise>
void add_linear_case(std::vector<OpCase>& all, const std::string& name, const CaseSizes& s = {}) {
    const int64_t outputs = s.batch * s.steps * 4 * s.value_size, extra = normalise == Normalise::yes ? 1 : 0;
    const Shape state{s.batch, 2, s.value_size + extra, s.key_size};
    const Expected expected = rows == Rows::empty || s.batch == 0 || s.steps == 0 ? Expected::no_gradient : Expected::gradient;
    std::vector<CaseInput> inputs = written_inputs<has, from, normalise>(s);
    all.push_back({"write_states " + name, inputs, state, state_alone<Way::op, has, from, rows, normalise>,
                   state_alone<Way::recurrence, has, from, rows, normalise>, expected});
    inputs.insert(inputs.begin(), {{s.batch, s.steps, 4 * s.key_size}, normalise == Normalise::yes ? 0.3 : -1, 1});
    all.push_back({"linear_attention " + name,
                   inputs,
                   {outputs + state.size()},
                   attention_and_state<Way::op, has, from, rows, normalise>,
                   attention_and_state<Way::recurrence, has, from, rows, normalise>,
                   expected});
    if (s.steps == 0)
        for (std::size_t i = all.size() - 2; i < all.size(); ++i) all[i].composite = nullptr;
}

}  // namespace

std::vector<OpCase> linear_op_cases() {
    constexpr auto plain = Normalise::no, divided = Normalise::yes;
    std::vector<OpCase> all;
    add_linear_case<Has::nothing, From::zeros, Rows::full, plain>(all, "sums");
    add_linear_case<Has::nothing, From::zeros, Rows::lengths, divided>(all, "divided, lengths");
    add_linear_case<Has::nothing, From::state, Rows::full, divided>(all, "divided, state");
    add_linear_case<Has::alpha, From::state, Rows::full, plain>(all, "alpha, state");
    add_linear_case<Has::alpha, From::zeros, Rows::lengths, divided>(all, "alpha, divided, lengths");
    add_linear_case<Has::beta, From::zeros, Rows::full, plain>(all, "beta");
    add_linear_case<Has::beta, From::state, Rows::lengths, plain>(all, "beta, state, lengths");
    add_linear_case<Has::both, From::zeros, Rows::full, plain>(all, "alpha, beta");
    add_linear_case<Has::both, From::state, Rows::lengths, divided>(all, "alpha, beta, state, divided, lengths");
    add_linear_case<Has::both, From::state, Rows::full, plain>(all, "alpha, beta, state, over a chunk", {1, 66, 2, 1});
    add_linear_case<Has::both, From::zeros, Rows::empty, plain>(all, "lengths 0");
    add_linear_case<Has::both, From::zeros, Rows::full, plain>(all, "no steps", {2, 0, 2, 2});
    add_linear_case<Has::beta, From::zeros, Rows::full, plain>(all, "no rows", {0, 2, 2, 2});
    all.push_back(
        {"read_states", {{3, 5, 12}, {3, 2, 4, 3}}, {3, 5, 16}, reading<Way::op, plain>, reading<Way::recurrence, plain>});
    all.push_back({"read_states divided",
                   {{{3, 5, 12}, 0.3, 1}, {{3, 2, 4, 3}, 0.3, 1}},
                   {3, 5, 12},
                   reading<Way::op, divided>,
                   reading<Way::recurrence, divided>});
    all.push_back({"read_states no queries",
                   {{3, 0, 12}, {3, 2, 4, 3}},
                   {3, 0, 16},
                   reading<Way::op, plain>,
                   nullptr,
                   Expected::no_gradient});
    return all;
}

}  // namespace attend::ATTEND_PRECISION::oracles
