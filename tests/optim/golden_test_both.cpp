// Trajectories of PyTorch's optimisers, ten steps from given gradients, and its clipping
// (tests/golden/trajectories.py).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "optim/optimizer.h"
#include "tests/golden/golden.h"
#include "tests/optim/options_by_name.h"

namespace golden_test_both {

using namespace attend;

namespace {
// The files hold float32: that is the limit in double, and float adds its own rounding
// over the steps.
constexpr double tolerance = sizeof(real) == 4 ? 2e-6 : 2e-7;

std::vector<std::string> trajectories() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(golden::folder()))
        if (entry.path().filename().string().starts_with("optimizer_") && entry.path().extension() == ".safetensors")
            names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::map<std::string, std::string> options(const SafetensorsFile& file) {
    std::map<std::string, std::string> found;
    for (const auto& [key, value] : file.metadata())
        if (key.starts_with("option."))
            found[key.substr(7)] = value;
    return found;
}
}  // namespace

TEST_SUITE("golden: optimizers") {
    TEST_CASE("trajectories are PyTorch's") {
        const auto names = trajectories();
        REQUIRE(names.size() == 28);
        std::map<std::string, int> cases;
        for (const std::string& name : names) {
            CAPTURE(name);
            const SafetensorsFile file = golden::open(name);
            const std::string type = golden::text(file, "optimizer");
            ++cases[type];
            ParameterStore store(1);
            for (const char* p : {"matrix", "vector"}) {
                const Tensor start = file.read(std::string("start.") + p);
                store.add(p, start.shape(), Init::zeros());
                std::copy_n(start.data(), start.size(), store.values(store.table().back()));
            }
            const auto optimizer = optimizer_table().build(oracles::select(optimizer_table(), type, options(file)), store);
            Workers workers(2);
            const int64_t steps = file.info("value.matrix").shape[0];
            REQUIRE(steps == 10);
            for (int64_t step = 0; step < steps; ++step) {
                std::vector<real> gradient(static_cast<std::size_t>(store.size()));
                for (const Parameter& p : store.table()) {
                    const Tensor g = file.read("gradient." + p.name).row(step);
                    std::copy_n(g.data(), g.size(), gradient.begin() + p.offset);
                }
                update(*optimizer, store, gradient.data(), {step, optimizer->learning_rate(), 1}, workers);
                for (const Parameter& p : store.table()) {
                    const Tensor expected = file.read("value." + p.name).row(step);
                    REQUIRE(expected.size() == p.shape.size());
                    double worst = 0;
                    for (int64_t i = 0; i < expected.size(); ++i) {
                        const double e = static_cast<double>(expected.data()[i]), x = static_cast<double>(store.values(p)[i]);
                        const double error = std::abs(x - e) / std::max(1.0, std::abs(e));
                        worst = std::isfinite(error) ? std::max(worst, error) : INFINITY;
                    }
                    CAPTURE(p.name);
                    CAPTURE(step);
                    CHECK(worst < tolerance);
                }
            }
        }
        for (const std::string& type : optimizer_table().names()) CHECK(cases[type] >= 2);
    }

    TEST_CASE("golden: schedules are PyTorch's") {
        int cases = 0;
        for (const auto& entry : std::filesystem::directory_iterator(golden::folder())) {
            const std::string name = entry.path().stem().string();
            if (!name.starts_with("schedule_"))
                continue;
            ++cases;
            CAPTURE(name);
            const SafetensorsFile file = golden::open(name);
            const Tensor rates = file.read("rate");
            const std::string type = golden::text(file, "schedule");
            const auto schedule = schedule_table().build(oracles::select(schedule_table(), type, options(file)),
                                                         std::stod(golden::text(file, "peak")), rates.size());
            const std::vector<real> metrics = file.has("metric") ? file.read("metric").values() : std::vector<real>{};
            for (int64_t i = 0; i < rates.size(); ++i) {
                CAPTURE(i);
                if (!metrics.empty())
                    schedule->evaluated(static_cast<double>(metrics[static_cast<std::size_t>(i)]));
                CHECK(schedule->rate(i) == doctest::Approx(static_cast<double>(rates.data()[i])).epsilon(1e-7).scale(0));
            }
        }
        CHECK(cases == 8);
    }

    TEST_CASE("clipping by norm is PyTorch's") {
        const SafetensorsFile file = golden::open("clip_norm");
        std::vector<real> gradient;
        std::vector<Tensor> parts;
        for (int i = 0; i < 3; ++i) {
            parts.push_back(file.read(fmt::format("gradient.{}", i)));
            const auto v = parts.back().values();
            gradient.insert(gradient.end(), v.begin(), v.end());
        }
        Workers workers(2);
        const double norm = gradient_norm(gradient.data(), static_cast<int64_t>(gradient.size()), workers);
        CHECK(norm == doctest::Approx(static_cast<double>(file.read("norm").item())).epsilon(1e-7));
        const Tensor limits = file.read("limit");
        REQUIRE(limits.size() == 4);
        int clipped = 0;
        for (int64_t k = 0; k < limits.size(); ++k) {
            const double factor = clip_factor(norm, static_cast<double>(limits.data()[k]));
            clipped += factor < 1;
            for (int i = 0; i < 3; ++i) {
                const Tensor expected = file.read(fmt::format("clipped.{}", i)).row(k);
                for (int64_t j = 0; j < expected.size(); ++j)
                    CHECK(factor * static_cast<double>(parts[static_cast<std::size_t>(i)].data()[j]) ==
                          doctest::Approx(static_cast<double>(expected.data()[j])).epsilon(1e-6));
            }
        }
        CHECK(clipped == 2);
    }
}

}  // namespace golden_test_both
