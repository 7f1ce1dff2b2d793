#pragma once
/// Corpus BLEU (Papineni et al. 2002), equal to sacreBLEU's default (Post 2018; signature
/// nrefs:any|case:mixed|eff:no|tok:13a| smooth:exp).
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/integers.h"

namespace attend {

/// Tokens of a line as NIST's mteval-v13a cuts them for Western languages: the entities &quot;
/// &amp; &lt; &gt; are resolved; ASCII punctuation but ' - . and , stands alone; . and , stand
/// alone unless between digits; - stands alone after a digit; the rest is cut at Unicode white
/// space.
std::vector<std::string> tokenize_13a(std::string_view line);

/// What corpus BLEU needs of all the lines.
struct BleuCounts {
    std::array<int64_t, 4> matches{};   ///< n-grams of the hypotheses that a reference has too, each at most as often
    std::array<int64_t, 4> possible{};  ///< n-grams of the hypotheses
    int64_t hypothesis_length = 0, reference_length = 0;  ///< tokens

    /// Calls f for every one of these numbers.
    template <class F>
    void for_each(F f) {
        for (auto* counts : {&matches, &possible})
            for (int64_t& count : *counts) f(count);
        f(hypothesis_length);
        f(reference_length);
    }
    /// Of several references the one where an n-gram is most frequent counts for that n-gram, and
    /// the length that is closest to the hypothesis's, of two equally close the shorter. Throws
    /// MachineError when there is none.
    void add(std::string_view hypothesis, std::span<const std::string_view> references);
    /// 100 exp(min(0, 1 - r/h)) (p_1 p_2 p_3 p_4)^(1/4) with p_n = matches_n / possible_n; where
    /// matches_n is 0 for the k-th time, p_n = 1 / (2^k possible_n). 0 when nothing matches or
    /// possible_n is 0 for any n.
    double score() const;
};

}  // namespace attend
