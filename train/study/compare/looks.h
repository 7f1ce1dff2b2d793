#pragma once
/// Looks at a comparison: who adds seeds until a difference is found finds differences that are not
/// there. So the looks are kept, and later ones have to share what is left of the chance to err.
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/integers.h"

namespace attend::compare {

/// One table with tests.
struct Look {
    std::string metric, split, evaluation;
    std::vector<int64_t> seeds;
    bool operator==(const Look&) const = default;
};

/// 1 for the first look: how many of `earlier` measured the same metric, with one of the seeds of
/// `now` at least, and are not `now` again; and one more. Another split or evaluation is another look.
int64_t number_of(const Look& now, const std::vector<Look>& earlier);
/// `earlier` with `now`, where it is not there yet.
std::vector<Look> with_look(std::vector<Look> earlier, const Look& now);

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
