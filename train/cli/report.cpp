#include "train/show/report/report.h"

#include <memory>
#include <ostream>

#include "core/base/output_file.h"
#include "core/base/own_files.h"
#include "train/cli/cli.h"
#include "train/show/report/page.h"

namespace attend::cli {

namespace {
struct Arguments {
    std::vector<std::string> runs;
    std::string out;
};
}  // namespace

Action declare_report(CommandLine& app) {
    auto a = std::make_shared<Arguments>();
    app.add_option("RUN", a->runs, "runs' folders; several are drawn over each other").required();
    app.add_option("--out", a->out, "the page's file; without it RUN/report.html, or report.html here for several runs")
        .type_name("FILE");
    return [a](Streams& streams) {
        const std::vector<std::filesystem::path> runs(a->runs.begin(), a->runs.end());
        const std::filesystem::path to = !a->out.empty()    ? std::filesystem::path(a->out)
                                         : runs.size() == 1 ? RunFolder(runs.front()).report()
                                                            : std::filesystem::path("report.html");
        if (!a->out.empty())
            write_output_file(to, report_page(runs));
        else {
            require(
                kind_of(to) == Kind::missing || is_page(to) || (runs.size() == 1 && RunFolder(runs.front()).not_ours().empty()),
                "{}: there is a file of that name that no report is; move it, or name the page's file with --out", to.string());
            write_report(runs, to);
        }
        streams.out << to.string() << "\n";
        return 0;
    };
}

}  // namespace attend::cli
