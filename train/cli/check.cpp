#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/cli/double_build.h"
#include "train/plan/gradient_check.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {

struct Arguments {
    ConfigArguments config;
    plan::GradientCheckSetup setup;
    bool json = false;

    // The same command line again, for the double build.
    std::vector<std::string> words() const {
        std::vector<std::string> all = {"check"};
        for (const std::string& assignment : config.assignments()) all.push_back("--set=" + assignment);
        all.push_back("--rows=" + std::to_string(setup.rows));
        all.push_back("--elements=" + std::to_string(setup.elements));
        all.push_back(fmt::format("--tolerance={}", setup.tolerance));
        all.push_back("--threads=" + std::to_string(setup.threads));
        if (json)
            all.emplace_back("--json");
        all.emplace_back("--");
        all.push_back(config.config);
        return all;
    }
};

}  // namespace

Action declare_check(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    add_config(app, a->config);
    app.add_option("--rows", a->setup.rows, "rows of the first training batch to use")
        ->check(CLI::Range(int64_t{1}, int64_t{1} << 20))
        ->capture_default_str();
    app.add_option("--elements", a->setup.elements, "elements of each parameter to check")
        ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
        ->capture_default_str();
    app.add_option("--tolerance", a->setup.tolerance, "largest relative error")
        ->check(CLI::Range(1e-12, 1.0))
        ->capture_default_str();
    add_threads(app, a->setup.threads);
    app.add_flag("--json", a->json, "one JSON object");
    return [a](Streams& streams) -> int {
        const Experiment experiment = read_experiment(a->config.config, a->config.assignments());
        if constexpr (sizeof(real) == sizeof(float)) {
            flush(streams.out);
            become_double_build(a->words());
        } else {
            const plan::GradientReport report = plan::check_gradients(experiment, a->setup);
            streams.out << (a->json ? plan::json_of(report).dump(2) + "\n" : plan::text_of(report));
            return report.passed ? 0 : 1;
        }
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
