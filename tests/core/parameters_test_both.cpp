#include "core/parameters.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

namespace parameters_test_both {

using namespace attend;

TEST_SUITE("parameters") {
    TEST_CASE("handles stay valid and values stay put while the store grows") {
        ParameterStore store(1);
        const Tensor first = store.add("first", {3, 2}, Init::normal(1));
        const real* data = first.data();
        const Parameter* row = store.find("first");
        const std::vector<real> before = first.values();
        for (int i = 0; i < 500; ++i) store.add("filler." + std::to_string(i), {1000}, Init::ones());
        CHECK(first.data() == data);
        CHECK(store.find("first") == row);
        CHECK(first.parameter() == row);
        CHECK(store.tensor(*row).data() == data);
        CHECK(first.values() == before);
        CHECK(store.count() == 500'006);
    }

    TEST_CASE("every parameter begins at 64 bytes and padding is zero") {
        ParameterStore store(1);
        for (const int64_t n : {1, 3, 7, 8, 9, 16, 17, 0, 5}) store.add("p" + std::to_string(n), {n}, Init::ones());
        double sum = 0;
        for (int64_t i = 0; i < store.size(); ++i) sum += static_cast<double>(store.data()[i]);
        CHECK(sum == 66);
        CHECK(store.count() == 66);
        CHECK(store.size() % (64 / static_cast<int64_t>(sizeof(real))) == 0);
        for (const Parameter& p : store.table()) {
            CHECK(p.offset % (64 / static_cast<int64_t>(sizeof(real))) == 0);
            CHECK(reinterpret_cast<std::uintptr_t>(store.tensor(p).data()) % 64 == 0);
        }
    }

    TEST_CASE("the table keeps the order of adding, names are unique") {
        ParameterStore store(1);
        store.add("b", {1}, Init::zeros());
        store.add("a", {2, 3}, Init::zeros());
        CHECK(store.table()[0].name == "b");
        CHECK(store.table()[1].name == "a");
        CHECK(store.table()[1].index == 1);
        CHECK(store.table()[1].shape == Shape{2, 3});
        CHECK(store.find("c") == nullptr);
        CHECK_THROWS_WITH_AS(store.add("a", {4}, Init::zeros()),
                             "parameters: name taken: 'a' [4], already there with shape [2, 3]; share a parameter by passing "
                             "its tensor",
                             Error);
        CHECK(store.table().size() == 2);
    }

    TEST_CASE("initial values depend on seed and name alone") {
        const auto values = [](uint64_t seed, const std::vector<std::string>& names, const std::string& of) {
            ParameterStore store(seed);
            for (const std::string& n : names) store.add(n, {4, 3}, Init::normal(1));
            return store.tensor(*store.find(of)).values();
        };
        const std::vector<real> alone = values(1, {"x.w"}, "x.w");
        CHECK(values(1, {"a", "x.w", "z"}, "x.w") == alone);
        CHECK(values(1, {"z", "y", "x", "x.w"}, "x.w") == alone);
        CHECK(values(2, {"x.w"}, "x.w") != alone);
        CHECK(values(1, {"x.v"}, "x.v") != alone);
    }

    TEST_CASE("constant, uniform, normal and xavier have their bounds and moments") {
        ParameterStore store(3);
        for (const real v : store.add("constant", {5}, Init::constant(-2.5)).values()) CHECK(v == real{-2.5});
        const auto moments = [](const Tensor& x) {
            double sum = 0, squares = 0, largest = 0;
            for (const real r : x.values()) {
                const auto v = static_cast<double>(r);
                sum += v;
                squares += v * v;
                largest = std::max(largest, std::abs(v));
            }
            const auto n = static_cast<double>(x.size());
            return std::vector<double>{sum / n, squares / n, largest};
        };
        const auto u = moments(store.add("uniform", {200, 100}, Init::uniform(0.3)));
        CHECK(std::abs(u[0]) < 0.006);
        CHECK(u[1] == doctest::Approx(0.03).epsilon(0.03));
        CHECK(u[2] <= 0.3);
        CHECK(u[2] > 0.299);
        const auto n = moments(store.add("normal", {200, 100}, Init::normal(0.5)));
        CHECK(std::abs(n[0]) < 0.015);
        CHECK(n[1] == doctest::Approx(0.25).epsilon(0.03));
        CHECK(n[2] > 1.5);
        CHECK(Init::xavier(100, 200).scale == doctest::Approx(std::sqrt(6.0 / 300)));
        CHECK(std::isfinite(Init::xavier(0, 0).scale));
    }

    TEST_CASE("a parameter cannot be written to through a tensor, its values can") {
        ParameterStore store(1);
        Tensor w = store.add("w", {2}, Init::zeros());
        CHECK_THROWS_WITH_AS(w.writable(), "tensor [2]: written to although it is part of a graph", MachineError);
        store.values(*store.find("w"))[1] = 4;
        CHECK(w.values() == std::vector<real>{0, 4});
        CHECK(w.recorded());
        CHECK_FALSE(w.detach().recorded());
        CHECK(w.rows(1, 2).parameter() == w.parameter());
    }

    TEST_CASE("scopes join names with dots") {
        ParameterStore store(1);
        const Scope root(store), layer = root.in("decoder").in(2);
        CHECK(root.path().empty());
        CHECK(layer.path() == "decoder.2");
        layer.add("weight", {1}, Init::zeros());
        root.add("bias", {1}, Init::zeros());
        CHECK(store.find("decoder.2.weight") != nullptr);
        CHECK(store.find("bias") != nullptr);
        const NamedState& mean = layer.add_state("mean", {1}, 0, 0.5);
        CHECK(&mean == &store.states()[0]);
        CHECK(store.states()[0].name == "decoder.2.mean");
    }
}

TEST_SUITE("named state") {
    TEST_CASE("the first update replaces, later ones move, shards add in order, no observations, no change") {
        ParameterStore store(1);
        const NamedState& mean = store.add_state("mean", {2}, 7, 0.75);
        const NamedState& other = store.add_state("other", {1}, 5, 0.5);
        CHECK(store.state(mean).values() == std::vector<real>{7, 7});
        std::vector<StateUpdates> shards;
        shards.emplace_back(store);
        shards.emplace_back(store);
        shards[0].add(mean, Tensor::of({2}, {1, 2}), 1);
        shards[1].add(mean, Tensor::of({2}, {3, 6}), 3);
        StateUpdates::apply(shards, store);
        CHECK(store.state(mean).values() == std::vector<real>{1, 2});
        CHECK(store.state_updates(mean) == 1);
        CHECK(store.state_updates(other) == 0);
        CHECK(store.state(other).item() == 5);
        for (StateUpdates& s : shards) s.reset();
        shards[1].add(mean, Tensor::of({2}, {10, 20}), 2);
        StateUpdates::apply(shards, store);
        CHECK(store.state(mean).values() == std::vector<real>{2, 4});
        CHECK(store.state_updates(mean) == 2);
        for (StateUpdates& s : shards) s.reset();
        StateUpdates::apply(shards, store);
        CHECK(store.state(mean).values() == std::vector<real>{2, 4});
        CHECK(store.state_updates(mean) == 2);
    }

    TEST_CASE("sums are added in shard order, in double") {
        const auto run = [](const std::vector<double>& parts) {
            ParameterStore store(1);
            const NamedState& s = store.add_state("s", {1}, 0, 0.5);
            std::vector<StateUpdates> shards;
            for (const double part : parts) {
                shards.emplace_back(store);
                shards.back().add(s, Tensor::of({1}, {static_cast<real>(part)}), 1);
            }
            StateUpdates::apply(shards, store);
            return static_cast<double>(store.state(s).item());
        };
        CHECK(run({0x1p60, -0x1p60, 4, 4}) == 2);
        CHECK(run({4, 0x1p60, -0x1p60, 4}) == 1);    // the first 4 is lost beside 2^60: the order is the shards'
        CHECK(run({0x1p30, 1, -0x1p30, 1}) == 0.5);  // in float the first 1 would be lost
    }

    TEST_CASE("a parameter that the machine's memory cannot hold is refused before a page of it is touched") {
        ParameterStore store(1);
        const auto elements = static_cast<int64_t>(memory::physical() / sizeof(real));
        CHECK(elements > 1 << 20);
        CHECK_THROWS_WITH_AS(store.add("huge", {elements / 1024 + 1, 1024}, Init::normal(1)),
                             doctest::Contains("parameters: more than this machine's memory: 'huge'"), Error);
        CHECK(store.size() == 0);
    }

    TEST_CASE("mistakes are refused with both sides") {
        ParameterStore store(1);
        const NamedState& a = store.add_state("a", {2}, 0, 0.5);
        CHECK_THROWS_WITH_AS(store.add_state("a", {3}, 0, 0.5),
                             "named state: name taken: 'a' [3], already there with shape [2]", Error);
        std::vector<StateUpdates> shards;
        shards.emplace_back(store);
        CHECK_THROWS_WITH_AS(shards[0].add(a, Tensor::full({3}, 1), 1),
                             "named state 'a': update of another shape: state [2], update [3]", Error);
        const NamedState& b = store.add_state("b", {1}, 0, 0.5);
        CHECK_THROWS_WITH_AS(shards[0].add(b, Tensor::full({1}, 1), 1),
                             "named state 'b': added since these updates were made: state 1, room for 1", Error);
        CHECK_THROWS_WITH_AS(StateUpdates::apply(shards, store),
                             "named state: added since these updates were made: 2 states, room for 1", Error);
    }
}

}  // namespace parameters_test_both
