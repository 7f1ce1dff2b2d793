#include "train/study/plan/plan.h"

#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/config/utf8.h"
#include "train/study/compare/estimate.h"

namespace attend::cli {

namespace {
struct PlanArguments {
    ConfigArguments config;
    int threads = 1;
    bool json = false;
};
}  // namespace

Action declare_plan(CommandLine& app) {
    auto a = std::make_shared<PlanArguments>();
    add_config(app, a->config);
    add_threads(app, a->threads);
    app.add_flag("--json", a->json, "one JSON object");
    return [a](Streams& streams) {
        if (compare::is_comparison(a->config.config)) {
            require(!a->config.seed, "plan {}: a comparison has seeds of its own: --seed {}", a->config.config,
                    a->config.seed.value_or(0));
            const compare::Estimate f =
                compare::estimate(compare::read_comparison(a->config.config, a->config.set), a->threads);
            streams.out << (a->json ? compare::json_of(f).text(2) + "\n" : utf8::shown(compare::text_of(f)));
            return 0;
        }
        const plan::Plan made = plan::make_plan(read_experiment(a->config.config, a->config.assignments()), a->threads);
        streams.out << (a->json ? plan::json_of(made).text(2) + "\n" : utf8::shown(plan::text_of(made)));
        return 0;
    };
}

}  // namespace attend::cli
