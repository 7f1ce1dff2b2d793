#include "train/show/report/report.h"

#include <algorithm>
#include <memory>
#include <ostream>

#include "core/base/output_file.h"
#include "core/base/own_files.h"
#include "train/cli/cli.h"
#include "train/show/report/compare_page.h"
#include "train/show/report/page.h"
#include "train/study/compare/conclusion.h"
#include "train/study/compare/folder.h"

namespace attend::cli {

namespace {
struct ReportArguments {
    std::vector<std::string> runs;
    std::string out;
};

// Makes compare.html again from the runs as they are.
void report_comparison(const std::string& folder, const std::string& out) {
    const compare::Comparison c = compare::read_folder(folder);
    const compare::Compared compared = compare::present_comparison(c, folder);
    if (out.empty())
        compare::write_page(folder, c.name, compared);
    else
        write_output_file(out, compare::comparison_page(c.name, compared));
}
}  // namespace

Action declare_report(CommandLine& app) {
    auto a = std::make_shared<ReportArguments>();
    app.add_option("RUN", a->runs,
                   "runs' folders; several are drawn over each other. Or one comparison's: its page, of the runs as they are")
        .required();
    app.add_option(
           "--out", a->out,
           "the page's file; without it RUN/report.html, or report.html here for several runs; of a comparison compare.html")
        .type_name("FILE");
    return [a](Streams& streams) {
        const std::vector<std::filesystem::path> runs(a->runs.begin(), a->runs.end());
        const auto comparison = std::ranges::find_if(runs, compare::is_comparison_folder);
        if (comparison != runs.end()) {
            require(runs.size() == 1, "report: a comparison's folder is given alone: {}, folders {}", comparison->string(),
                    runs.size());
            report_comparison(a->runs.front(), a->out);
            streams.out << (a->out.empty() ? runs.front() / compare::page_file : std::filesystem::path(a->out)).string()
                        << "\n";
            return 0;
        }
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
