#pragma once
/// Time until a metric reaches a threshold that was fixed beforehand, in steps, targets or seconds.
/// A run that breaks off without reaching it has not reached it, so a variant that fails more often
/// never looks faster for it.
#include <optional>
#include <span>
#include <vector>

#include "train/study/compare/curves.h"
#include "train/study/compare/rates.h"

namespace attend::compare {

/// What is known of a run that has not reached the threshold.
enum class Unreached {
    until_end,  ///< not until `end`: its training was over, or it was stopped, or is under way (censored)
    never,      ///< it diverged or failed, or ended earlier than planned: not until any horizon
};

/// What is known of the time until the threshold in one run.
struct Waiting {
    std::optional<double> reached;  ///< the first evaluation that shows it
    double end = 0;                 ///< of what was observed
    Unreached otherwise = Unreached::until_end;
};

/// The first place whose value is at least as good as `threshold`.
std::optional<double> first_reaching(const Curve& curve, double threshold, Better better);

/// The share of runs that have reached the threshold, from `time` to the next step.
struct ReachedStep {
    double time = 0;
    double share = 0;
    Limits limits;        ///< of the share at this one time
    int64_t at_risk = 0;  ///< runs known to be without it just before `time`
};

/// 1 - Kaplan and Meier's estimate (1958): with d_i runs that reach the threshold at time t_i, and
/// Y_i that have not before and are observed until then,
///   share reached by t = 1 - product over t_i <= t of (1 - d_i / Y_i).
/// The first step is at 0; then one at each time up to `horizon` at which a run reaches the
/// threshold. Where every run is known until `horizon` this is the plain share of runs, and the
/// limits are exact_rate()'s; otherwise they are those of Fay, Brittain and Proschan (2013), which
/// hold for few runs where Greenwood's formula does not. At least one run.
std::vector<ReachedStep> share_reached(std::span<const Waiting> runs, double horizon, double confidence);

/// The mean of the time until the threshold, in which no more than `horizon` is counted: the
/// restricted mean (Irwin 1949; Royston and Parmar 2013).
struct RestrictedMean {
    double mean = 0;  ///< of min(time, horizon): the area above the curve of share_reached()
    Limits limits;    ///< bounded_mean()'s on [0, horizon]
    int64_t reached = 0, runs = 0;
    Limits share;  ///< limits of the share reached by `horizon`, as share_reached() has them
};
RestrictedMean restricted_mean(std::span<const Waiting> runs, double horizon, double confidence);

/// A variant against the reference, seed by seed.
struct TimeContrast {
    double difference = 0;  ///< of the restricted means, variant minus reference: below 0 the variant is faster
    /// bounded_mean()'s limits of the differences, on [-horizon, horizon]. They count on failures that
    /// a few seeds do not show: with five seeds or fewer they hold 0 always, and with ten nearly always.
    Limits limits;
    /// Seeds with which the variant reaches the threshold before the reference, and the other way
    /// round. One that never reaches it is later than one that does. Equal ones and those not known count
    /// for neither.
    int64_t earlier = 0, later = 0;
    /// exact_rate()'s limits of earlier / (earlier + later); 0 and 1 where both are 0. Above 1/2: the
    /// variant is first with most seeds, whatever happens with the others.
    Limits share_earlier{0, 1};
};
/// `variant` and `reference` have the same seeds in the same order.
TimeContrast contrast_of_times(std::span<const Waiting> variant, std::span<const Waiting> reference, double horizon,
                               double confidence);

}  // namespace attend::compare
