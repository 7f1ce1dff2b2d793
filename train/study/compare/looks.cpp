#include "train/study/compare/looks.h"

#include <algorithm>
#include <numbers>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "train/records/record_reader.h"

namespace attend::compare {

int64_t number_of(const Look& now, const std::vector<Look>& earlier) {
    int64_t number = 1;
    for (const Look& look : earlier) {
        if (look == now)
            return number;
        const auto is_in_now = [&](int64_t seed) { return std::ranges::count(now.seeds, seed) > 0; };
        number += look.metric == now.metric && std::ranges::any_of(look.seeds, is_in_now) ? 1 : 0;
    }
    return number;
}

std::vector<Look> with_look(std::vector<Look> earlier, const Look& now) {
    if (std::ranges::count(earlier, now) == 0)
        earlier.push_back(now);
    return earlier;
}

std::vector<Look> looks_in(const std::filesystem::path& path) {
    std::vector<Look> looks;
    if (!is_there(path))
        return looks;
    constexpr std::size_t largest = std::size_t{1} << 30;
    const std::string text = read_file(path, largest);
    const auto look_of = [](const RecordReader& r) -> Look {
        return {r.text("metric"), r.text("split"), r.text("evaluation"), r.integers("seeds")};
    };
    try {
        const auto record = RecordReader::of_text(path.string(), text);
        if (!record.has("looks"))
            return {look_of(record)};
        for (const RecordReader& look : record.objects("looks")) looks.push_back(look_of(look));
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
