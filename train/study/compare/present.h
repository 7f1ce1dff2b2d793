#pragma once
/// The runs of a comparison that are in its folder already: unfinished ones, finished ones, and
/// ones with fewer steps than asked for.
#include <chrono>
#include <functional>

#include "train/records/observer.h"
#include "train/records/resume.h"
#include "train/study/compare/prepare.h"

namespace attend::compare {

/// One run as it is found.
struct Found {
    Ending ending = Ending::missing;
    bool shorter = false;  ///< begun with fewer steps than are asked for: it has to be extended
};

/// Looks at the runs in their order and changes nothing. Throws Error
///  - for a run that is not the one asked for: a changed option, other data or weights (init.from),
///    fewer steps than it was
///  begun with,
///  - for files of a run without its config,
///  - where runs were begun with fewer steps than are asked for: without `extend`; with it for one
///    that has not finished, and as resumed() where the schedule depends on the number of steps,
///  - where some runs are, or would be, extended and others have all steps at once, or extended in
///    another way.
std::vector<Found> look(const Comparison& comparison, const Prepared& prepared, const std::filesystem::path& root,
                        Extend extend);

/// What the runs of a variant are made of: files of the data and of init.from, which may have
/// changed since. Reads them.
struct Sealed {
    std::string data, weights;
};
/// Of each variant.
std::vector<Sealed> sealed(const Prepared& prepared);
/// Looks at one run, which nobody trains meanwhile. Throws Error as look(), and for one that would
/// have to be extended.
Found look_at_one(const Prepared& prepared, std::size_t run, const Sealed& files, const std::filesystem::path& root);

/// Waits until no process trains in the folder of a run or has claimed it (claims.h): those of a
/// comparison that was killed save before they end. Where it has to wait it opens the comparison's log and says so. False when
/// `stop` said so before. Throws Error naming those that still train after `patience`.
bool wait_until_free(const Comparison& comparison, const Prepared& prepared, const std::filesystem::path& root,
                     std::chrono::milliseconds patience, Observer& log, const std::function<int()>& stop);

}  // namespace attend::compare
