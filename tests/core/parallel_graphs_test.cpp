#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "core/base/parallel.h"
#include "core/engine.h"
#include "core/ops.h"
#include "core/parameters.h"

namespace parallel_graphs_test {

using namespace attend;

TEST_SUITE("parallel graphs") {
    TEST_CASE("two threads build and differentiate two graphs over shared parameters at the same time") {
        ParameterStore store(5);
        const Tensor w = store.add("w", {6, 6}, Init::normal(0.5)), b = store.add("b", {6}, Init::normal(0.5));
        const auto run = [&](int shard, Gradients& g) {
            g.reset();
            Tensor h = watch(Tensor::full({4, 6}, static_cast<real>(shard) * real{0.1}));
            for (int t = 0; t < 8; ++t) h = tanh(linear(h, w, b) + w.row(t % 6));
            backward(sum(h * h), g);
            g.finish();
            return std::vector<real>(g.data(), g.data() + g.size());
        };
        std::vector<std::vector<real>> alone, together(2);
        for (int shard : {0, 1}) {
            Gradients g(store);
            alone.push_back(run(shard, g));
        }
        Workers workers(2);
        std::vector<Gradients> sinks;
        for (int shard : {0, 1}) {
            (void)shard;
            sinks.emplace_back(store);
        }
        for (int round = 0; round < 20; ++round) {
            workers.run(2, [&](int shard) {
                together[static_cast<std::size_t>(shard)] = run(shard, sinks[static_cast<std::size_t>(shard)]);
            });
            CHECK(together == alone);
        }
        CHECK(alone[0] != alone[1]);
    }

    TEST_CASE("a graph may be continued, walked and destroyed on another thread") {
        const Tensor x = watch(Tensor::of({2}, {1, 2}));
        Tensor y = x;
        for (int i = 0; i < 10; ++i) y = scale(y, 2);
        std::vector<real> gradient;
        std::thread([&] {
            const Tensor z = sum(square(y));
            Gradients g;
            backward(z, g);
            gradient = g.of(x).values();
            y = {};
        }).join();
        CHECK(gradient == std::vector<real>{2 * 1024 * 1024, 4 * 1024 * 1024});
    }
}

}  // namespace parallel_graphs_test
