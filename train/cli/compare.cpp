#include "train/study/compare/conclusion.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/join.h"
#include "train/study/compare/table_text.h"

#include <csignal>
#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/config/utf8.h"
#include "train/config/words.h"
#include "train/learn/signals.h"
#include "train/show/report/compare_page.h"
#include "train/show/terminal_observer.h"

namespace attend::cli {

namespace {

struct CompareArguments {
    std::string config, out;
    std::vector<std::string> set;
    std::optional<int64_t> seeds;
    std::optional<int64_t> task;
    int64_t stale = compare::default_silence.count();
    int threads = 1;
    bool extend = false, overwrite = false, json = false, join = false, list = false, aa = false;
};

// The table, or compare.json.
int show(Streams& streams, const compare::Compared& result, const std::string& name, bool json) {
    streams.out << (json ? compare::json_file(result)
                         : utf8::shown(
                               compare::text_of(result.table, name,
                                                compare::changes_text(RecordReader(compare::table_file, result.json.json())))));
    int code = 0;
    for (const compare::Row& row : result.table.rows) code = row.failed > 0 ? 1 : row.diverged > 0 && code == 0 ? 3 : code;
    return code;
}

std::string json_lines(const std::vector<RecordWriter>& records) {
    std::string text = "[";
    for (const RecordWriter& r : records) text += (text.size() > 1 ? ",\n " : "\n ") + r.text(-1, Broken::replaced);
    return text + "\n]\n";
}

int code_of_stop() { return 128 + (StopSignals::received() != 0 ? StopSignals::received() : SIGINT); }

int join(Streams& streams, const CompareArguments& a, const compare::CompareRequest& request) {
    const compare::Joined joined =
        compare::join_comparison(request, {.task = a.task, .silence = std::chrono::seconds(a.stale)});
    if (joined.compared.stopped)
        return code_of_stop();
    if (joined.open == 0)
        return show(streams, joined.compared, request.comparison.name, a.json);
    streams.error << fmt::format("attend: {} not finished: the table comes with the last of them\n",
                                 counted(joined.open, "run"));
    if (!a.task)
        return 1;
    if (joined.task == compare::Ending::finished)
        return 0;
    streams.error << utf8::shown(
        fmt::format("attend: task {}: {}: {}\n", *a.task,
                    joined.task == compare::Ending::unfinished || joined.task == compare::Ending::missing
                        ? "another process trains this run"
                        : ending_name(joined.task),
                    joined.message));
    return joined.task == compare::Ending::diverged ? 3 : 1;
}

int compare_or_list(Streams& streams, const CompareArguments& a) {
    compare::CompareRequest request;
    std::vector<std::string> set = a.set;
    if (a.aa)
        set.emplace_back("compare.aa=true");
    request.comparison = compare::read_comparison(a.config, set, a.seeds.value_or(0));
    request.folder = a.out.empty() ? "runs/" + request.comparison.name : a.out;
    if (a.list) {
        const std::vector<compare::ListedRun> runs = compare::runs_of(request.comparison, request.folder);
        streams.out << (a.json ? json_lines(compare::json_of(runs)) : utf8::shown(compare::text_of(runs)));
        return 0;
    }
    request.threads = a.threads;
    request.existing = a.overwrite ? Existing::overwrite : Existing::resume;
    request.extend = extend_of(a.extend, set);
    TerminalObserver observer;
    request.observer = &observer;
    request.compared = [&](const compare::Compared& done) {
        compare::write_page(request.folder, request.comparison.name, done);
    };
    const StopSignals signals;
    request.stop = [] { return StopSignals::received(); };
    if (a.join || a.task)
        return join(streams, a, request);
    const compare::Compared result = compare::run_comparison(request);
    return result.stopped ? code_of_stop() : show(streams, result, request.comparison.name, a.json);
}

// What several processes need; gives --stale.
Option add_sharing(CommandLine& app, CompareArguments& arguments, const Option& extend, const Option& overwrite) {
    CompareArguments* a = &arguments;
    const Option join_others =
        app.add_flag("--join", a->join,
                     "share the runs with all processes that join in the same folder, on any machine: each takes runs that "
                     "nobody has, continues those of processes that died, and waits at the end for the others")
            .excludes(extend)
            .excludes(overwrite);
    const Option task =
        app.add_integer("--task", a->task, {1, 1'000'000},
                        "make this run alone, as --join does but waiting for nobody: a number of --list, for job arrays")
            .type_name("I")
            .excludes(extend)
            .excludes(overwrite);
    const Option stale =
        app.add_integer(
               "--stale", a->stale, {5, 86400},
               "with --join or --task: seconds without a sign of life after which a process of another machine is taken "
               "for dead")
            .type_name("SECONDS");
    app.add_flag("--list", a->list, "print the runs with their numbers, a line each, and run nothing")
        .excludes(join_others)
        .excludes(task);
    return stale;
}

}  // namespace

Action declare_compare(CommandLine& app) {
    auto a = std::make_shared<CompareArguments>();
    app.add_option("CONFIG", a->config, "a JSON file with base, variants and seeds").required();
    app.add_integer("--seeds", a->seeds, {1, 1000},
                    "as many seeds: the config's, and the next integers where those are too few")
        .type_name("N");
    app.add_option("--out", a->out, "the comparison's folder, in place of runs/NAME; a run is DIR/VARIANT/seed-N")
        .type_name("DIR");
    app.add_option("--set", a->set,
                   "change an option of the base, so of all variants that do not set it: a.b=value; of the comparison itself: "
                   "compare.a=value; may be given again")
        .type_name("KEY=VALUE")
        .one_value_each();
    add_threads(app, a->threads, "runs side by side, a thread each; threads that would idle go to the last runs");
    const Option extend =
        app.add_flag("--extend", a->extend,
                     "continue finished runs of fewer steps than are asked for; it is recorded. A schedule that depends on the "
                     "number of steps needs one for the steps that are added: --set schedule=...");
    const Option overwrite = app.add_flag("--overwrite", a->overwrite,
                                          "train all runs again; without it finished runs are kept and the others continue")
                                 .excludes(extend);
    app.add_flag("--json", a->json, "print what goes into DIR/compare.json in place of the table; with --list the list");
    app.add_flag("--aa", a->aa,
                 "add the reference once more with its batches in another order, as variant 'aa' (compare.aa=true): a "
                 "difference that is found between the two is a false one");
    const Option stale = add_sharing(app, *a, extend, overwrite);
    app.footer(
        "The same command again shows the table; more seeds or variants train what is missing.\n"
        "Exit code: 0 when all runs finished; 3 when one diverged, 1 when one failed (the others are compared).");
    return [a, stale](Streams& streams) {
        require(a->join || a->task || !stale.given(), "--stale: it needs --join or --task: seconds {}", a->stale);
        return compare_or_list(streams, *a);
    };
}

}  // namespace attend::cli
