#include "train/plan/plan.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "train/cli/cli.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
struct Arguments {
    ConfigArguments config;
    int threads = 1;
    bool json = false;
};
}  // namespace

Action declare_plan(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    add_config(app, a->config);
    add_threads(app, a->threads);
    app.add_flag("--json", a->json, "one JSON object");
    return [a](Streams& streams) {
        const plan::Plan made = plan::make_plan(read_experiment(a->config.config, a->config.assignments()), a->threads);
        streams.out << (a->json ? plan::json_of(made).dump(2) + "\n" : plan::text_of(made));
        return 0;
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
