#include "train/study/compare/looks.h"

#include <algorithm>
#include <numbers>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "train/records/record_reader.h"

namespace attend::compare {

namespace {

bool share_seeds(const Look& a, const Look& b) {
    return std::ranges::any_of(a.seeds, [&](int64_t seed) { return std::ranges::count(b.seeds, seed) > 0; });
}

std::vector<Finding> findings_in(const RecordReader& look) {
    std::vector<Finding> all;
    if (!look.has("found"))  // one of an older program
        return all;
    for (const RecordReader& f : look.objects("found")) all.push_back({f.text("variant"), f.text("reference"), f.text("what")});
    return all;
}

}  // namespace

bool Look::same_as(const Look& other) const {
    return metric == other.metric && split == other.split && evaluation == other.evaluation && seeds == other.seeds;
}

int64_t number_of(const Look& now, const std::vector<Look>& earlier) {
    int64_t number = 1;
    for (const Look& look : earlier) {
        if (look.same_as(now))
            return number;
        number += look.metric == now.metric && share_seeds(look, now) ? 1 : 0;
    }
    return number;
}

std::vector<Withdrawn> withdrawn(const Look& now, const std::vector<Look>& earlier) {
    std::vector<Withdrawn> all;
    for (const Look& look : earlier) {
        if (look.same_as(now))  // those after it are no earlier ones
            break;
        if (look.metric != now.metric || look.split != now.split || look.evaluation != now.evaluation ||
            !share_seeds(look, now))
            continue;
        for (const Finding& finding : look.found) {
            std::erase_if(all, [&](const Withdrawn& w) { return w.finding == finding; });
            if (std::ranges::count(now.found, finding) == 0)
                all.push_back({number_of(look, earlier), finding});
        }
    }
    return all;
}

std::vector<Look> with_look(std::vector<Look> earlier, const Look& now) {
    const auto same = std::ranges::find_if(earlier, [&](const Look& look) { return look.same_as(now); });
    if (same == earlier.end())
        earlier.push_back(now);
    else
        *same = now;
    return earlier;
}

std::vector<Look> looks_in(const std::filesystem::path& path) {
    std::vector<Look> looks;
    if (!is_there(path))
        return looks;
    constexpr std::size_t largest = std::size_t{1} << 30;
    const std::string text = read_file(path, largest);
    const auto look_of = [](const RecordReader& r) -> Look {
        return {r.text("metric"), r.text("split"), r.text("evaluation"), r.integers("seeds"), {}};
    };
    try {
        const auto record = RecordReader::of_text(path.string(), text);
        if (!record.has("looks"))
            return {look_of(record)};
        for (const RecordReader& look : record.objects("looks")) {
            looks.push_back(look_of(look));
            looks.back().found = findings_in(look);
        }
    } catch (const Error& e) {
        throw Error(
            fmt::format("{}: the file is damaged: {}; the runs are kept; removing the file forgets how often the "
                        "comparison was looked at",
                        path.string(), e.what()));
    }
    return looks;
}

double level_of_look(int64_t number, double alpha) {
    ensure(number >= 1, "level_of_look: number {}, least {}", number, 1);
    if (number == 1)
        return alpha;
    constexpr double further = 0.2;  // of alpha, for all later looks together
    const auto j = static_cast<double>(number - 1);
    return further * alpha * 6 / (std::numbers::pi * std::numbers::pi) / (j * j);
}

}  // namespace attend::compare
