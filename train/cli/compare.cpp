#include "train/study/compare/compare.h"
#include "train/study/compare/table_text.h"

#include <csignal>
#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/config/utf8.h"
#include "train/learn/signals.h"
#include "train/show/report/compare_page.h"
#include "train/show/terminal_observer.h"

namespace attend::cli {

namespace {

struct CompareArguments {
    std::string config, out;
    std::vector<std::string> set;
    std::optional<int64_t> seeds;
    int threads = 1;
    bool extend = false, overwrite = false, json = false;
};

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
    add_threads(app, a->threads, "runs side by side, a thread each (threads left over go to the runs)");
    const Option extend =
        app.add_flag("--extend", a->extend,
                     "continue finished runs of fewer steps than are asked for; it is recorded. A schedule that depends on the "
                     "number of steps needs one for the steps that are added: --set schedule=...");
    app.add_flag("--overwrite", a->overwrite, "train all runs again; without it finished runs are kept and the others continue")
        .excludes(extend);
    app.add_flag("--json", a->json, "print what goes into DIR/compare.json in place of the table");
    app.footer(
        "The same command again shows the table; more seeds or variants train what is missing.\n"
        "Exit code: 0 when all runs finished; 3 when one diverged, 1 when one failed (the others are compared).");
    return [a](Streams& streams) {
        compare::CompareRequest request;
        request.comparison = compare::read_comparison(a->config, a->set, a->seeds.value_or(0));
        request.folder = a->out.empty() ? "runs/" + request.comparison.name : a->out;
        request.threads = a->threads;
        request.existing = a->overwrite ? Existing::overwrite : Existing::resume;
        request.extend = extend_of(a->extend, a->set);
        TerminalObserver observer;
        request.observer = &observer;
        request.compared = [&](const compare::Compared& done) {
            compare::write_page(request.folder, request.comparison.name, done);
        };
        const StopSignals signals;
        request.stop = [] { return StopSignals::received(); };
        const compare::Compared result = compare::run_comparison(request);
        if (result.stopped)
            return 128 + (StopSignals::received() != 0 ? StopSignals::received() : SIGINT);
        streams.out << (a->json ? result.json.text(1, Broken::replaced) + "\n"
                                : utf8::shown(compare::text_of(
                                      result.table, request.comparison.name,
                                      compare::changes_text(RecordReader("compare.json", result.json.json())))));
        int code = 0;
        for (const compare::Row& row : result.table.rows) code = row.failed > 0 ? 1 : row.diverged > 0 && code == 0 ? 3 : code;
        return code;
    };
}

}  // namespace attend::cli
