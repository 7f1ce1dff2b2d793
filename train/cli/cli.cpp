#include "train/cli/cli.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <ostream>

#include "core/error.h"
#include "train/run/experiment.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
constexpr const char* version = "0.1.0";
constexpr int most_threads = 1024;

int report(std::ostream& error, const std::string& text, int code) {
    error << "attend: " << text << std::endl;
    return code;
}
}  // namespace

const std::vector<Command>& commands() {
    static const std::vector<Command> table = {
        {"train", "train the experiment of a config", declare_train},
        {"eval", "evaluate a run's best checkpoint", declare_eval},
        {"translate", "translate lines of standard input with a run's best checkpoint", declare_translate},
        {"average", "make one checkpoint of a run's last ones: the mean of their parameters", declare_average},
        {"metrics", "print what a run measured, step by step, as comma-separated values", declare_metrics},
        {"list", "list what can stand in a config: tasks, models, scores, optimizers, ...", declare_list},
        {"plan", "show what training a config would be: model, options, time and memory", declare_plan},
        {"check", "check a config's gradients against differences, in double precision, or replay a step that diverged",
         declare_check},
        {"schema", "print the JSON Schema of a config, for editors", declare_schema},
    };
    return table;
}

int default_threads() { return static_cast<int>(std::min<int64_t>(machine_cores(), most_threads)); }

std::vector<std::string> ConfigArguments::assignments() const {
    std::vector<std::string> all = set;
    if (seed >= 0)
        all.push_back("seed=" + std::to_string(seed));
    return all;
}

void add_config(CLI::App& app, ConfigArguments& arguments) {
    app.add_option("CONFIG", arguments.config, "a JSON file")->required();
    app.add_option("--set", arguments.set, "change an option: a.b=value; may be given again")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    app.add_option("--seed", arguments.seed, "in place of the config's seed")->check(CLI::NonNegativeNumber);
}

void add_threads(CLI::App& app, int& threads) {
    threads = default_threads();
    app.add_option("--threads", threads, "threads to use; results do not depend on it")
        ->check(CLI::Range(1, most_threads))
        ->capture_default_str();
}

void flush(std::ostream& out) {
    errno = 0;
    out.flush();
    if (out)
        return;
    if (errno == EPIPE)
        throw BrokenPipe();
    throw MachineError(
        fmt::format("standard output: cannot be written: {}", errno != 0 ? std::strerror(errno) : "stream failed"));
}

int run(std::vector<std::string> arguments, Streams streams) {
    CLI::App app("Trains attention models on the CPU from a JSON config.", "attend");
    app.set_version_flag("--version", fmt::format("attend {} ({})", version, precision_name));
    app.require_subcommand(1);
    app.footer("attend list shows what can stand in a config, attend list optimizer adam the options of one choice.");
    std::vector<std::pair<CLI::App*, Action>> actions;
    for (const Command& c : commands()) {
        CLI::App* sub = app.add_subcommand(c.name, c.help);
        actions.emplace_back(sub, c.declare(*sub));
    }
    try {
        try {
            std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
            app.parse(std::move(arguments));
        } catch (const CLI::Success& asked) {  // --help, --version
            app.exit(asked, streams.out, streams.error);
            flush(streams.out);
            return 0;
        } catch (const CLI::ParseError& wrong) {
            return report(streams.error, fmt::format("{}; see 'attend --help'", wrong.what()), 2);
        }
        for (auto& [sub, action] : actions)
            if (sub->parsed()) {
                const int code = action(streams);
                flush(streams.out);
                return code;
            }
        return report(streams.error, "no command; see 'attend --help'", 2);
    } catch (const BrokenPipe&) {
        return 0;
    } catch (const Error& e) {
        return report(streams.error, e.what(), 2);
    } catch (const Diverged& e) {
        return report(streams.error, e.what(), 3);
    } catch (const std::bad_alloc&) {
        return report(streams.error, "out of memory", 1);
    } catch (const std::exception& e) {
        return report(streams.error, e.what(), 1);
    }
}

}  // namespace attend::inline ATTEND_PRECISION::cli
