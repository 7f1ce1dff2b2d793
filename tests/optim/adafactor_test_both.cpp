// Adafactor against its paper written out in double (Shazeer and Stern 2018), at sizes of several
// tiles, and over axes beyond two; the golden trajectories hold one small matrix and one vector.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/base/random.h"
#include "optim/optimizer.h"
#include "tests/optim/options_by_name.h"

namespace adafactor_test_both {

using namespace attend;

namespace {

// One parameter of matrices [n, m] that share a step size; sums where the implementation keeps
// means.
struct Oracle {
    int64_t matrices, n, m;
    std::vector<double> x, rows, columns;

    void step(const std::vector<double>& g, int64_t t, double rate) {
        const double kept = 1 - std::pow(static_cast<double>(t), -0.8);
        std::vector<double> u(g.size());
        double update_squares = 0, value_squares = 0;
        for (int64_t k = 0; k < matrices; ++k) {
            const auto index = [&](int64_t i, int64_t j) { return static_cast<std::size_t>((k * n + i) * m + j); };
            const auto row = [&](int64_t i) -> double& { return rows[static_cast<std::size_t>(k * n + i)]; };
            const auto column = [&](int64_t j) -> double& { return columns[static_cast<std::size_t>(k * m + j)]; };
            for (int64_t i = 0; i < n; ++i) {
                double sum = 0;
                for (int64_t j = 0; j < m; ++j) sum += g[index(i, j)] * g[index(i, j)] + 1e-30;
                row(i) = kept * row(i) + (1 - kept) * sum;
            }
            for (int64_t j = 0; j < m; ++j) {
                double sum = 0;
                for (int64_t i = 0; i < n; ++i) sum += g[index(i, j)] * g[index(i, j)] + 1e-30;
                column(j) = kept * column(j) + (1 - kept) * sum;
            }
            double all = 0;
            for (int64_t i = 0; i < n; ++i) all += row(i);
            for (int64_t i = 0; i < n; ++i)
                for (int64_t j = 0; j < m; ++j) u[index(i, j)] = g[index(i, j)] / std::sqrt(row(i) * column(j) / all);
        }
        for (double v : u) update_squares += v * v;
        for (double v : x) value_squares += v * v;
        const double size = static_cast<double>(x.size());
        const double clip = std::max(1.0, std::sqrt(update_squares / size));
        const double step_size =
            std::min(rate, 1 / std::sqrt(static_cast<double>(t))) * std::max(1e-3, std::sqrt(value_squares / size));
        for (std::size_t i = 0; i < x.size(); ++i) x[i] -= step_size * u[i] / clip;
    }
};

}  // namespace

TEST_SUITE("adafactor") {
    TEST_CASE("adafactor: matrices of several tiles, matrices of one row or column, vectors, three and four axes") {
        const std::vector<Shape> shapes = {{150, 2100}, {1, 37}, {1300, 1}, {3000}, {}, {3, 70, 33}, {2, 2, 5, 7}, {0, 4}};
        ParameterStore store(1);
        std::vector<Oracle> oracles;
        for (std::size_t k = 0; k < shapes.size(); ++k) {
            const Shape& s = shapes[k];
            store.add(fmt::format("p{}", k), s, Init::normal(0.3));
            const int64_t m = s.rank() == 0 ? 1 : s[-1], n = s.rank() < 2 ? 1 : s[-2],
                          matrices = n * m == 0 ? 1 : s.size() / (n * m);
            const real* x = store.values(store.table().back());
            oracles.push_back({matrices,
                               n,
                               m,
                               {x, x + s.size()},
                               std::vector<double>(static_cast<std::size_t>(matrices * n)),
                               std::vector<double>(static_cast<std::size_t>(matrices * m))});
        }
        const auto optimizer = optimizer_table().build(oracles::select(optimizer_table(), "adafactor", {}), store);
        Workers workers(2);
        Stream stream(7, "gradients");
        for (int64_t t = 1; t <= 4; ++t) {
            std::vector<real> g(static_cast<std::size_t>(store.size()), real{0});
            // Rows and columns of very different size, which the factors must bring together.
            for (const Parameter& p : store.table())
                for (int64_t i = 0; i < p.shape.size(); ++i)
                    g[static_cast<std::size_t>(p.offset + i)] = stream.normal() * static_cast<real>(std::pow(10.0, i % 5 - 2));
            const double rate = t == 3 ? 0.9 : 0.02;  // in step 3 it is 1 / sqrt(3)
            update(*optimizer, store, g.data(), {t - 1, rate, 1}, workers);
            for (const Parameter& p : store.table()) {
                if (p.shape.size() == 0)
                    continue;
                CAPTURE(p.shape.text());
                CAPTURE(t);
                Oracle& oracle = oracles[p.index];
                oracle.step({g.begin() + p.offset, g.begin() + p.offset + p.shape.size()}, t, rate);
                double worst = 0;
                for (int64_t i = 0; i < p.shape.size(); ++i)
                    worst = std::max(worst,
                                     std::abs(static_cast<double>(store.values(p)[i]) - oracle.x[static_cast<std::size_t>(i)]));
                CHECK(worst < (sizeof(real) == 4 ? 2e-5 : 1e-12));
            }
        }
    }

    TEST_CASE("adafactor: state is a row and a column of each matrix, and training goes on from it") {
        const auto fill = [](ParameterStore& store) {
            store.add("matrix", {70, 1100}, Init::normal(1));
            store.add("bias", {5}, Init::normal(1));
            store.add("deep", {2, 3, 4}, Init::normal(1));
        };
        ParameterStore store(1), second(1);
        fill(store);
        fill(second);
        const auto make = [](ParameterStore& s) {
            return optimizer_table().build(oracles::select(optimizer_table(), "adafactor", {}), s);
        };
        const auto a = make(store);
        std::vector<std::string> names;
        for (const OptimizerState& s : a->state(store)) names.push_back(s.name + " " + s.shape.text());
        CHECK(names == std::vector<std::string>{"rows.matrix [70]", "columns.matrix [1100]", "squares.bias [5]",
                                                "rows.deep [2, 3]", "columns.deep [2, 4]"});
        Workers workers(1);
        const auto step = [&](Optimizer& o, ParameterStore& s, int64_t number) {
            Stream stream(static_cast<uint64_t>(number), "gradients");
            std::vector<real> g(static_cast<std::size_t>(s.size()));
            for (real& x : g) x = stream.normal();
            update(o, s, g.data(), {number, 0.02, 0.5}, workers);
        };
        for (int64_t i = 0; i < 3; ++i) step(*a, store, i);
        const auto b = make(second);
        std::copy_n(store.data(), store.size(), second.data());
        const auto from = a->state(store), to = b->state(second);
        for (std::size_t i = 0; i < from.size(); ++i) {
            CHECK(*std::max_element(from[i].values, from[i].values + from[i].shape.size()) > 0);
            std::copy_n(from[i].values, from[i].shape.size(), to[i].values);
        }
        for (int64_t i = 3; i < 5; ++i) {
            step(*a, store, i);
            step(*b, second, i);
        }
        CHECK(std::equal(store.data(), store.data() + store.size(), second.data()));
    }

    TEST_CASE("adafactor: gradients too small to square, and rows without any, leave finite weights") {
        ParameterStore store(1);
        store.add("w", {4, 6}, Init::normal(1));
        const auto optimizer = optimizer_table().build(oracles::select(optimizer_table(), "adafactor", {}), store);
        std::vector<real> g(static_cast<std::size_t>(store.size()), real{0});
        std::fill_n(g.begin(), 6, real{1e-25f});
        g[7] = real{1e10f};
        Workers workers(1);
        for (int64_t t = 0; t < 3; ++t) update(*optimizer, store, g.data(), {t, 0.1, 1}, workers);
        for (int64_t i = 0; i < 24; ++i) CHECK(std::isfinite(store.data()[i]));
    }
}

}  // namespace adafactor_test_both
