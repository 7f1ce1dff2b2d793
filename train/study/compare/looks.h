#pragma once
/// Looks at a comparison: who adds seeds until a difference is found finds differences that are not
/// there. So the looks are kept, and later ones have to share what is left of the chance to err.
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/integers.h"

namespace attend::compare {

/// What a look found: `variant` against `reference`.
struct Finding {
    std::string variant, reference;
    std::string what;  ///< "better when it trains", "trains more often", "better mean"
    bool operator==(const Finding&) const = default;
};

/// One table with tests.
struct Look {
    std::string metric, split, evaluation;
    std::vector<int64_t> seeds;
    std::vector<Finding> found = {};
    /// Whether both are of the same values, whatever was found.
    bool same_as(const Look& other) const;
};

/// 1 for the first look: how many of `earlier` measured the same metric, with one of the seeds of
/// `now` at least, and are not `now` again; and one more. Another split or evaluation is another look.
int64_t number_of(const Look& now, const std::vector<Look>& earlier);
/// `earlier` with `now`, in the place of what is the same as it.
std::vector<Look> with_look(std::vector<Look> earlier, const Look& now);

/// A finding that `now`, the newest look, does not have any more.
struct Withdrawn {
    int64_t look = 0;  ///< number of the last look that had it
    Finding finding;
};
/// What looks before `now` at the same metric, split and evaluation found, and `now` does not; each finding once.
std::vector<Withdrawn> withdrawn(const Look& now, const std::vector<Look>& earlier);

/// Those that a compare.json names; none where there is no such file. One of a program that did
/// not keep them counts as one. Throws Error for a file that is broken.
std::vector<Look> looks_in(const std::filesystem::path& path);

/// The level at which the tests of a look are made: alpha at the first, so that a comparison of which
/// all seeds are there at once loses nothing; at look j > 1
///   alpha / 5 * (6 / pi^2) / (j - 1)^2,  whose sum over all j > 1 is alpha / 5.
/// So however often one looks, and whatever the reason to look again, the chance of a false finding
/// is at most 1.2 alpha (Bonferroni over looks).
double level_of_look(int64_t number, double alpha);

}  // namespace attend::compare
