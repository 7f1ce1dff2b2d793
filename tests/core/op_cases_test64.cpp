#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/engine.h"
#include "core/ops.h"
#include "tests/core/op_cases.h"

namespace op_cases_test64 {

using namespace attend;
using namespace attend::oracles;

namespace {

struct Run {
    Tensor value;
    std::vector<Tensor> gradients;  // of the leaves
};

// The case's function, and the gradients of `leaves` for a cotangent that is always the same.
Run run(const OpCase& c, Inputs inputs, Inputs leaves, const ParameterStore* store = nullptr) {
    Run r{c.function(inputs), {}};
    const Tensor cotangent = uniform(r.value.shape(), "op_cases.cotangent");
    Gradients sink = store ? Gradients(*store) : Gradients();
    if (r.value.recorded())
        backward({&r.value, 1}, {&cotangent, 1}, sink);
    for (const Tensor& leaf : leaves) r.gradients.push_back(sink.of(leaf));
    return r;
}

std::vector<Tensor> watched(Inputs values) {
    std::vector<Tensor> all;
    for (const Tensor& x : values) all.push_back(watch(x));
    return all;
}

Run plain(const OpCase& c) {
    const std::vector<Tensor> inputs = watched(inputs_of(c));
    return run(c, inputs, inputs);
}

// "" or where the two differ; the tolerance is for sums in another order.
std::string difference(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape())
        return "shapes " + a.shape().text() + " and " + b.shape().text();
    for (int64_t i = 0; i < a.size(); ++i)
        if (!(std::abs(a.data()[i] - b.data()[i]) <= 1e-12 * (1 + std::abs(b.data()[i]))))
            return fmt::format("element {}: {:.17g} and {:.17g}", i, a.data()[i], b.data()[i]);
    return "";
}
bool same_bits(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && a.values() == b.values(); }

Tensor sum_of(const Tensor& a, const Tensor& b) {
    Tensor y = Tensor::empty(a.shape());
    for (int64_t i = 0; i < y.size(); ++i) y.writable()[i] = a.data()[i] + b.data()[i];
    return y;
}

// A buffer of `size` elements holding `values` from `offset` on, and something else around them.
Tensor surrounded(const Tensor& values, int64_t offset, int64_t size) {
    Tensor big = Tensor::full({size}, real{0.75});
    std::copy_n(values.data(), values.size(), big.writable() + offset);
    return big;
}

bool zero_outside(const Tensor& big, int64_t offset, int64_t size) {
    for (int64_t i = 0; i < big.size(); ++i)
        if ((i < offset || i >= offset + size) && big.data()[i] != 0)
            return false;
    return true;
}

bool same_range(const OpCase& c, std::size_t i, std::size_t j) {
    return c.inputs[i].low == c.inputs[j].low && c.inputs[i].high == c.inputs[j].high;
}

}  // namespace

TEST_SUITE("op cases") {
    TEST_CASE("names are unique") {
        std::vector<std::string> names;
        for (const OpCase& c : op_cases()) names.push_back(c.name);
        std::sort(names.begin(), names.end());
        CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
        CHECK(names.size() > 150);
    }

    TEST_CASE("gradients agree with central differences, and are not all zero") {
        for (const OpCase& c : op_cases()) {
            const GradientReport r = check_gradients({inputs_of(c), c.function});
            if (c.expected == Expected::gradient)
                CHECK_MESSAGE(r.verdict == Verdict::agrees, c.name << ": " << r.text());
            else {
                CHECK_MESSAGE(r.verdict != Verdict::differs, c.name << ": " << r.text());
                for (const Tensor& g : plain(c).gradients) CHECK_MESSAGE(zero_outside(g, 0, 0), c.name);
            }
        }
    }

    TEST_CASE("shapes are right, inputs unchanged, and recording changes no bit") {
        for (const OpCase& c : op_cases()) {
            CAPTURE(c.name);
            const std::vector<Tensor> inputs = inputs_of(c);
            const Tensor unrecorded = c.function(inputs);
            CHECK(unrecorded.shape() == c.output);
            CHECK_FALSE(unrecorded.recorded());
            const std::vector<Tensor> leaves = watched(inputs);
            const Run r = run(c, leaves, leaves);
            CHECK(r.value.recorded());
            CHECK(same_bits(r.value, unrecorded));
            const std::vector<Tensor> fresh = inputs_of(c);
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                CHECK(same_bits(inputs[i], fresh[i]));
                CHECK(r.gradients[i].shape() == inputs[i].shape());
            }
            for (const real v : r.value.values()) CHECK(std::isfinite(v));
        }
    }

    TEST_CASE("an input that is not there is refused, or is one that may be left out") {
        // What the headers call optional, and what is passed on unread: all else must be an Error,
        // never a read of nothing.
        const struct {
            std::string_view op;
            std::size_t input;
        } optional[] = {{"linear", 2},
                        {"linear", 3},
                        {"layer_norm", 1},
                        {"layer_norm", 2},
                        {"rms_norm", 1},
                        {"head_cross_entropy", 2},
                        {"gru_layer", 3},
                        {"dropout of nothing", 0},
                        {"head_row_losses", 2},
                        {"softmax_with_sink", 1},
                        {"linear_attention", 3},
                        {"linear_attention", 4},
                        {"linear_attention", 5},
                        {"write_states", 2},
                        {"write_states", 3},
                        {"write_states", 4},
                        {"monotonic_alignment", 1},
                        {"rnn_layer", 3}};
        const auto may_be_left_out = [&](const OpCase& c, std::size_t input) {
            return std::any_of(std::begin(optional), std::end(optional), [&](const auto& o) {
                return (c.name + " ").starts_with(std::string(o.op) + " ") && o.input == input;
            });
        };
        int refused = 0, left_out = 0;
        for (const OpCase& c : op_cases())
            for (std::size_t i = 0; i < c.inputs.size(); ++i)
                for (const bool recorded : {false, true}) {
                    std::vector<Tensor> inputs = recorded ? watched(inputs_of(c)) : inputs_of(c);
                    inputs[i] = Tensor();
                    try {
                        c.function(inputs);
                        CHECK_MESSAGE(may_be_left_out(c, i), c.name << ", input " << i);
                        ++left_out;
                    } catch (const Error&) {
                        CHECK_MESSAGE(!may_be_left_out(c, i), c.name << ", input " << i);
                        ++refused;
                    }
                }
        CHECK(refused > 400);
        CHECK(left_out > 20);
    }

    TEST_CASE("any subset of the inputs may need gradients") {
        for (const OpCase& c : op_cases()) {
            const Run full = plain(c);
            const std::size_t n = c.inputs.size();
            for (std::size_t subset = 1; subset + 1 < (std::size_t{1} << n); ++subset) {
                std::vector<Tensor> inputs = inputs_of(c), leaves;
                for (std::size_t i = 0; i < n; ++i)
                    if ((subset >> i) & 1)
                        leaves.push_back(inputs[i] = watch(inputs[i]));
                const Run part = run(c, inputs, leaves);
                std::size_t next = 0;
                for (std::size_t i = 0; i < n; ++i)
                    if ((subset >> i) & 1) {
                        const std::string d = difference(part.gradients[next++], full.gradients[i]);
                        CHECK_MESSAGE(d.empty(), c.name << ", subset " << subset << ", input " << i << ": " << d);
                    }
            }
        }
    }

    TEST_CASE("gradients are added to what a buffer holds already") {
        for (const OpCase& c : op_cases()) {
            const Run full = plain(c);
            // The inputs are outputs too: their cotangents are in the buffers before the op's
            // backward runs.
            const std::vector<Tensor> inputs = watched(inputs_of(c));
            std::vector<Tensor> outputs = {c.function(inputs)}, cotangents;
            for (const Tensor& x : inputs) outputs.push_back(x);
            for (const Tensor& y : outputs) cotangents.push_back(uniform(y.shape(), "op_cases.cotangent"));
            Gradients sink;
            backward(outputs, cotangents, sink);
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                const std::string d = difference(sink.of(inputs[i]), sum_of(full.gradients[i], cotangents[i + 1]));
                CHECK_MESSAGE(d.empty(), c.name << ", input " << i << ": " << d);
            }
        }
    }

    TEST_CASE("one tensor given twice gets the sum of both gradients") {
        int pairs = 0;
        for (const OpCase& c : op_cases())
            for (std::size_t i = 0; i < c.inputs.size(); ++i)
                for (std::size_t j = i + 1; j < c.inputs.size(); ++j)
                    if (c.inputs[i].shape == c.inputs[j].shape && same_range(c, i, j)) {
                        std::vector<Tensor> values = inputs_of(c);
                        values[j] = values[i];
                        const std::vector<Tensor> apart = watched(values);
                        const Run expected = run(c, apart, apart);
                        std::vector<Tensor> inputs = values;
                        inputs[i] = inputs[j] = watch(values[i]);
                        const Run got = run(c, inputs, {&inputs[i], 1});
                        const std::string d =
                            difference(got.gradients[0], sum_of(expected.gradients[i], expected.gradients[j]));
                        CHECK_MESSAGE(d.empty(), c.name << ", inputs " << i << " and " << j << ": " << d);
                        CHECK_MESSAGE(same_bits(got.value, expected.value), c.name);
                        ++pairs;
                    }
        CHECK(pairs > 30);
    }

    TEST_CASE("two views of one tensor that overlap get their own gradients") {
        int pairs = 0;
        for (const OpCase& c : op_cases())
            for (std::size_t i = 0; i < c.inputs.size(); ++i)
                for (std::size_t j = i + 1; j < c.inputs.size(); ++j) {
                    const int64_t m = c.inputs[i].shape.size(), n = c.inputs[j].shape.size();
                    if (!same_range(c, i, j) || m == 0 || n == 0)
                        continue;
                    // The larger one is the whole where they differ in size; else each lacks one
                    // element.
                    const int64_t size = m == n ? m + 1 : std::max(m, n), at_i = m < n ? 1 : 0, at_j = m < n ? 0 : 1;
                    const Tensor both = uniform({size}, c.name, c.inputs[i].low, c.inputs[i].high);
                    std::vector<Tensor> values = inputs_of(c);
                    values[i] = both.part(at_i, c.inputs[i].shape);
                    values[j] = both.part(at_j, c.inputs[j].shape);
                    const std::vector<Tensor> apart = watched(values);
                    const Run expected = run(c, apart, apart);
                    const Tensor leaf = watch(both);
                    std::vector<Tensor> inputs = values;
                    inputs[i] = leaf.part(at_i, c.inputs[i].shape);
                    inputs[j] = leaf.part(at_j, c.inputs[j].shape);
                    const Run got = run(c, inputs, {&leaf, 1});
                    Tensor sum = Tensor::zeros({size});
                    for (int64_t k = 0; k < m; ++k) sum.writable()[at_i + k] += expected.gradients[i].data()[k];
                    for (int64_t k = 0; k < n; ++k) sum.writable()[at_j + k] += expected.gradients[j].data()[k];
                    const std::string d = difference(got.gradients[0], sum);
                    CHECK_MESSAGE(d.empty(), c.name << ", inputs " << i << " and " << j << ": " << d);
                    ++pairs;
                }
        CHECK(pairs > 100);
    }

    TEST_CASE("views as inputs give the same values and gradients") {
        for (const OpCase& c : op_cases()) {
            const Run expected = plain(c);
            const std::vector<Tensor> values = inputs_of(c);
            for (std::size_t i = 0; i < values.size(); ++i) {
                const int64_t n = values[i].size();
                std::vector<Tensor> inputs = values;
                // A part of a longer recorded buffer, unaligned.
                const Tensor longer = watch(surrounded(values[i], 3, n + 5));
                inputs[i] = longer.part(3, c.inputs[i].shape);
                Run got = run(c, inputs, {&longer, 1});
                CHECK_MESSAGE(same_bits(got.value, expected.value), c.name << ", part as input " << i);
                std::string d = difference(got.gradients[0].part(3, c.inputs[i].shape), expected.gradients[i]);
                CHECK_MESSAGE(d.empty(), c.name << ", part as input " << i << ": " << d);
                CHECK_MESSAGE(zero_outside(got.gradients[0], 3, n), c.name << ", part as input " << i);
                // A row of the output of another op.
                if (c.inputs[i].shape.rank() < Shape::max_rank) {
                    const Shape rows = c.inputs[i].shape.inserted(0, 3);
                    const Tensor stacked = watch(surrounded(values[i], n, 3 * n));
                    inputs[i] = scale(stacked.reshape(rows), 1).row(1);
                    got = run(c, inputs, {&stacked, 1});
                    CHECK_MESSAGE(same_bits(got.value, expected.value), c.name << ", row as input " << i);
                    d = difference(got.gradients[0].part(n, c.inputs[i].shape), expected.gradients[i]);
                    CHECK_MESSAGE(d.empty(), c.name << ", row as input " << i << ": " << d);
                    CHECK_MESSAGE(zero_outside(got.gradients[0], n, n), c.name << ", row as input " << i);
                }
            }
        }
    }

    TEST_CASE("parameters as inputs, whole and in part, get the gradients watched tensors get") {
        for (const OpCase& c : op_cases()) {
            const Run expected = plain(c);
            const std::vector<Tensor> values = inputs_of(c);
            for (const int64_t before : {0, 2}) {
                ParameterStore store(1);
                std::vector<Tensor> whole, inputs;
                for (std::size_t i = 0; i < values.size(); ++i) {
                    const Tensor held = surrounded(values[i], before, values[i].size() + 2 * before);
                    whole.push_back(store.add(std::to_string(i), held.shape(), Init::zeros()));
                    std::copy_n(held.data(), held.size(), store.values(store.table().back()));
                    inputs.push_back(whole.back().part(before, c.inputs[i].shape));
                }
                const Run got = run(c, inputs, whole, &store);
                CHECK_MESSAGE(same_bits(got.value, expected.value), c.name << ", offset " << before);
                for (std::size_t i = 0; i < values.size(); ++i) {
                    const Tensor& g = got.gradients[i];
                    const std::string d = difference(g.part(before, c.inputs[i].shape), expected.gradients[i]);
                    CHECK_MESSAGE(d.empty(), c.name << ", offset " << before << ", parameter " << i << ": " << d);
                    CHECK_MESSAGE(zero_outside(g, before, values[i].size()), c.name << ", parameter " << i);
                }
            }
        }
    }
}

}  // namespace op_cases_test64
