#pragma once
/// Corpus chrF2 (Popovic 2015, 2016), equal to sacreBLEU's default (Post 2018; signature
/// nrefs:any|case:mixed|eff:yes|nc:6|nw:0|space:no).
#include <array>
#include <span>
#include <string_view>

#include "core/base/integers.h"

namespace attend {

/// What corpus chrF needs of all the lines. Index n - 1 stands for n-grams of n characters, n = 1
/// ... 6. Characters are code points, a byte that is not part of one being a character of its own;
/// white space is removed.
struct ChrfCounts {
    static constexpr std::size_t orders = 6;
    std::array<int64_t, orders> hypothesis{};  ///< n-grams of the hypotheses, of lines whose reference has any
    std::array<int64_t, orders> reference{};
    std::array<int64_t, orders> matches{};  ///< n-grams that both have, each as often as the rarer side

    /// Calls f for every one of these counts.
    template <class F>
    void for_each(F f) {
        for (auto* counts : {&hypothesis, &reference, &matches})
            for (int64_t& count : *counts) f(count);
    }
    /// Of several references the one with the highest score for this line counts; of equal ones the
    /// first. Throws MachineError when there is none.
    void add(std::string_view hypothesis_line, std::span<const std::string_view> references);
    /// 100 (1 + b^2) P R / (b^2 P + R) with b = 2; P and R are the means of matches / hypothesis
    /// and matches / reference over the orders where both sides have n-grams. 0 when nothing
    /// matches or there is no such order.
    double score() const;
};

}  // namespace attend
