#include "optim/optimizer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/random.h"
#include "tests/optim/options_by_name.h"

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
};

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

// Five steps; the parameters and all state arrays, one behind the other.
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
    for (std::size_t i = 0; i < optimizer->state_names().size(); ++i)
        all.insert(all.end(), optimizer->state(i), optimizer->state(i) + store.size());
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
        CHECK(optimizer_table().names() == std::vector<std::string>{"sgd", "adam", "adamw", "adadelta"});
    }

    TEST_CASE("options: names, PyTorch's defaults, and defaults within their ranges") {
        using Defaults = std::vector<std::pair<std::string, std::vector<double>>>;
        const std::map<std::string, Defaults> expected = {
            {"sgd",
             {{"learning_rate", {1e-3}}, {"momentum", {0}}, {"dampening", {0}}, {"weight_decay", {0}}, {"nesterov", {0}}}},
            {"adam", {{"learning_rate", {1e-3}}, {"betas", {0.9, 0.999}}, {"epsilon", {1e-8}}, {"weight_decay", {0}}}},
            {"adamw", {{"learning_rate", {1e-3}}, {"betas", {0.9, 0.999}}, {"epsilon", {1e-8}}, {"weight_decay", {0.01}}}},
            {"adadelta", {{"learning_rate", {1}}, {"rho", {0.9}}, {"epsilon", {1e-6}}, {"weight_decay", {0}}}},
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

    TEST_CASE("learning_rate() is the option; state arrays are named, start at zero and have the arena's size") {
        ParameterStore store(1);
        fill(store);
        const std::map<std::string, std::vector<std::string>> names = {
            {"sgd", {}}, {"adam", {"m", "v"}}, {"adamw", {"m", "v"}}, {"adadelta", {"square_average", "accumulated_delta"}}};
        for (const std::string& name : optimizer_table().names()) {
            CAPTURE(name);
            const auto optimizer = make(name, {{"learning_rate", "0.25"}}, store);
            CHECK(optimizer->learning_rate() == 0.25);
            CHECK(optimizer->state_names() == names.at(name));
            for (std::size_t i = 0; i < names.at(name).size(); ++i)
                CHECK(std::count(optimizer->state(i), optimizer->state(i) + store.size(), real{0}) == store.size());
            CHECK_THROWS_AS(optimizer->state(names.at(name).size()), MachineError);
        }
        CHECK(make("sgd", {{"momentum", "0.5"}}, store)->state_names() == std::vector<std::string>{"momentum"});
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
            for (std::size_t i = 0; i < is.size(); ++i) {
                if (is[i] ? after[i] == before[i] : after[i] != 0)
                    FAIL("element ", i, " of ", is.size(), is[i] ? ": not updated" : ": padding changed");
                for (std::size_t s = 0; s < optimizer->state_names().size(); ++s)
                    if (!is[i] && optimizer->state(s)[i] != 0)
                        FAIL("padding of state ", s, " changed at ", i);
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
                whole->update(a, g.data(), u, 0, a.size());
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
                a->update(plain, g.data(), {step, 0.1, 1}, 0, plain.size());
                b->update(decayed, g.data(), {step, 0.1, 1}, 0, decayed.size());
            }
            for (const Parameter& p : plain.table()) {
                CAPTURE(p.name);
                const real *x = plain.data() + p.offset, *y = decayed.data() + p.offset;
                const bool equal = std::equal(x, x + p.shape.size(), y);
                CHECK(equal == (p.shape.rank() < 2 || p.shape.size() == 0));
            }
        }
    }

    TEST_CASE("decay is coupled in sgd, adam and adadelta, and shrinks by rate times decay in adamw") {
        const auto after_one_step = [](const std::string& name) {
            ParameterStore store(1);
            store.add("w", {1, 1}, Init::constant(2));
            const std::vector<real> g(static_cast<std::size_t>(store.size()), real{0});
            make(name, {{"weight_decay", "0.25"}}, store)->update(store, g.data(), {0, 0.125, 1}, 0, store.size());
            return static_cast<double>(store.data()[0]);
        };
        CHECK(after_one_step("sgd") == doctest::Approx(2 - 0.125 * 0.25 * 2).epsilon(1e-6));
        CHECK(after_one_step("adamw") == doctest::Approx(2 * (1 - 0.125 * 0.25)).epsilon(1e-6));
        CHECK(after_one_step("adam") == doctest::Approx(2 - 0.125).epsilon(1e-6));  // the first step is the gradient's sign
        const double g = 0.25 * 2;
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
                for (std::size_t s = 0; s < optimizer->state_names().size(); ++s) {
                    const real* state = optimizer->state(s) + p.offset;
                    const bool zero = std::count(state, state + p.shape.size(), real{0}) == p.shape.size();
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
            make(name, options, a)->update(a, g.data(), {0, 0.1, 0.25}, 0, a.size());
            for (real& x : g) x *= real{0.25};
            make(name, options, b)->update(b, g.data(), {0, 0.1, 1}, 0, b.size());
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
            for (int64_t step = 0; step < 3; ++step) optimizer->update(store, g.data(), {step, 0.1, 1}, 0, store.size());
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
        CHECK(built("adam", {{"betas", "0.9"}}) == "optimizer adam: betas must be two numbers: given 1, needed 2");
        CHECK(built("adamw", {{"betas", "0.9 1"}}) == "optimizer adamw: betas out of range: value 1, allowed 0 to 0.9999999");
        CHECK(built("adam", {{"betas", "-0.5 0.9"}}) ==
              "optimizer adam: betas out of range: value -0.5, allowed 0 to 0.9999999");
        CHECK(built("adam", {{"epsilon", "0"}}) == "optimizer adam: epsilon must be above 0: epsilon 0, least 1e-30");
        CHECK(built("adadelta", {{"rho", "1"}}) == "optimizer adadelta: rho out of range: rho 1, allowed 0 to 0.9999999");
        CHECK(built("adadelta", {{"epsilon", "0"}}) == "optimizer adadelta: epsilon must be above 0: epsilon 0, least 1e-30");
        CHECK(built("adagrad", {}).find("optimizer: unknown name 'adagrad'") == 0);

        const auto optimizer = make("adam", {}, store);
        const auto g = random_gradient(store, 1);
        const int64_t n = store.size();
        const auto updated = [&](int64_t step, int64_t begin, int64_t end) {
            return message([&] { optimizer->update(store, g.data(), {step, 0.1, 1}, begin, end); });
        };
        CHECK(updated(0, 5, n + 1) ==
              fmt::format("optimizer: range outside of the arena: range 5 to {}, elements {}", n + 1, n));
        CHECK(updated(0, 6, 5) == fmt::format("optimizer: range outside of the arena: range 6 to 5, elements {}", n));
        CHECK(updated(-1, 0, n) == "optimizer: steps are counted from 0: step -1, least 0");
        store.add("late", {3}, Init::zeros());
        CHECK(updated(0, 0, n) ==
              fmt::format("optimizer: the arena has changed since the optimizer was made: elements {}, made for {}",
                          store.size(), n));
    }
}

TEST_SUITE("clipping") {
    TEST_CASE("gradient_norm is the Euclidean norm, the same bits for any number of threads") {
        Stream stream(3, "norm");
        for (int64_t size : {0, 1, 130, 16383, 16384, 16385, 100003}) {
            CAPTURE(size);
            std::vector<real> g(static_cast<std::size_t>(size));
            long double sum = 0;
            for (real& x : g) {
                x = stream.normal();
                sum += static_cast<long double>(x) * static_cast<long double>(x);
            }
            Workers one(1);
            const double norm = gradient_norm(g.data(), size, one);
            CHECK(norm == doctest::Approx(static_cast<double>(std::sqrt(sum))).epsilon(1e-13));
            for (int threads : {2, 3, 4}) {
                Workers many(threads);
                CHECK(gradient_norm(g.data(), size, many) == norm);
            }
        }
    }

    TEST_CASE("gradient_norm of large and small values neither overflows nor loses anything") {
        Workers one(1);
        const std::vector<real> large(3, real{1e30f}), small(3, real{1e-30f});
        CHECK(gradient_norm(large.data(), 3, one) == doctest::Approx(std::sqrt(3.0) * static_cast<double>(1e30f)));
        CHECK(gradient_norm(small.data(), 3, one) == doctest::Approx(std::sqrt(3.0) * static_cast<double>(1e-30f)));
        const std::vector<real> bad = {1, std::numeric_limits<real>::quiet_NaN()};
        CHECK(std::isnan(gradient_norm(bad.data(), 2, one)));
    }

    TEST_CASE("clip_factor") {
        CHECK(clip_factor(10, 0) == 1);
        CHECK(clip_factor(0, 1) == 1);
        CHECK(clip_factor(0.5, 1) == 1);
        CHECK(clip_factor(4, 1) == doctest::Approx(1 / (4 + 1e-6)).epsilon(1e-15));
        CHECK(clip_factor(1, 1) < 1);  // 1e-6, as PyTorch
        CHECK(clip_factor(std::numeric_limits<double>::infinity(), 1) == 0);
        CHECK(std::isnan(clip_factor(std::numeric_limits<double>::quiet_NaN(), 1)));
        CHECK(message([] { clip_factor(1, -2); }) ==
              "clip_factor: the limit must be finite and not negative: limit -2, least 0");
    }
}
