#include "optim/optimizer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/random.h"
#include "tests/optim/options_by_name.h"

namespace optimizer_test_both {

using namespace attend;

namespace {
using Options = std::map<std::string, std::string>;

std::unique_ptr<Optimizer> make(const std::string& name, const Options& options, const ParameterStore& store) {
    return optimizer_table().build(oracles::select(optimizer_table(), name, options), store);
}

// Every optimiser, with all it can do switched on.
const std::vector<std::pair<std::string, Options>> full = {
    {"sgd", {{"momentum", "0.9"}, {"nesterov", "true"}, {"weight_decay", "0.1"}}},
    {"sgd", {{"weight_decay", "0.1"}}},
    {"adam", {{"weight_decay", "0.1"}}},
    {"adamw", {{"weight_decay", "0.1"}}},
    {"adadelta", {{"weight_decay", "0.1"}}},
    {"adagrad", {{"weight_decay", "0.1"}, {"learning_rate_decay", "0.1"}}},
    {"rmsprop", {{"weight_decay", "0.1"}, {"momentum", "0.9"}, {"centered", "true"}}},
    {"nadam", {{"weight_decay", "0.1"}}},
    {"radam", {{"weight_decay", "0.1"}}},
    {"adafactor", {{"weight_decay", "0.1"}}},
    {"adafactor", {{"relative_step", "false"}}},
    {"lion", {{"weight_decay", "0.1"}}},
};

// One update of elements [0, size) in one range.
void step_whole(Optimizer& optimizer, ParameterStore& store, const std::vector<real>& g, const UpdateStep& step) {
    Workers one(1);
    optimizer.prepare(store, g.data(), step, one);
    optimizer.update(store, g.data(), step, 0, store.size());
}

// The state arrays that have the layout of the arena: where each begins.
std::vector<const real*> arena_states(Optimizer& optimizer, const ParameterStore& store) {
    const auto pieces = optimizer.state(store);
    const std::size_t parameters = store.table().size();
    std::vector<const real*> arrays;
    for (std::size_t i = 0; i + parameters <= pieces.size(); i += parameters) {
        bool arena = true;
        for (std::size_t k = 0; k < parameters; ++k)
            arena =
                arena && pieces[i + k].shape == store.table()[k].shape && pieces[i + k].name.ends_with(store.table()[k].name);
        if (arena)
            arrays.push_back(pieces[i].values - store.table()[0].offset);
    }
    return arrays;
}

// A store of several blocks whose parameters leave padding and lie across block borders.
void fill(ParameterStore& store) {
    store.add("matrix", {101, 103}, Init::normal(1));
    store.add("bias", {103}, Init::normal(1));
    store.add("scalar", {}, Init::normal(1));
    store.add("empty", {0, 4}, Init::zeros());
    store.add("large", {3, 61, 211}, Init::normal(1));
    store.add("tail", {7}, Init::normal(1));
}

std::vector<real> values(const ParameterStore& store) { return {store.data(), store.data() + store.size()}; }

// Whether an element belongs to a parameter and not to the padding.
std::vector<bool> owned(const ParameterStore& store) {
    std::vector<bool> is(static_cast<std::size_t>(store.size()), false);
    for (const Parameter& p : store.table()) std::fill_n(is.begin() + p.offset, p.shape.size(), true);
    return is;
}

std::vector<real> random_gradient(const ParameterStore& store, uint64_t seed) {
    Stream stream(seed, "gradient");
    const std::vector<bool> is = owned(store);
    std::vector<real> g(is.size());
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = is[i] ? stream.normal() : real{0};
    return g;
}

bool same_bits(const std::vector<real>& a, const std::vector<real>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}

// Five steps; the parameters and all state arrays, one after the other.
std::vector<real> train(const std::string& name, const Options& options, int threads) {
    ParameterStore store(1);
    fill(store);
    const auto optimizer = make(name, options, store);
    Workers workers(threads);
    for (int64_t step = 0; step < 5; ++step) {
        const auto g = random_gradient(store, static_cast<uint64_t>(step));
        const double clip = clip_factor(gradient_norm(g.data(), store.size(), workers), 1.0);
        update(*optimizer, store, g.data(), {step, 0.01, clip}, workers);
    }
    std::vector<real> all = values(store);
    for (const OptimizerState& s : optimizer->state(store)) all.insert(all.end(), s.values, s.values + s.shape.size());
    return all;
}

template <class F>
std::string message(F f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "";
}
}  // namespace

TEST_SUITE("optimizers") {
    TEST_CASE("optimizers: all_seams() knows the table before anyone asks for it") {
        const auto& all = all_seams();
        CHECK(std::any_of(all.begin(), all.end(), [](const Seam* s) { return std::string(s->kind()) == "optimizer"; }));
    }

    TEST_CASE("optimizers: the table lists them") {
        CHECK(optimizer_table().names() == std::vector<std::string>{"sgd", "adam", "adamw", "adadelta", "adagrad", "rmsprop",
                                                                    "nadam", "radam", "adafactor", "lion"});
    }

    TEST_CASE("options: names, PyTorch's defaults, and defaults within their ranges") {
        using Defaults = std::vector<std::pair<std::string, std::vector<double>>>;
        const std::map<std::string, Defaults> expected = {
            {"sgd",
             {{"learning_rate", {1e-3}}, {"momentum", {0}}, {"dampening", {0}}, {"weight_decay", {0}}, {"nesterov", {0}}}},
            {"adam", {{"learning_rate", {1e-3}}, {"betas", {0.9, 0.999}}, {"epsilon", {1e-8}}, {"weight_decay", {0}}}},
            {"adamw", {{"learning_rate", {1e-3}}, {"betas", {0.9, 0.999}}, {"epsilon", {1e-8}}, {"weight_decay", {0.01}}}},
            {"adadelta", {{"learning_rate", {1}}, {"rho", {0.9}}, {"epsilon", {1e-6}}, {"weight_decay", {0}}}},
            {"adagrad",
             {{"learning_rate", {1e-2}},
              {"learning_rate_decay", {0}},
              {"initial_sum", {0}},
              {"epsilon", {1e-10}},
              {"weight_decay", {0}}}},
            {"rmsprop",
             {{"learning_rate", {1e-2}},
              {"alpha", {0.99}},
              {"momentum", {0}},
              {"centered", {0}},
              {"epsilon", {1e-8}},
              {"weight_decay", {0}}}},
            {"nadam",
             {{"learning_rate", {2e-3}},
              {"betas", {0.9, 0.999}},
              {"epsilon", {1e-8}},
              {"weight_decay", {0}},
              {"momentum_decay", {4e-3}}}},
            {"radam", {{"learning_rate", {1e-3}}, {"betas", {0.9, 0.999}}, {"epsilon", {1e-8}}, {"weight_decay", {0}}}},
            {"adafactor",
             {{"learning_rate", {1e-2}},
              {"relative_step", {1}},
              {"decay_exponent", {0.8}},
              {"clip_threshold", {1}},
              {"epsilon", {1e-30}},
              {"least_scale", {1e-3}},
              {"weight_decay", {0}}}},
            {"lion", {{"learning_rate", {1e-4}}, {"betas", {0.9, 0.99}}, {"weight_decay", {0}}}},
        };
        for (const std::string& name : optimizer_table().names()) {
            CAPTURE(name);
            oracles::OptionsByName lister;
            optimizer_table().defaults(name)->fields(lister);
            Defaults found;
            for (const auto& d : lister.declared()) {
                found.emplace_back(d.name, d.values);
                CHECK(!d.help.empty());
                CHECK(d.fixed_length == (d.name == "betas"));
                for (double v : d.values) {
                    CHECK(v >= d.low);
                    CHECK(v <= d.high);
                }
            }
            CHECK((found == expected.at(name)));
        }
    }

    TEST_CASE(
        "learning_rate() is the option, state is named by array and parameter, starts at zero, has the parameters' shapes") {
        ParameterStore store(1);
        fill(store);
        const std::vector<std::tuple<std::string, Options, std::vector<std::string>>> cases = {
            {"sgd", {}, {}},
            {"sgd", {{"momentum", "0.5"}}, {"momentum"}},
            {"adam", {}, {"m", "v"}},
            {"adamw", {}, {"m", "v"}},
            {"adadelta", {}, {"square_average", "accumulated_delta"}},
            {"adagrad", {}, {"square_sum"}},
            {"rmsprop", {}, {"square_average"}},
            {"rmsprop", {{"momentum", "0.5"}}, {"square_average", "momentum"}},
            {"rmsprop", {{"centered", "true"}}, {"square_average", "gradient_average"}},
            {"rmsprop", {{"momentum", "0.5"}, {"centered", "true"}}, {"square_average", "gradient_average", "momentum"}},
            {"nadam", {}, {"m", "v"}},
            {"radam", {}, {"m", "v"}},
            {"lion", {}, {"m"}},
        };
        for (const auto& [name, given, arrays] : cases) {
            CAPTURE(name);
            Options options = given;
            options["learning_rate"] = "0.25";
            const auto optimizer = make(name, options, store);
            CHECK(optimizer->learning_rate() == 0.25);
            const auto state = optimizer->state(store);
            REQUIRE(state.size() == arrays.size() * store.table().size());
            for (std::size_t i = 0; i < state.size(); ++i) {
                const Parameter& p = store.table()[i % store.table().size()];
                CHECK(state[i].name == arrays[i / store.table().size()] + "." + p.name);
                CHECK(state[i].shape == p.shape);
                CHECK(std::count(state[i].values, state[i].values + p.shape.size(), real{0}) == p.shape.size());
            }
        }
    }

    TEST_CASE("adagrad's sums start at initial_sum, padding at zero") {
        ParameterStore store(1);
        fill(store);
        const auto optimizer = make("adagrad", {{"initial_sum", "0.5"}}, store);
        const std::vector<bool> is = owned(store);
        const real* sums = arena_states(*optimizer, store).at(0);
        for (std::size_t i = 0; i < is.size(); ++i)
            if (sums[i] != (is[i] ? real{0.5} : real{0}))
                FAIL("element ", i, " of ", is.size(), ": ", sums[i]);
    }

    TEST_CASE("padding is never touched, even where its gradient is not zero") {
        for (const auto& [name, options] : full) {
            CAPTURE(name);
            ParameterStore store(1);
            fill(store);
            const std::vector<bool> is = owned(store);
            REQUIRE(std::count(is.begin(), is.end(), false) > 0);
            const auto optimizer = make(name, options, store);
            Workers workers(1);
            const std::vector<real> g(is.size(), real{1}), before = values(store);
            for (int64_t step = 0; step < 3; ++step) update(*optimizer, store, g.data(), {step, 0.1, 1}, workers);
            const std::vector<real> after = values(store);
            const auto states = arena_states(*optimizer, store);
            for (std::size_t i = 0; i < is.size(); ++i) {
                if (is[i] ? after[i] == before[i] : after[i] != 0)
                    FAIL("element ", i, " of ", is.size(), is[i] ? ": not updated" : ": padding changed");
                for (const real* state : states)
                    if (!is[i] && state[i] != 0)
                        FAIL("padding of a state changed at ", i);
            }
        }
    }

    TEST_CASE("bits do not depend on the number of threads") {
        for (const auto& [name, options] : full) {
            CAPTURE(name);
            const auto one = train(name, options, 1);
            for (int threads : {2, 3, 4}) CHECK(same_bits(one, train(name, options, threads)));
        }
    }

    TEST_CASE("bits do not depend on how the arena is cut") {
        for (const auto& [name, options] : full) {
            CAPTURE(name);
            ParameterStore a(1), b(1);
            fill(a);
            fill(b);
            const auto whole = make(name, options, a), pieces = make(name, options, b);
            for (int64_t step = 0; step < 3; ++step) {
                const auto g = random_gradient(a, static_cast<uint64_t>(step));
                const UpdateStep u{step, 0.01, 0.5};
                step_whole(*whole, a, g, u);
                Workers three(3);
                pieces->prepare(b, g.data(), u, three);
                // Cuts within parameters, within padding and at their ends, in another order.
                const std::vector<int64_t> cuts = {0, 1, 17, 10403, 10410, 10416, 10600, 10600, 30001, b.size() - 3, b.size()};
                for (std::size_t i = cuts.size() - 1; i-- > 0;) pieces->update(b, g.data(), u, cuts[i], cuts[i + 1]);
            }
            CHECK(same_bits(values(a), values(b)));
        }
    }

    TEST_CASE("weight decay acts on parameters of two or more dimensions only") {
        for (const std::string& name : optimizer_table().names()) {
            CAPTURE(name);
            ParameterStore plain(1), decayed(1);
            fill(plain);
            fill(decayed);
            const auto g = random_gradient(plain, 5);
            const auto a = make(name, {{"weight_decay", "0"}}, plain), b = make(name, {{"weight_decay", "0.5"}}, decayed);
            // Two steps: the first of Adam takes little but the sign of the gradient.
            for (int64_t step = 0; step < 2; ++step) {
                step_whole(*a, plain, g, {step, 0.1, 1});
                step_whole(*b, decayed, g, {step, 0.1, 1});
            }
            for (const Parameter& p : plain.table()) {
                CAPTURE(p.name);
                const real *x = plain.data() + p.offset, *y = decayed.data() + p.offset;
                const bool equal = std::equal(x, x + p.shape.size(), y);
                CHECK(equal == (p.shape.rank() < 2 || p.shape.size() == 0));
            }
        }
    }

    TEST_CASE("decay is coupled, but shrinks by rate times decay in adamw, adafactor and lion") {
        const auto after_one_step = [](const std::string& name) {
            ParameterStore store(1);
            store.add("w", {1, 1}, Init::constant(2));
            const std::vector<real> g(static_cast<std::size_t>(store.size()), real{0});
            step_whole(*make(name, {{"weight_decay", "0.25"}}, store), store, g, {0, 0.125, 1});
            return static_cast<double>(store.data()[0]);
        };
        CHECK(after_one_step("sgd") == doctest::Approx(2 - 0.125 * 0.25 * 2).epsilon(1e-6));
        CHECK(after_one_step("adamw") == doctest::Approx(2 * (1 - 0.125 * 0.25)).epsilon(1e-6));
        CHECK(after_one_step("adam") == doctest::Approx(2 - 0.125).epsilon(1e-6));  // the first step is the gradient's sign
        for (const char* name : {"adafactor", "lion"})
            CHECK(after_one_step(name) == doctest::Approx(2 * (1 - 0.125 * 0.25)).epsilon(1e-6));
        const double g = 0.25 * 2;
        CHECK(after_one_step("adagrad") == doctest::Approx(2 - 0.125).epsilon(1e-6));
        CHECK(after_one_step("rmsprop") == doctest::Approx(2 - 0.125 / std::sqrt(0.01)).epsilon(1e-6));
        CHECK(after_one_step("radam") == doctest::Approx(2 - 0.125 * g).epsilon(1e-6));  // not yet rectified
        CHECK(after_one_step("adadelta") ==
              doctest::Approx(2 - 0.125 * std::sqrt(1e-6) / std::sqrt(0.1 * g * g + 1e-6) * g).epsilon(1e-6));
    }

    TEST_CASE("frozen parameters and their state are left alone") {
        for (const auto& [name, options] : full) {
            CAPTURE(name);
            ParameterStore store(1);
            fill(store);
            REQUIRE(store.freeze("matrix"));
            REQUIRE(store.freeze("tail"));
            const auto before = values(store), g = random_gradient(store, 3);
            const auto optimizer = make(name, options, store);
            Workers workers(2);
            for (int64_t step = 0; step < 2; ++step) update(*optimizer, store, g.data(), {step, 0.1, 1}, workers);
            for (const Parameter& p : store.table()) {
                CAPTURE(p.name);
                const real* now = store.data() + p.offset;
                const bool equal = std::equal(now, now + p.shape.size(), before.begin() + p.offset);
                CHECK(equal == (!p.trainable || p.shape.size() == 0));
                for (const OptimizerState& s : optimizer->state(store)) {
                    if (s.name.substr(s.name.find('.') + 1) != p.name)
                        continue;
                    const bool zero = std::count(s.values, s.values + s.shape.size(), real{0}) == s.shape.size();
                    CHECK(zero == (!p.trainable || p.shape.size() == 0));
                }
            }
        }
    }

    TEST_CASE("gradient_scale multiplies the gradient") {
        for (const auto& [name, options] : full) {
            CAPTURE(name);
            ParameterStore a(1), b(1);
            fill(a);
            fill(b);
            auto g = random_gradient(a, 9);
            step_whole(*make(name, options, a), a, g, {0, 0.1, 0.25});
            for (real& x : g) x *= real{0.25};
            step_whole(*make(name, options, b), b, g, {0, 0.1, 1});
            CHECK(same_bits(values(a), values(b)));
        }
    }

    TEST_CASE("elements that never had a gradient stay as they are, and finite") {
        for (const std::string& name : optimizer_table().names()) {
            CAPTURE(name);
            ParameterStore store(1);
            fill(store);
            const auto before = values(store);
            const std::vector<real> g(before.size(), real{0});
            const auto optimizer = make(name, {{"weight_decay", "0"}}, store);
            for (int64_t step = 0; step < 3; ++step) step_whole(*optimizer, store, g, {step, 0.1, 1});
            CHECK(same_bits(before, values(store)));
        }
    }

    TEST_CASE("Adam's first step is the rate against the gradient's sign, whatever the betas as float are") {
        ParameterStore store(1);
        store.add("w", {64}, Init::zeros());
        std::vector<real> g(64);
        Stream stream(1, "g");
        for (real& x : g) x = stream.normal() * 100;
        make("adam", {{"epsilon", "1e-20"}}, store)->update(store, g.data(), {0, 1, 1}, 0, store.size());
        for (std::size_t i = 0; i < g.size(); ++i)
            CHECK(
                static_cast<double>(store.data()[i]) ==
                doctest::Approx(g[i] > 0 ? -1.0 : 1.0).epsilon(4 * static_cast<double>(std::numeric_limits<real>::epsilon())));
    }

    TEST_CASE("bad options and broken promises name both numbers") {
        ParameterStore store(1);
        fill(store);
        const auto built = [&](const std::string& name, const Options& options) {
            return message([&] { make(name, options, store); });
        };
        CHECK(built("sgd", {{"nesterov", "true"}}) ==
              "optimizer sgd: nesterov needs momentum above 0 and dampening 0: momentum 0, dampening 0");
        CHECK(built("sgd", {{"nesterov", "true"}, {"momentum", "0.9"}, {"dampening", "0.5"}}) ==
              "optimizer sgd: nesterov needs momentum above 0 and dampening 0: momentum 0.9, dampening 0.5");
        CHECK(built("adam", {{"betas", "0.9"}}) == "optimizer adam: betas must be two numbers: given 1");
        CHECK(built("adamw", {{"betas", "0.9 1"}}) == "optimizer adamw: betas out of range: betas 1, allowed 0 to 0.9999999");
        CHECK(built("adam", {{"betas", "-0.5 0.9"}}) ==
              "optimizer adam: betas out of range: betas -0.5, allowed 0 to 0.9999999");
        CHECK(built("adam", {{"epsilon", "0"}}) == "optimizer adam: epsilon out of range: epsilon 0, allowed 1e-30 to 1");
        CHECK(built("adadelta", {{"rho", "1"}}) == "optimizer adadelta: rho out of range: rho 1, allowed 0 to 0.9999999");
        CHECK(built("adadelta", {{"epsilon", "0"}}) ==
              "optimizer adadelta: epsilon out of range: epsilon 0, allowed 1e-30 to 1");
        for (const char* name : {"adagrad", "rmsprop", "nadam", "radam", "adafactor"})
            CHECK(built(name, {{"epsilon", "0"}}) ==
                  fmt::format("optimizer {}: epsilon out of range: epsilon 0, allowed 1e-30 to 1", name));
        for (const char* name : {"nadam", "radam", "lion"}) {
            CHECK(built(name, {{"betas", "0.9"}}) == fmt::format("optimizer {}: betas must be two numbers: given 1", name));
            CHECK(built(name, {{"betas", "1 0.9"}}) ==
                  fmt::format("optimizer {}: betas out of range: betas 1, allowed 0 to 0.9999999", name));
        }
        CHECK(built("adagrad", {{"learning_rate_decay", "-1"}}) ==
              "optimizer adagrad: learning_rate_decay out of range: learning_rate_decay -1, allowed 0 to 1000");
        CHECK(built("adagrad", {{"initial_sum", "-1"}}) ==
              "optimizer adagrad: initial_sum out of range: initial_sum -1, allowed 0 to 1e+30");
        CHECK(built("rmsprop", {{"alpha", "1"}}) == "optimizer rmsprop: alpha out of range: alpha 1, allowed 0 to 0.9999999");
        CHECK(built("rmsprop", {{"momentum", "1"}}) ==
              "optimizer rmsprop: momentum out of range: momentum 1, allowed 0 to 0.9999999");
        CHECK(built("nadam", {{"momentum_decay", "-1"}}) ==
              "optimizer nadam: momentum_decay out of range: momentum_decay -1, allowed 0 to 1000");
        CHECK(built("adafactor", {{"decay_exponent", "0"}}) ==
              "optimizer adafactor: decay_exponent out of range: decay_exponent 0, allowed 1e-06 to 1");
        CHECK(built("adafactor", {{"clip_threshold", "0"}}) ==
              "optimizer adafactor: clip_threshold out of range: clip_threshold 0, allowed 1e-06 to 1000000");
        CHECK(built("adafactor", {{"least_scale", "-1"}}) ==
              "optimizer adafactor: least_scale out of range: least_scale -1, allowed 0 to 1000");
        CHECK(built("adagrab", {}).find("optimizer: unknown name 'adagrab'") == 0);

        const auto optimizer = make("adam", {}, store);
        const auto g = random_gradient(store, 1);
        const int64_t n = store.size();
        const auto updated = [&](int64_t step, int64_t begin, int64_t end) {
            return message([&] { optimizer->update(store, g.data(), {step, 0.1, 1}, begin, end); });
        };
        CHECK(updated(0, 5, n + 1) ==
              fmt::format("optimizer: range outside of the arena: range 5 to {}, elements {}", n + 1, n));
        CHECK(updated(0, 6, 5) == fmt::format("optimizer: range outside of the arena: range 6 to 5, elements {}", n));
        CHECK(updated(-1, 0, n) == "optimizer: steps are counted from 0: step -1");
        for (const char* name : {"nadam", "adafactor"}) {
            const auto unprepared = make(name, {}, store);
            CHECK(message([&] {
                      unprepared->update(store, g.data(), {4, 0.1, 1}, 0, n);
                  }) == fmt::format("optimizer {}: prepare() comes before update(): prepared for step -1, asked for 4", name));
        }
        const auto adafactor = make("adafactor", {}, store);
        store.add("late", {3}, Init::zeros());
        CHECK(message([&] {
                  step_whole(*adafactor, store, g, {0, 0.1, 1});
              }) == "optimizer adafactor: the arena has changed since the optimizer was made: parameters 7, made for 6");
        CHECK(updated(0, 0, n) ==
              fmt::format("optimizer: the arena has changed since the optimizer was made: elements {}, made for {}",
                          store.size(), n));
    }
}

}  // namespace optimizer_test_both
