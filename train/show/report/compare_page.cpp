#include "train/show/report/compare_page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/json_text.h"
#include "train/show/report/page.h"

namespace attend::compare {

namespace {

constexpr std::size_t most_points = 400;  // of a curve: a chart has not many more columns of pixels

template <class T>
std::vector<T> thinned(const std::vector<T>& all) {
    if (all.size() <= most_points)
        return all;
    std::vector<T> some;
    for (std::size_t i = 0; i < most_points; ++i) some.push_back(all[i * (all.size() - 1) / (most_points - 1)]);
    return some;
}

// With 7 digits, which is enough for a chart.
Json short_number(double value) {
    if (!std::isfinite(value))
        return nullptr;
    return parse_json<Json>("number", fmt::format("{:.7g}", value));
}

Json curve_json(const std::vector<Band>& bands) {
    Json c = {{"step", Json::array()}, {"targets", Json::array()}, {"seconds", Json::array()},
              {"mean", Json::array()}, {"low", Json::array()},     {"high", Json::array()}};
    for (const Band& b : thinned(bands)) {
        c["step"].push_back(b.step);
        c["targets"].push_back(short_number(b.targets.mean));
        c["seconds"].push_back(short_number(b.seconds.mean));
        c["mean"].push_back(short_number(b.value.mean));
        const double half = b.value.half_width.value_or(std::nan(""));  // which becomes null
        c["low"].push_back(short_number(b.value.mean - half));
        c["high"].push_back(short_number(b.value.mean + half));
    }
    return c;
}

Json each_json(const RunRecord& run, Split split, const std::string& metric) {
    Json c = {{"seed", run.seed},
              {"step", Json::array()},
              {"targets", Json::array()},
              {"seconds", Json::array()},
              {"value", Json::array()}};
    for (const Point& p : thinned(curve_of(run, split, metric))) {
        c["step"].push_back(p.step);
        c["targets"].push_back(short_number(p.targets));
        c["seconds"].push_back(short_number(p.seconds));
        c["value"].push_back(short_number(p.value));
    }
    return c;
}

}  // namespace

std::vector<Band> bands_of(const VariantRecord& variant, Split split, const std::string& metric, double confidence) {
    const bool any_finished = std::ranges::count(variant.runs, Ending::finished, &RunRecord::ending) > 0;
    std::map<int64_t, std::vector<Point>> at;
    for (const RunRecord& run : variant.runs)
        if (!any_finished || run.ending == Ending::finished)
            for (const Point& p : curve_of(run, split, metric)) at[p.step].push_back(p);
    std::vector<Band> bands;
    for (const auto& [step, points] : at)
        bands.push_back({step, moments_of(points, &Point::targets, confidence), moments_of(points, &Point::seconds, confidence),
                         moments_of(points, &Point::value, confidence)});
    return bands;
}

std::string comparison_page(const std::string& name, const Compared& compared) {
    const Settings& settings = compared.table.settings;
    Json data = compared.json.json();
    data["curve"] = split_name(settings.curve());
    data["curves"] = Json::array();
    for (const Split split : {Split::valid, Split::train})
        for (const std::string& metric : metrics_of(compared.records, split)) {
            if (metric.ends_with("_z"))  // of single steps
                continue;
            Json curve = {{"split", split_name(split)}, {"metric", metric}, {"variants", Json::array()}};
            for (const VariantRecord& v : compared.records) {
                Json lines = curve_json(bands_of(v, split, metric, settings.confidence));
                lines["each"] = Json::array();
                for (const RunRecord& run : v.runs) lines["each"].push_back(each_json(run, split, metric));
                curve["variants"].push_back(std::move(lines));
            }
            data["curves"].push_back(std::move(curve));
        }
    return html_page(name + ": comparison", {"compare.js"}, data);
}

void write_page(const std::filesystem::path& folder, const std::string& name, const Compared& compared) {
    write_file_atomically(folder / "compare.html", comparison_page(name, compared));
}

}  // namespace attend::compare
