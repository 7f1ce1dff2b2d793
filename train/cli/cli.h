#pragma once
/// The command line. Each command is a row of commands(), one file each.
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "core/base/options.h"
#include "train/records/extend.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace attend::cli {

/// Where a command reads and writes data. Progress and log go to standard error.
struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& error;
    bool interactive = false;  ///< whether a person types `in`: answers come line by line
};

/// One argument, option or flag of a command: a handle. CLI11, which reads the command line, is
/// known to cli.cpp alone, as it takes seconds to compile. Each function gives the handle again.
class Option {
  public:
    explicit Option(CLI::Option* option) : option_(option) {}
    Option required() const;
    /// The word that stands for the value in the help.
    Option type_name(const char* name) const;
    /// An option for a list takes one value each time it is given.
    Option one_value_each() const;
    Option needs(Option other) const;
    Option excludes(Option other) const;
    Option check(std::vector<std::string> words) const;
    /// Whether it was given.
    bool given() const;

  private:
    CLI::Option* option_;
};

/// What a command takes: CLI11's App. A name in capitals is a positional argument. The variables
/// have to outlive the reading.
class CommandLine {
  public:
    explicit CommandLine(CLI::App& app) : app_(&app) {}
    /// Of a text, an optional one, or a list of texts.
    template <class T>
    Option add_option(const char* name, T& value, const char* help) const;
    /// Of a number (int, int64_t, double) or an optional one; the help shows what is allowed, and a
    /// value that is not optional. Decimal digits alone: octal, hexadecimal, leading zeros, "inf"
    /// and "nan" are refused, and so is what does not fit, with "not an integer from LOW to HIGH:
    /// 'TEXT'" ("not a number ...").
    template <class T>
    Option add_integer(const char* name, T& value, Bounds<int64_t> allowed, const char* help) const;
    template <class T>
    Option add_number(const char* name, T& value, Bounds<double> allowed, const char* help) const;
    Option add_flag(const char* name, bool& value, const char* help) const;
    /// One that was added.
    Option get_option(const char* name) const;
    /// Stands below the help.
    void footer(const char* text) const;

  private:
    CLI::App* app_;
};

/// What a command does once the command line was read; gives the exit code.
using Action = std::function<int(Streams&)>;

struct Command {
    const char* name;
    const char* help;
    /// Declares arguments and options on `app`; what the action needs of them it keeps itself.
    Action (*declare)(CommandLine& app);
    /// What to say of a word too many, which stands for {}; null: nothing.
    const char* stray = nullptr;
};
const std::vector<Command>& commands();

Action declare_train(CommandLine& app);
Action declare_eval(CommandLine& app);
Action declare_translate(CommandLine& app);
Action declare_generate(CommandLine& app);
Action declare_export(CommandLine& app);
Action declare_average(CommandLine& app);
Action declare_metrics(CommandLine& app);
Action declare_compare(CommandLine& app);
Action declare_report(CommandLine& app);
Action declare_list(CommandLine& app);
Action declare_plan(CommandLine& app);
Action declare_check(CommandLine& app);
Action declare_prove(CommandLine& app);
Action declare_lab(CommandLine& app);
Action declare_schema(CommandLine& app);

/// Runs one command line (without the program's name) and gives the process's exit code: 0 done; 1
/// our own or the machine's failure; 2 bad usage, config, data or checkpoint; 3 diverged; 130 or
/// 143 stopped by a signal after saving. Messages go to streams.error as "attend: TEXT". A reader
/// of the output that went away ends the command quietly.
int run(std::vector<std::string> arguments, Streams streams);

/// A config and the changes that the command line makes to it.
struct ConfigArguments {
    std::string config;
    std::vector<std::string> set;
    std::optional<int64_t> seed;  ///< in place of the config's

    /// All changes, as `--set` assignments.
    std::vector<std::string> assignments() const;
};
/// Adds `CONFIG`, `--set KEY=VALUE` and `--seed N`.
void add_config(CommandLine& app, ConfigArguments& arguments, const char* help = "a JSON file");

/// What `--extend` asks for with these `--set` assignments: one to `schedule` or below gives the
/// schedule of the steps that are added.
Extend extend_of(bool extend, const std::vector<std::string>& assignments);

/// Adds `--threads N` (default: the machine's cores).
void add_threads(CommandLine& app, int& threads, const char* help = "threads to use; results do not depend on it");

/// Flushes `out`. Throws BrokenPipe when nobody reads it any more and MachineError when it cannot
/// be written (disk full).
void flush(std::ostream& out);
struct BrokenPipe {};

}  // namespace attend::cli
