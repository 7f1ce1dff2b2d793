#include "nn/attention/matrix.h"

#include <algorithm>

#include "nn/attention/attention.h"

namespace attend::ATTEND_PRECISION {

namespace {

constexpr QueryKind kinds[] = {{.parallel = false},
                               {.parallel = true},
                               {.parallel = true, .aligned_positions = true},
                               {.parallel = true, .aligned_positions = true, .causal = true}};
constexpr std::size_t own_past = 3;

struct Factor {
    const Seam& seam;
    Selection AttentionOptions::*member;
};

std::vector<Factor> factors() {
    return {{score_table(), &AttentionOptions::score},
            {bias_table(), &AttentionOptions::bias},
            {window_table(), &AttentionOptions::window},
            {align_table(), &AttentionOptions::align},
            {select_table(), &AttentionOptions::select}};
}

// Why an attention with these factors cannot be built at a place; empty: it can.
std::string why_not(const AttentionOptions& o, std::size_t place) {
    ParameterStore store(1);
    try {
        const Attention attention(Scope(store, ""), o, 4, 4, kinds[place]);
    } catch (const Error& e) {
        const std::string text = e.what();
        return text.starts_with(": ") ? text.substr(2) : text;
    }
    return {};
}

// The plainest factors that can stand at a place.
AttentionOptions plain(std::size_t place) {
    AttentionOptions o;
    if (place == own_past)
        o.window.choose("causal");
    return o;
}

}  // namespace

GoesTogether attention_matrix() {
    GoesTogether all;
    const std::vector<Factor> each = factors();
    for (const Factor& f : each)
        for (const std::string& row : f.seam.names()) {
            FactorPlaces found{f.seam.kind(), row, {}};
            for (std::size_t place = 0; place < std::size(kinds); ++place) {
                AttentionOptions o = plain(place);
                (o.*f.member).choose(row);
                found.why.push_back(why_not(o, place));
                // What is defined for earlier positions alone stands in an encoder whose window shows no others.
                if (!found.why.back().empty() && f.member != &AttentionOptions::window) {
                    o.window.choose("causal");
                    if (why_not(o, place).empty())
                        found.why.back().clear();
                }
            }
            all.places.push_back(std::move(found));
        }
    for (std::size_t a = 0; a < each.size(); ++a)
        for (std::size_t b = a + 1; b < each.size(); ++b)
            for (const std::string& one : each[a].seam.names())
                for (const std::string& other : each[b].seam.names()) {
                    std::string why;
                    bool together = false, apart = false;
                    for (std::size_t place = 0; place < std::size(kinds) && !together; ++place) {
                        AttentionOptions with_one = plain(place), with_other = plain(place), with_both = plain(place);
                        (with_one.*each[a].member).choose(one);
                        (with_other.*each[b].member).choose(other);
                        (with_both.*each[a].member).choose(one);
                        (with_both.*each[b].member).choose(other);
                        const std::string now = why_not(with_both, place);
                        together = now.empty();
                        if (!together && why_not(with_one, place).empty() && why_not(with_other, place).empty()) {
                            apart = true;
                            why = now;
                        }
                    }
                    if (!together && apart)
                        all.apart.push_back({std::string(each[a].seam.kind()) + " " + one,
                                             std::string(each[b].seam.kind()) + " " + other, why});
                }
    return all;
}

}  // namespace attend::ATTEND_PRECISION
