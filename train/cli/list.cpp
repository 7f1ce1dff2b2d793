#include <algorithm>
#include <memory>
#include <ostream>

#include "nn/attention/matrix.h"
#include "train/cli/cli.h"
#include "train/config/words.h"
#include "train/evaluate/text_table.h"
#include "train/show/schema/listing.h"

namespace attend::cli {

namespace {

struct ListArguments {
    std::string what;
    std::vector<std::string> rows;
    bool json = false, markdown = false, matrix = false;
};

const Seam* seam_of(const std::string& kind) {
    for (const Seam* seam : schema::seams_by_kind())
        if (kind == seam->kind())
            return seam;
    return nullptr;
}

[[noreturn]] void fail_unknown(const std::string& what) {
    std::vector<std::string> kinds;
    for (const Seam* seam : schema::seams_by_kind()) kinds.emplace_back(seam->kind());
    const std::string near = nearest_name(what, kinds);
    fail("list: no such seam: '{}', known {}, and the keys of a config, as train{}", what, joined(kinds),
         near.empty() ? "" : "; did you mean '" + near + "'?");
}

std::string known_options(const std::string& path, const std::string& what) {
    std::string options = schema::option_text(path);
    if (options.empty())
        fail_unknown(what);
    return options;
}

std::string listed_json(const ListArguments& a) {
    require(a.rows.empty(), "list: --json lists whole seams: seam '{}', row '{}'; leave out the row", a.what, joined(a.rows));
    nlohmann::ordered_json all;
    for (const Seam* seam : schema::seams_by_kind())
        if (a.what.empty() || a.what == seam->kind())
            all[seam->kind()] = schema::seam_json(*seam);
    if (all.empty())
        fail_unknown(a.what);
    return all.dump(2) + "\n";
}

// What goes with what: a line a factor with the places where it can stand; the reasons where it cannot, numbered; and the
// pairs that exclude each other.
std::string matrix_text() {
    const GoesTogether all = attention_matrix();
    std::vector<std::vector<std::string>> lines = {{"factor", "row"}};
    for (const char* place : attention_places) lines.front().emplace_back(place);
    std::vector<std::string> reasons;
    for (const FactorPlaces& f : all.places) {
        lines.push_back({f.factor, f.row});
        for (const std::string& why : f.why) {
            if (why.empty()) {
                lines.back().emplace_back("yes");
                continue;
            }
            auto found = std::ranges::find(reasons, why);
            if (found == reasons.end())
                found = reasons.insert(found, why);
            lines.back().push_back(fmt::format("no ({})", found - reasons.begin() + 1));
        }
    }
    std::string text = text_table(lines) + "\n";
    for (std::size_t i = 0; i < reasons.size(); ++i) text += fmt::format("({}) {}\n", i + 1, reasons[i]);
    if (!all.apart.empty())
        text += "\nNever together:\n";
    for (const FactorPair& p : all.apart) text += fmt::format("{} and {}: {}\n", p.one, p.other, p.why);
    return text;
}

std::string listed(ListArguments a) {
    if (a.matrix) {
        require(a.what == "attention" && a.rows.empty(),
                "list: --matrix shows what goes with what in attention: seam '{}', row '{}'; attend list attention --matrix",
                a.what, joined(a.rows));
        return matrix_text();
    }
    if (a.markdown)
        return schema::options_page();
    if (a.json)
        return listed_json(a);
    if (a.what.empty()) {
        std::string all;
        for (const Seam* seam : schema::seams_by_kind()) all += schema::seam_text(*seam);
        return all;
    }
    // optimizer.adam is as good as optimizer adam
    const std::size_t dot = a.what.find('.');
    if (a.rows.empty() && dot != std::string::npos && seam_of(a.what.substr(0, dot)) != nullptr) {
        a.rows = {a.what.substr(dot + 1)};
        a.what.resize(dot);
    }
    const Seam* seam = seam_of(a.what);
    if (a.rows.empty())
        return seam != nullptr ? schema::seam_text(*seam) : known_options(a.what, a.what);
    std::string text;
    for (const std::string& row : a.rows)
        text += seam != nullptr ? schema::row_text(*seam, row) : known_options(a.what + "." + row, a.what);
    return text;
}

}  // namespace

Action declare_list(CommandLine& app) {
    auto a = std::make_shared<ListArguments>();
    app.add_option("SEAM", a->what, "task, model, score, ..., or a key of a config, as train (default: all seams)");
    app.add_option("ROW", a->rows,
                   "the options of this row, with ranges and defaults: attend list optimizer adam; several rows may be named");
    const Option json = app.add_flag("--json", a->json, "as JSON, with the options of every row");
    app.add_flag("--markdown", a->markdown, "all options as a page of Markdown").excludes(json);
    app.add_flag("--matrix", a->matrix, "of attention: which factors can stand where, and which exclude each other")
        .excludes(json);
    return [a](Streams& streams) {
        streams.out << listed(*a);
        return 0;
    };
}

}  // namespace attend::cli
