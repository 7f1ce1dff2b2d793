#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/config/utf8.h"
#include "train/config/words.h"
#include "train/experiment/experiment.h"
#include "train/learn/replay.h"
#include "train/records/bundle.h"
#include "train/study/in_double.h"

namespace attend::cli {

namespace {

struct CheckArguments {
    ConfigArguments config;
    plan::GradientCheckSetup setup;
    bool in_double = false;
    bool json = false;
};

// `given`: options that only a config has use for.
int check_bundle(const std::filesystem::path& path, const CheckArguments& a, const std::vector<std::string>& given,
                 Streams& streams) {
    require(given.empty(),
            "check {}: a bundle is replayed as it was recorded: options given {}, options allowed --threads, "
            "--double, --json",
            a.config.config, joined(given));
    const BundleFile file(path);
    const bool in_double = a.in_double || file.bundle().precision == "f64";
    const Replayed replayed = in_double ? f64::replay_bundle(path, a.setup.threads) : replay(file, a.setup.threads);
    streams.out << (a.json ? json_of(replayed).text(2) + "\n" : utf8::shown(text_of(replayed)));
    return replayed.verdict == Replayed::Verdict::reproduced ? 0 : 1;
}

}  // namespace

Action declare_check(CommandLine& app) {
    auto a = std::make_shared<CheckArguments>();
    add_config(app, a->config,
               "a JSON file; or the bundle of a run that diverged (or the run's folder), whose step is taken again");
    app.add_integer("--rows", a->setup.rows, {1, int64_t{1} << 20}, "rows of the first training batch to use");
    app.add_integer("--elements", a->setup.elements, {1, int64_t{1} << 40}, "elements of each parameter to check");
    app.add_number("--tolerance", a->setup.tolerance, {1e-12, 1}, "largest relative error");
    app.add_flag("--double", a->in_double, "replay a bundle in double precision, as a config is always checked");
    add_threads(app, a->setup.threads);
    app.add_flag("--json", a->json, "one JSON object");
    app.footer("Exit code: 0 when the gradients agree, or the step fails again in the same module and op; 1 when not.");
    return [a, app](Streams& streams) -> int {
        if (const std::filesystem::path bundle = bundle_at(a->config.config); !bundle.empty()) {
            std::vector<std::string> given = {"--set", "--seed", "--rows", "--elements", "--tolerance"};
            std::erase_if(given, [&](const std::string& option) { return !app.get_option(option.c_str()).given(); });
            return check_bundle(bundle, *a, given, streams);
        }
        const Experiment experiment = read_experiment(a->config.config, a->config.assignments());
        const plan::GradientReport report =
            f64::check_gradients(tree_of(experiment, a->config.config), a->config.config, a->setup);
        streams.out << (a->json ? plan::json_of(report).text(2) + "\n" : utf8::shown(plan::text_of(report)));
        return report.passed ? 0 : 1;
    };
}

}  // namespace attend::cli
