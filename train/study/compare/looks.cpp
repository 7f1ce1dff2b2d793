#include "train/study/compare/looks.h"

#include <algorithm>
#include <numbers>

#include "core/base/error.h"

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

double level_of_look(int64_t number, double alpha) {
    ensure(number >= 1, "level_of_look: number {}, least {}", number, 1);
    if (number == 1)
        return alpha;
    constexpr double further = 0.2;  // of alpha, for all later looks together
    const auto j = static_cast<double>(number - 1);
    return further * alpha * 6 / (std::numbers::pi * std::numbers::pi) / (j * j);
}

}  // namespace attend::compare
