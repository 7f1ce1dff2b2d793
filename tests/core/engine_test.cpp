#include "core/engine.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/trace.h"
#include "core/ops.h"
#include "core/parameters.h"

namespace engine_test {

using namespace attend;

namespace {

std::vector<real> values(std::initializer_list<real> v) { return v; }

// x times a factor, so that a backward function can do anything; `back` gets the Backward.
template <class F>
Tensor custom(const Tensor& x, F back) {
    const Tensor y = Tensor::of(x.shape(), x.values());
    return record("custom", y, {x}, back);
}

Tensor constants(const Shape& shape, real first) {
    Tensor x = Tensor::empty(shape);
    for (int64_t i = 0; i < x.size(); ++i) x.writable()[i] = first + static_cast<real>(i);
    return x;
}

}  // namespace

TEST_SUITE("engine") {
    TEST_CASE("a diamond adds up both ways") {
        const Tensor x = watch(Tensor::of({2}, {2, -3}));
        const Tensor left = scale(x, 2), right = square(x);
        const Tensor y = sum(left * right + left);  // 2 x^3 + 2 x
        Gradients g;
        backward(y, g);
        CHECK(g.of(x).values() == values({26, 56}));
    }

    TEST_CASE("many diamonds in a row take one visit a node, not one a path") {
        const Tensor x = watch(Tensor::of({1}, {1}));
        Tensor y = x;
        for (int i = 0; i < 60; ++i) y = scale(y + y, real{0.5});  // 2^60 paths
        Gradients g;
        backward(sum(y), g);
        CHECK(g.of(x).item() == 1);
    }

    TEST_CASE("chains of 100,000 nodes are walked and destroyed without recursion") {
        constexpr int depth = 100'000;
        Gradients g;
        {
            const Tensor x = watch(Tensor::of({1}, {3}));
            Tensor y = x;
            for (int i = 0; i < depth; ++i) y = shift(y, 1);
            CHECK(y.item() == 3 + depth);
            backward(y, g);
            CHECK(g.of(x).item() == 1);
        }
        Tensor never_walked = watch(Tensor::of({1}, {3}));
        for (int i = 0; i < depth; ++i) never_walked = never_walked + never_walked.detach();
        never_walked = {};
        CHECK(memory::statistics().in_use > 0);
    }

    TEST_CASE("destroying a graph gives all its memory back") {
        const std::size_t before = memory::statistics().in_use;
        {
            const Tensor x = watch(Tensor::full({100}, 1));
            Tensor y = x;
            for (int i = 0; i < 50; ++i) y = tanh(y + x);
            const Tensor other = exp(y);
            Gradients g;
            backward(sum(y), g);
        }
        CHECK(memory::statistics().in_use == before);
    }

    TEST_CASE("backward frees saved tensors as it goes") {
        // 50 steps of 1,000 elements: at the end of the walk only the leaf's gradient is left
        // besides the outputs held here.
        const Tensor x = watch(Tensor::full({1000}, real{0.5}));
        Tensor y = x;
        for (int i = 0; i < 50; ++i) y = tanh(y);
        y = sum(y);
        const std::size_t with_graph = memory::statistics().in_use;
        Gradients g;
        backward(y, g);
        const std::size_t after = memory::statistics().in_use;
        CHECK(with_graph - after > 48 * 1000 * sizeof(real));
    }

    TEST_CASE("a graph is used once") {
        const char* text = "backward: graph used twice: op 'sum', shape []";
        const Tensor x = watch(Tensor::of({2}, {1, 2}));
        const Tensor s = square(x), y = sum(s);
        Gradients g;
        backward(y, g);
        CHECK_THROWS_WITH_AS(backward(y, g), text, MachineError);
        // Also through another output of the same graph, and through what was built on it
        // afterwards.
        CHECK_THROWS_WITH_AS(backward(sum(s), g), "backward: graph used twice: op 'square', shape [2]", MachineError);
        const Tensor later = scale(sum(x), 2);
        CHECK_THROWS_WITH_AS(backward(later, g), "backward: graph used twice: op 'watch', shape [2]", MachineError);
        CHECK(g.of(x).values() == values({2, 4}));
    }

    TEST_CASE("gradients add up over graphs until reset") {
        ParameterStore store(1);
        const Tensor w = store.add("w", {2}, Init::constant(3)), unused = store.add("unused", {3}, Init::ones());
        Gradients g(store);
        backward(sum(square(w)), g);
        backward(sum(square(w)), g);
        g.finish();
        CHECK(g.of(w).values() == values({12, 12}));
        CHECK(g.of(unused).values() == values({0, 0, 0}));
        g.reset();
        backward(sum(w), g);
        g.finish();
        CHECK(g.of(w).values() == values({1, 1}));
        g.reset();
        g.finish();
        CHECK(g.of(w).values() == values({0, 0}));
        for (int64_t i = 0; i < g.size(); ++i) CHECK(g.data()[i] == 0);
    }

    TEST_CASE("unused parameters are zero after finish, whatever the arena held") {
        ParameterStore store(1);
        const Tensor a = store.add("a", {3}, Init::ones()), b = store.add("b", {3}, Init::ones());
        Gradients g(store);
        backward(sum(a) + sum(b), g);
        g.reset();
        backward(sum(b.rows(1, 2)), g);
        g.finish();
        const int64_t at_b = store.find("b")->offset;
        CHECK(std::vector<real>(g.data(), g.data() + 3) == values({0, 0, 0}));
        CHECK(std::vector<real>(g.data() + at_b, g.data() + at_b + 3) == values({0, 1, 0}));
    }

    TEST_CASE("views: the rest of a buffer is zero, and steps add to their own rows") {
        const Tensor x = watch(constants({4, 3}, 1));
        Gradients g;
        Tensor total = Tensor::scalar(0);
        for (const int64_t t : {3, 1, 1}) total = total + sum(square(x.row(t)));
        backward(total, g);
        CHECK(g.of(x).values() == values({0, 0, 0, 16, 20, 24, 0, 0, 0, 20, 22, 24}));
        CHECK(g.of(x.rows(1, 2)).shape() == Shape{1, 3});
        CHECK(g.of(x.row(1)).values() == values({16, 20, 24}));
    }

    TEST_CASE("views: a whole first contribution, then a part, and a part, then the whole") {
        for (const bool whole_first : {true, false}) {
            const Tensor x = watch(constants({3, 2}, 1));
            const Tensor y = scale(x, 1);
            Tensor outputs[2] = {y.reshape({6}), y.row(2)};
            Tensor cotangents[2] = {Tensor::full({6}, 1), Tensor::full({2}, 10)};
            if (!whole_first) {
                std::swap(outputs[0], outputs[1]);
                std::swap(cotangents[0], cotangents[1]);
            }
            Gradients g;
            backward(outputs, cotangents, g);
            CHECK(g.of(x).values() == values({1, 1, 1, 1, 11, 11}));
        }
    }

    TEST_CASE("the order of additions depends on the graph alone: the same graph gives the same bits") {
        const auto run = [](int blocks) {
            // Other allocations in between move every address.
            std::vector<Tensor> between;
            for (int i = 0; i < blocks; ++i) between.push_back(Tensor::empty({7 * (i + 1)}));
            ParameterStore store(1);
            const Tensor w = store.add("w", {5, 5}, Init::normal(1));
            const Tensor x = watch(constants({4, 5}, real{0.1}));
            Tensor h = x, total = Tensor::scalar(0);
            for (int i = 0; i < 6; ++i) {
                between.push_back(Tensor::empty({blocks * 13 + 1}));
                h = tanh(linear(h, w) + x * h);
                total = total + sum(h * exp(x)) + sum(h.row(1) * w.row(2));
            }
            Gradients g(store);
            backward(total, g);
            std::vector<real> all = g.of(x).values();
            const std::vector<real> of_w = g.of(w).values();
            all.insert(all.end(), of_w.begin(), of_w.end());
            return all;
        };
        const std::vector<real> first = run(0);
        CHECK(run(0) == first);
        CHECK(run(17) == first);
    }

    TEST_CASE("any outputs with any cotangents, outputs may be views, parameters and the same tensor twice") {
        ParameterStore store(1);
        const Tensor w = store.add("w", {2, 2}, Init::ones());
        const Tensor x = watch(Tensor::of({2}, {1, 2}));
        const Tensor y = x * w;
        const Tensor outputs[] = {y, y.row(1), w.row(0), y};
        const Tensor cotangents[] = {Tensor::full({2, 2}, 1), Tensor::of({2}, {10, 20}), Tensor::of({2}, {100, 200}),
                                     Tensor::full({2, 2}, 1000)};
        Gradients g(store);
        backward(outputs, cotangents, g);
        CHECK(g.of(x).values() == values({2012, 2022}));
        CHECK(g.of(w).values() == values({1101, 2202, 1011, 2042}));
    }

    TEST_CASE("what is not recorded, or has no fitting cotangent, is refused with both sides") {
        Gradients g;
        const Tensor plain = Tensor::full({2, 3}, 1), x = watch(plain);
        CHECK_THROWS_WITH_AS(backward(sum(plain), g), "backward: output is not recorded: output 0, shape []", Error);
        CHECK_THROWS_WITH_AS(backward(x, g), "backward: a cotangent is needed: output 0 has shape [2, 3], 6 elements", Error);
        const Tensor wrong = Tensor::full({3, 2}, 1);
        CHECK_THROWS_WITH_AS(backward({&x, 1}, {&wrong, 1}, g),
                             "backward: cotangent of another shape: output [2, 3], cotangent [3, 2]", Error);
        const Tensor both[] = {plain, plain};
        CHECK_THROWS_WITH_AS(backward({&x, 1}, both, g), "backward: counts differ: 1 outputs, 2 cotangents", Error);
        CHECK_THROWS_WITH_AS(g.of(plain), "gradients: neither a parameter nor watched: shape [2, 3], 0 watched tensors", Error);
        CHECK_THROWS_WITH_AS(g.of(scale(x, 2)), "gradients: neither a parameter nor watched: shape [2, 3], 0 watched tensors",
                             Error);
        // A refusal costs nothing: the graph can still be used.
        backward(sum(x), g);
        CHECK(g.of(x).values() == std::vector<real>(6, 1));
    }

    TEST_CASE("NoGrad records nothing, nests, and ends") {
        const Tensor x = watch(Tensor::full({2}, 1));
        {
            const NoGrad outer;
            CHECK_FALSE(scale(x, 2).recorded());
            { const NoGrad inner; }
            CHECK_FALSE(scale(x, 2).recorded());
        }
        CHECK(scale(x, 2).recorded());
        CHECK_FALSE(scale(x.detach(), 2).recorded());
        CHECK_FALSE(scale(Tensor::full({2}, 1), 2).recorded());
    }

    TEST_CASE("detach cuts the graph, a watched tensor passes gradients on and keeps them") {
        const Tensor x = watch(Tensor::of({1}, {3}));
        const Tensor middle = watch(square(x));
        const Tensor y = sum(middle * middle.detach());
        Gradients g;
        backward(y, g);
        CHECK(g.of(middle).item() == 9);
        CHECK(g.of(x).item() == 54);
    }

    TEST_CASE("backward inside backward: recomputation on watched copies, parameters included") {
        ParameterStore store(1);
        const Tensor w = store.add("w", {3, 3}, Init::normal(1));
        const Tensor v = constants({2, 3}, real{-0.4});
        const auto block = [&](const Tensor& x) { return tanh(linear(tanh(linear(x, w)), w)); };
        const auto recomputed = [&](const Tensor& x) {
            Tensor y;
            {
                const NoGrad off;
                y = block(x);
            }
            return record("recomputed", y, {x}, [&, x = Saved(x)](Backward& b) {
                const Tensor copy = watch(x), again = block(copy), dy = b.gradient_tensor();
                backward({&again, 1}, {&dy, 1}, b.sink());
                const Tensor dx = b.sink().of(copy);
                const Destination to = b.into(0);
                for (int64_t i = 0; i < dx.size(); ++i) to.data[i] = (to.write == Write::add ? to.data[i] : 0) + dx.data()[i];
            });
        };
        const auto run = [&](auto f) {
            const Tensor x = watch(v);
            Gradients g(store);
            // The same weight is also used by the outer graph, before and after.
            backward(sum(linear(f(linear(x, w)), w)), g);
            std::vector<real> all = g.of(x).values();
            const std::vector<real> of_w = g.of(w).values();
            all.insert(all.end(), of_w.begin(), of_w.end());
            return all;
        };
        const std::vector<real> plain = run(block), again = run(recomputed);
        REQUIRE(plain.size() == again.size());
        for (std::size_t i = 0; i < plain.size(); ++i) CHECK(again[i] == doctest::Approx(plain[i]).epsilon(1e-5));
    }

    TEST_CASE("a frozen parameter gets no gradient and needs no graph") {
        ParameterStore store(1);
        const Tensor w = store.add("w", {2}, Init::constant(2)), f = store.add("f", {2}, Init::constant(3));
        CHECK(store.freeze("f"));
        CHECK_FALSE(store.freeze("nobody"));
        CHECK_FALSE(square(f).recorded());
        Gradients g(store);
        backward(sum(w * f), g);
        g.finish();
        CHECK(g.of(w).values() == values({3, 3}));
        CHECK(g.of(f).values() == values({0, 0}));
    }

    TEST_CASE("parameters of another store are constants, for ops of any kind") {
        ParameterStore mine(1), other(1);
        const Tensor w = mine.add("w", {2, 2}, Init::ones());
        for (int i = 0; i < 40; ++i) other.add("filler" + std::to_string(i), {8}, Init::ones());
        const Tensor o = other.add("o", {2, 2}, Init::constant(2)), v = other.add("v", {2}, Init::constant(2));
        const int32_t ids[] = {1, 0};
        Gradients g(mine);
        const Tensor y = sum(embedding(o, ids, {2}) * w) + sum(square(o)) + sum(linear(w, o, v)) +
                         sum(softmax(o) + concat({o.row(0), v}, 0).reshape({2, 2})) + sum(layer_norm(o, v, v, 1));
        backward(y, g);
        CHECK(g.of(w).values() == values({6, 6, 6, 6}));
        CHECK_THROWS_WITH_AS(g.of(v), "gradients: parameter of another store: 'v' [2], these gradients have 1 parameters",
                             Error);
        // And without any store.
        Gradients none;
        const Tensor x = watch(Tensor::full({2}, 1));
        backward(sum(x * v) + sum(square(o)), none);
        CHECK(none.of(x).values() == values({2, 2}));
    }

    TEST_CASE("gradients made before the store grew are refused") {
        ParameterStore store(1);
        const Tensor a = store.add("a", {2}, Init::ones());
        Gradients g(store);
        const Tensor b = store.add("b", {2}, Init::ones());
        CHECK_THROWS_WITH_AS(backward(sum(a * b), g),
                             "backward: parameters were added since these gradients were made: 2 parameters, room for 1",
                             Error);
        CHECK(g.of(b).values() == values({0, 0}));
    }

    TEST_CASE("after an exception in a backward function the sink can be used again") {
        ParameterStore store(1);
        const Tensor w = store.add("w", {2, 2}, Init::ones());
        const Tensor x = Tensor::full({1, 2}, 1);
        Gradients g(store);
        Tensor h = linear(watch(x), w);
        h = custom(h, [](Backward&) { fail("backward: told to fail: {} of {}", 1, 1); });
        const Tensor y = sum(linear(h, w));  // this product is postponed when the failure comes
        CHECK_THROWS_WITH_AS(backward(y, g), "backward: told to fail: 1 of 1", Error);
        CHECK_THROWS_AS(backward(y, g), MachineError);
        g.reset();
        backward(sum(linear(linear(x, w), w)), g);
        CHECK(g.of(w).values() == values({4, 4, 4, 4}));
    }

    TEST_CASE("backward functions that break their promises are caught") {
        Gradients g;
        const auto run = [&](auto back) { backward(sum(custom(watch(Tensor::full({2}, 1)), back)), g); };
        CHECK_THROWS_WITH_AS(run([](Backward&) {}), "op 'custom': backward wrote no gradient: input 0 of 1", MachineError);
        const Tensor three = Tensor::full({1, 3}, 1), two = Tensor::full({1, 2}, 1);
        CHECK_THROWS_WITH_AS(run([&](Backward& b) { b.add_product(0, two, three); }),
                             "op 'custom': product of another shape: x [1, 2], dy [1, 3], weight [2]", MachineError);
        ParameterStore store(1);
        const Tensor w = store.add("w", {2}, Init::ones());
        Gradients with_store(store);
        const Tensor y = record("custom", Tensor::full({2}, 1), {deferred(w)}, [](Backward& b) { b.into(0); });
        CHECK_THROWS_WITH_AS(backward(sum(y), with_store), "op 'custom': a deferred input takes products: input 0 of 1",
                             MachineError);
    }
}

TEST_SUITE("deferred products") {
    // Every use of w as a product made at once: on a watched copy nothing is postponed.
    TEST_CASE("one weight at many steps, and in views, equals products made at once") {
        ParameterStore store(3);
        const Tensor p = store.add("w", {4, 4}, Init::normal(real{0.5}));
        const auto run = [](const Tensor& w) {
            Tensor h = constants({3, 4}, real{-0.5}), total = Tensor::scalar(0);
            for (int t = 0; t < 5; ++t) h = tanh(linear(h, w));
            // Views: with the same first element and another shape, overlapping, and the whole in
            // another shape.
            total = total + sum(linear(slice(h, 1, 0, 2), w.rows(0, 2)));
            total = total + sum(square(linear(slice(h, 1, 1, 4), w.rows(1, 4))));
            total = total + sum(square(linear(slice(h, 1, 0, 2), w.reshape({2, 8}))));
            total = total + sum(square(linear(slice(h, 1, 2, 3), w.reshape({1, 16}))));
            total = total + sum(square(h * w.row(1)));  // and not as a product
            return total + sum(h);
        };
        Gradients deferred_sums(store), at_once;
        backward(run(p), deferred_sums);
        const Tensor copy = watch(p.detach());
        backward(run(copy), at_once);
        const std::vector<real> a = deferred_sums.of(p).values(), b = at_once.of(copy).values();
        for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-4));
    }

    TEST_CASE("two graphs of one sink, and a graph that leaves the weight out") {
        ParameterStore store(1);
        const Tensor w = store.add("w", {1, 1}, Init::constant(2)), v = store.add("v", {1}, Init::ones());
        Gradients g(store);
        const Tensor x = Tensor::of({1, 1}, {3});
        backward(sum(linear(x, w)) + sum(linear(x, w)), g);
        backward(sum(v), g);
        backward(sum(linear(x, w)), g);
        CHECK(g.of(w).item() == 9);
        CHECK(g.of(v).item() == 1);
    }
}

TEST_SUITE("checked mode") {
    TEST_CASE("a forward value that is not finite names op, module, element") {
        const trace::Checked checked;
        const trace::Scope module("decoder.cell");
        const real inf = std::numeric_limits<real>::infinity();
        CHECK_THROWS_WITH_AS(log(Tensor::of({3}, {1, 0, 2})),
                             "decoder.cell: output is not finite: op 'log', element 1 of 3, value -inf", Diverged);
        CHECK_THROWS_WITH_AS(scale(Tensor::of({1}, {inf}), 1),
                             "decoder.cell: output is not finite: op 'scale', element 0 of 1, value inf", Diverged);
        CHECK_NOTHROW(log(Tensor::of({1}, {1})));
    }

    TEST_CASE("a gradient that is not finite names the op whose backward made it and its module") {
        const Tensor x = watch(Tensor::of({2}, {1, 0}));
        ParameterStore store(1);
        const Tensor w = store.add("encoder.weight", {2}, Init::zeros());
        const trace::Checked checked;
        Gradients g(store);
        const auto root = [](const Tensor& t) {
            const trace::Scope module("encoder.norm");
            return attend::sqrt(t);
        };
        CHECK_THROWS_WITH_AS(backward(sum(root(x)), g),
                             "encoder.norm: gradient is not finite: op 'sqrt', element 1 of 2, value inf", Diverged);
        g.reset();
        CHECK_THROWS_WITH_AS(backward(sum(root(w)), g),
                             "encoder.weight: gradient is not finite: op 'sqrt', element 0 of 2, value inf", Diverged);
        g.reset();
        CHECK_THROWS_AS(backward(sum(attend::sqrt(watch(Tensor::of({1}, {0})))), g), Diverged);
    }

    TEST_CASE("values are the same with and without it, without it nothing is refused") {
        CHECK(std::isinf(log(Tensor::of({1}, {0})).item()));
        const auto run = [] {
            const Tensor x = watch(Tensor::of({3}, {1, 2, 3}));
            Gradients g;
            backward(sum(tanh(x) * exp(x)), g);
            return g.of(x).values();
        };
        const std::vector<real> plain = run();
        const trace::Checked checked;
        CHECK(run() == plain);
    }
}

}  // namespace engine_test
