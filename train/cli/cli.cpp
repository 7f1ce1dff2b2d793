#include "train/cli/cli.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <new>
#include <ostream>
#include <type_traits>

#include "core/base/file_errors.h"
#include "train/cli/output.h"
#include "train/config/utf8.h"
#include "train/experiment/experiment.h"
#include "train/records/build_info.h"

namespace attend::cli {

namespace {
constexpr int most_threads = 1024;

int report(std::ostream& error, const std::string& text, int code) {
    error << "attend: " << utf8::shown(text) << std::endl;
    return code;
}

// The first word too many where it is what --set takes: a second value after one --set. Else "".
std::string value_behind_set(const CLI::App& app, const CLI::ParseError& wrong) {
    if (dynamic_cast<const CLI::ExtrasError*>(&wrong) == nullptr)
        return "";
    for (const CLI::App* sub : app.get_subcommands()) {
        const CLI::Option* set = sub->get_option_no_throw("--set");
        const std::vector<std::string> stray = sub->remaining();
        if (set != nullptr && set->count() > 0 && !stray.empty() && !stray.front().starts_with('-') &&
            stray.front().find('=') != std::string::npos)
            return stray.front();
    }
    return "";
}

// Decimal digits alone: "inf" is no number here, and 010 is 8 to some and 10 to others.
bool well_formed(std::string_view digits, bool whole) {
    digits.remove_prefix(digits.starts_with('-') ? 1 : 0);
    const bool known = digits.find_first_not_of(whole ? "0123456789" : "0123456789.eE+-") == std::string_view::npos;
    return known && (!whole || digits == "0" || !digits.starts_with('0'));
}

template <class T>
CLI::Validator numbers_in(const Bounds<T>& allowed) {
    return CLI::Validator(
        [allowed](std::string& text) {
            constexpr bool whole = std::is_integral_v<T>;
            T value{};
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            const bool good = error == std::errc() && end == text.data() + text.size() && well_formed(text, whole) &&
                              value >= allowed.low && value <= allowed.high;
            return good ? std::string()
                        : fmt::format("not {} from {} to {}: '{}'", whole ? "an integer" : "a number", allowed.low,
                                      allowed.high, text);
        },
        allowed.high == std::numeric_limits<T>::max() ? fmt::format("from {}", allowed.low)
                                                      : fmt::format("{} to {}", allowed.low, allowed.high));
}

template <class T, class Number>
Option add(CLI::App& app, const char* name, T& value, const Bounds<Number>& allowed, const char* help) {
    CLI::Option* option = app.add_option(name, value, help)->check(numbers_in(allowed));
    return Option(std::is_arithmetic_v<T> ? option->capture_default_str() : option);
}
}  // namespace

Option Option::required() const { return option_->required(), *this; }
Option Option::type_name(const char* name) const { return option_->type_name(name), *this; }
Option Option::one_value_each() const { return option_->allow_extra_args(false), *this; }
Option Option::needs(Option other) const { return option_->needs(other.option_), *this; }
Option Option::excludes(Option other) const { return option_->excludes(other.option_), *this; }
Option Option::check(std::vector<std::string> words) const { return option_->check(CLI::IsMember(std::move(words))), *this; }
bool Option::given() const { return option_->count() > 0; }

template <class T>
Option CommandLine::add_option(const char* name, T& value, const char* help) const {
    return Option(app_->add_option(name, value, help));
}
template Option CommandLine::add_option(const char*, std::string&, const char*) const;
template Option CommandLine::add_option(const char*, std::optional<std::string>&, const char*) const;
template Option CommandLine::add_option(const char*, std::vector<std::string>&, const char*) const;

template <class T>
Option CommandLine::add_integer(const char* name, T& value, Bounds<int64_t> allowed, const char* help) const {
    return add(*app_, name, value, allowed, help);
}
template Option CommandLine::add_integer(const char*, int&, Bounds<int64_t>, const char*) const;
template Option CommandLine::add_integer(const char*, int64_t&, Bounds<int64_t>, const char*) const;
template Option CommandLine::add_integer(const char*, std::optional<int64_t>&, Bounds<int64_t>, const char*) const;

template <class T>
Option CommandLine::add_number(const char* name, T& value, Bounds<double> allowed, const char* help) const {
    return add(*app_, name, value, allowed, help);
}
template Option CommandLine::add_number(const char*, double&, Bounds<double>, const char*) const;
template Option CommandLine::add_number(const char*, std::optional<double>&, Bounds<double>, const char*) const;

Option CommandLine::add_flag(const char* name, bool& value, const char* help) const {
    return Option(app_->add_flag(name, value, help));
}
Option CommandLine::get_option(const char* name) const { return Option(app_->get_option(name)); }
void CommandLine::footer(const char* text) const { app_->footer(text); }

const std::vector<Command>& commands() {
    static const std::vector<Command> table = {
        {"train", "train the experiment of a config", declare_train},
        {"eval", "evaluate a run's best checkpoint", declare_eval},
        {"translate", "translate lines of standard input with a run's best checkpoint", declare_translate,
         "lines come from standard input: echo '{0}' | attend translate RUN, or of a file: attend translate RUN < {0}"},
        {"generate", "continue a text with a run's best checkpoint", declare_generate, "the text to continue is --prompt '{}'"},
        {"export", "write a run's model as a folder that other tools load", declare_export},
        {"average", "make one checkpoint of a run's last ones: the mean of their parameters", declare_average},
        {"metrics", "print what a run measured, step by step, as comma-separated values", declare_metrics},
        {"compare", "train the variants of a comparison with several seeds, and say which differ", declare_compare},
        {"report", "write a page about runs: curves, attention, samples, options", declare_report},
        {"list", "list what can stand in a config: tasks, models, scores, optimizers, ...", declare_list},
        {"plan", "show what training a config, or a comparison, would be: model, options, time and memory", declare_plan},
        {"check", "check a config's gradients against differences, in double precision, or replay a step that diverged",
         declare_check},
        {"prove", "prove properties of a config's or a run's own model: causality, masks, maps, gradients, decoding, ...",
         declare_prove},
        {"lab", "measure bias, variance and cost of the estimators of hard attention, in double precision", declare_lab},
        {"schema", "print the JSON Schema of a config, for editors", declare_schema},
    };
    return table;
}

std::vector<std::string> ConfigArguments::assignments() const {
    std::vector<std::string> all = set;
    if (seed)
        all.push_back("seed=" + std::to_string(*seed));
    return all;
}

void add_config(CommandLine& app, ConfigArguments& arguments, const char* help) {
    app.add_option("CONFIG", arguments.config, help).required();
    app.add_option("--set", arguments.set, "change an option: a.b=value; may be given again")
        .type_name("KEY=VALUE")
        .one_value_each();
    app.add_integer("--seed", arguments.seed, {.low = 0}, "in place of the config's seed");
}

Extend extend_of(bool extend, const std::vector<std::string>& assignments) {
    if (!extend)
        return Extend::no;
    for (const std::string& a : assignments)
        if (a.starts_with("schedule=") || a.starts_with("schedule."))
            return Extend::with_schedule;
    return Extend::yes;
}

void add_threads(CommandLine& app, int& threads, const char* help) {
    threads = static_cast<int>(std::min<int64_t>(machine_cores(), most_threads));
    app.add_integer("--threads", threads, {1, most_threads}, help);
}

void flush(std::ostream& out) {
    errno = 0;
    out.flush();
    if (out)
        return;
    const auto* buffer = dynamic_cast<const OutputBuffer*>(out.rdbuf());
    const int code = buffer != nullptr ? buffer->error() : errno;  // errno is lost where an earlier write failed
    if (code == EPIPE)
        throw BrokenPipe();
    throw MachineError(
        fmt::format("standard output: cannot be written: {}", code != 0 ? std::strerror(code) : "stream failed"));
}

int run(std::vector<std::string> arguments, Streams streams) {
    CLI::App app("Trains attention models on the CPU from a JSON config.", "attend");
    app.set_version_flag("--version", fmt::format("attend {} ({})", program_version(), precision_name));
    app.require_subcommand(1);
    app.footer("attend list shows what can stand in a config, attend list optimizer adam the options of one choice.");
    const std::string first = arguments.empty() ? "" : arguments.front();
    const Command* chosen = nullptr;
    std::vector<std::string> known;
    for (const Command& c : commands()) {
        known.emplace_back(c.name);
        if (first == c.name)
            chosen = &c;
    }
    if (chosen == nullptr && !first.empty() && !first.starts_with('-')) {
        const std::string near = nearest_name(first, known);
        return report(streams.error,
                      fmt::format("no such command: '{}'{}; known: {}; see 'attend --help'", first,
                                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near), fmt::join(known, ", ")),
                      2);
    }
    std::vector<std::pair<CLI::App*, Action>> actions;
    for (const Command& c : commands()) {
        CLI::App* sub = app.add_subcommand(c.name, c.help);
        CommandLine line(*sub);
        actions.emplace_back(sub, c.declare(line));
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
            std::string hint;
            if (chosen != nullptr && chosen->stray != nullptr && dynamic_cast<const CLI::ExtrasError*>(&wrong) != nullptr)
                if (const auto stray = app.get_subcommand(chosen->name)->remaining();
                    !stray.empty() && !stray.front().starts_with('-'))
                    hint = fmt::format(fmt::runtime(chosen->stray), stray.front());
            if (const std::string word = value_behind_set(app, wrong); !word.empty())
                hint = fmt::format("each change needs its own --set: --set '{}'", word);
            return report(streams.error,
                          fmt::format("{}{}; see 'attend {}--help'", wrong.what(), hint.empty() ? "" : "; " + hint,
                                      chosen == nullptr ? "" : std::string(chosen->name) + " "),
                          2);
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
    } catch (const std::filesystem::filesystem_error& e) {
        return report(streams.error, message_of(e), user_can_mend(e.code().value()) ? 2 : 1);
    } catch (const std::exception& e) {
        return report(streams.error, e.what(), 1);
    }
}

}  // namespace attend::cli
