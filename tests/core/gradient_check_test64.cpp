#include "tests/oracles/gradient_check.h"

#include <doctest/doctest.h>

#include "core/ops.h"

namespace gradient_check_test64 {

using namespace attend;
using namespace attend::oracles;

namespace {

// x^2 with a backward that is wrong by `factor`.
Tensor wrong_square(const Tensor& x, real factor) {
    Tensor y = Tensor::empty(x.shape());
    for (int64_t i = 0; i < x.size(); ++i) y.writable()[i] = x.data()[i] * x.data()[i];
    return record("wrong_square", y, {x}, [x = Saved(x), factor](Backward& b) {
        const Destination dx = b.into(0);
        for (int64_t i = 0; i < x.size(); ++i)
            dx.data[i] = (dx.write == Write::add ? dx.data[i] : 0) + factor * real{2} * x.data()[i] * b.gradient()[i];
    });
}

// a b; the gradient of b is forgotten: not declared, or declared and not written.
enum class Forgets { declaration, writing };
Tensor forgetful_product(const Tensor& a, const Tensor& b, Forgets forgets) {
    Tensor y = Tensor::empty(a.shape());
    for (int64_t i = 0; i < a.size(); ++i) y.writable()[i] = a.data()[i] * b.data()[i];
    const auto back = [b = Saved(b)](Backward& g) {
        const Destination da = g.into(0);
        for (int64_t i = 0; i < b.size(); ++i) da.data[i] = b.data()[i] * g.gradient()[i];
    };
    return forgets == Forgets::declaration ? record("forgetful", y, {a}, back) : record("forgetful", y, {a, b}, back);
}

}  // namespace

TEST_SUITE("gradient check") {
    TEST_CASE("a right backward agrees") {
        const GradientReport r = check_gradients({{uniform({5}, "x")}, [](Inputs in) { return wrong_square(in[0], 1); }});
        CHECK_MESSAGE(r.verdict == Verdict::agrees, r.text());
        CHECK(r.error < 1);
    }

    TEST_CASE("a backward scaled by 1.01 is found, and so is one off by a hundred-thousandth") {
        for (const double factor : {1.01, 1.00001, 0.0}) {
            const GradientReport r = check_gradients(
                {{uniform({5}, "x")}, [factor](Inputs in) { return wrong_square(in[0], static_cast<real>(factor)); }});
            CHECK(r.verdict == Verdict::differs);
            CHECK(r.error > 1);
            CHECK(r.engine == doctest::Approx(factor * r.difference).epsilon(1e-6));
            CHECK(r.input == "input 0");
        }
    }

    TEST_CASE("one wrong element of many is named") {
        const GradientReport r =
            check_gradients({{uniform({3}, "a"), uniform({7}, "b")}, [](Inputs in) {
                                 const Tensor wrong = wrong_square(in[1].rows(4, 5), 2);
                                 return concat({square(in[0]), square(in[1].rows(0, 4)), wrong, square(in[1].rows(5, 7))}, 0);
                             }});
        CHECK(r.verdict == Verdict::differs);
        CHECK(r.text().starts_with("input 1, element 4: engine "));
    }

    TEST_CASE("an op that forgets an input is found") {
        const std::vector<Tensor> inputs = {uniform({4}, "a"), uniform({4}, "b")};
        const GradientReport r =
            check_gradients({inputs, [](Inputs in) { return forgetful_product(in[0], in[1], Forgets::declaration); }});
        CHECK(r.verdict == Verdict::differs);
        CHECK(r.input == "input 1");
        CHECK_THROWS_WITH_AS(
            check_gradients({inputs, [](Inputs in) { return forgetful_product(in[0], in[1], Forgets::writing); }}),
            "op 'forgetful': backward wrote no gradient: input 1 of 2", MachineError);
    }

    TEST_CASE("a case whose gradient is all zero is refused") {
        // The cotangent of sums of softmax rows goes nowhere: they are always 1.
        GradientReport r = check_gradients({{uniform({2, 3}, "x")}, [](Inputs in) { return sum(softmax(in[0]), 1); }});
        CHECK(r.verdict == Verdict::all_zero);
        r = check_gradients({{uniform({3}, "a"), uniform({3}, "b")}, [](Inputs in) { return square(in[0]); }});
        CHECK(r.verdict == Verdict::all_zero);
        CHECK(r.input == "input 1");
    }

    TEST_CASE("parameters are checked as inputs are, frozen ones are not") {
        ParameterStore store(1);
        const Tensor w = store.add("w", {3}, Init::normal(1)), f = store.add("f", {3}, Init::normal(1));
        store.freeze("f");
        const std::vector<real> before = w.values();
        real factor = 1;
        const GradientCheck check{{uniform({3}, "x")}, [&](Inputs in) { return in[0] * wrong_square(w, factor) * f; }, &store};
        GradientReport r = check_gradients(check);
        CHECK_MESSAGE(r.verdict == Verdict::agrees, r.text());
        CHECK(w.values() == before);
        factor = real{1.01};
        r = check_gradients(check);
        CHECK(r.verdict == Verdict::differs);
        CHECK(r.input == "w");
    }
}

}  // namespace gradient_check_test64
