#pragma once
/// The command line. Each command is a row of commands(), one file each.
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "core/base/integers.h"
#include "train/records/extend.h"

// Only the files that declare arguments need the whole of it, which takes seconds to compile.
namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

namespace attend::cli {

/// Where a command reads and writes data. Progress and log go to standard error.
struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& error;
    bool interactive = false;  ///< whether a person types `in`: answers come line by line
};

/// What a command does once the command line was read; gives the exit code.
using Action = std::function<int(Streams&)>;

struct Command {
    const char* name;
    const char* help;
    /// Declares arguments and options on `app`; what the action needs of them it keeps itself.
    Action (*declare)(CLI::App& app);
    /// What to say of a word too many, which stands for {}; null: nothing.
    const char* stray = nullptr;
};
const std::vector<Command>& commands();

Action declare_train(CLI::App& app);
Action declare_eval(CLI::App& app);
Action declare_translate(CLI::App& app);
Action declare_generate(CLI::App& app);
Action declare_export(CLI::App& app);
Action declare_average(CLI::App& app);
Action declare_metrics(CLI::App& app);
Action declare_compare(CLI::App& app);
Action declare_report(CLI::App& app);
Action declare_list(CLI::App& app);
Action declare_plan(CLI::App& app);
Action declare_check(CLI::App& app);
Action declare_lab(CLI::App& app);
Action declare_schema(CLI::App& app);

/// Runs one command line (without the program's name) and gives the process's exit code: 0 done; 1 our own or the machine's
/// failure; 2 bad usage, config, data or checkpoint; 3 diverged; 130 or 143 stopped by a signal after saving. Messages go to
/// streams.error as "attend: TEXT". A reader of the output that went away ends the command quietly.
int run(std::vector<std::string> arguments, Streams streams);

/// A config and the changes that the command line makes to it.
struct ConfigArguments {
    std::string config;
    std::vector<std::string> set;
    int64_t seed = -1;  ///< below 0: the config's

    /// All changes, as `--set` assignments.
    std::vector<std::string> assignments() const;
};
/// Adds `CONFIG`, `--set KEY=VALUE` and `--seed N`.
void add_config(CLI::App& app, ConfigArguments& arguments);

/// Adds `--extend`. What extend_of() says of it and the `--set` assignments: one to `schedule` or below gives the schedule of
/// the steps that are added.
CLI::Option* add_extend(CLI::App& app, bool& extend);
Extend extend_of(bool extend, const std::vector<std::string>& assignments);

/// For option.check(): a number from `low` to `high` in decimal digits. Octal, hexadecimal, leading zeros, "inf" and "nan" are
/// refused, and so is what does not fit, with "not an integer from LOW to HIGH: 'TEXT'" ("not a number ...").
CLI::Validator integer_in(int64_t low, int64_t high);
CLI::Validator number_in(double low, double high);

/// Adds `--threads N` (default: the machine's cores).
void add_threads(CLI::App& app, int& threads);
int default_threads();

/// Flushes `out`. Throws BrokenPipe when nobody reads it any more and MachineError when it cannot be written (disk full).
void flush(std::ostream& out);
struct BrokenPipe {};

}  // namespace attend::cli
