#pragma once
/// Learning curves over seeds: one number of each run (the area under its curve), and the mean curve
/// of a variant with a band that holds all of it at once. No run is left out because it broke off.
#include <optional>
#include <span>
#include <vector>

#include "train/evaluate/metrics/metric.h"

namespace attend::compare {

/// What a run counts as after the last value of its curve.
enum class After {
    nothing,  ///< not known: it was stopped, or is under way
    last,     ///< its training ended as planned: it keeps the last value
    worst,    ///< it diverged or failed: the worst value
};

/// The values of a metric in one run.
struct Curve {
    std::vector<double> x;  ///< rising: steps, targets or seconds
    std::vector<double> y;  ///< as many, finite
    After after = After::last;
};

/// What a run that broke off counts as: `bound`, the worst value that the metric can have, where it
/// has one; otherwise the worst that any of these runs had. Give it the runs of all variants, so
/// that all have the same. 0 where there is no value.
double worst_of(std::span<const Curve> curves, Better better, std::optional<double> bound);

/// Where the curves can be compared from: the first place at which all that have values have begun.
/// None where no curve has a value.
std::optional<double> common_start(std::span<const Curve> curves);

/// The area under a curve per length of its axis, which is the mean height of the curve and has the
/// metric's unit:
///   1 / (to - from) * integral over [from, to] of y(x) dx,  y linear between two values (trapezoids).
/// A run of which a comparison knows only where it ended may have been good for all of its time or
/// for a moment; the area tells these apart, and depends on no choice of a step. After its last
/// value a run counts as its `after` says: one that diverged or failed as `worst`, however long it
/// went well before. Before its first value it counts as that value. Where `from` is `to`: y(from).
/// None of a run whose curve is not known up to `to`. Throws MachineError when from > to.
std::optional<double> area_under(const Curve& curve, double from, double to, double worst);

/// The curves of all runs of a variant at common places.
struct Together {
    std::vector<double> x;               ///< all places that a curve has, from the common start on
    std::vector<std::vector<double>> y;  ///< [runs, places]; between two values of a run linear
    bool whole = true;                   ///< false: it ends before `horizon`, at the last place where all runs are known
};

/// All runs, at each place up to `horizon`: those that diverged or failed with the worst value from
/// their end on. It ends where a run is no longer known, so that no mean is one of the runs that
/// happen to be still there. Without places where a run is not known at all; with `horizon` alone
/// where all broke off before their first value.
Together together(std::span<const Curve> curves, double horizon, double worst);

/// A mean curve and limits for it.
struct Band {
    std::vector<double> mean;       ///< over the runs, at each place
    std::vector<double> low, high;  ///< empty with fewer than three runs
    double critical = 0;            ///< half of the band's width in standard errors of the mean at that place
};

/// The mean of runs y [runs, places] (at least one run) and a simultaneous band: the probability
/// that it holds the expected curve at all places is `confidence`, where Student's interval holds
/// it at each single place and so misses it somewhere far more often. For independent runs with
/// normal values (curves.cpp has the formula). The band is cut at `least` and `most`, the range of
/// the metric. Where all runs agree it has no width.
Band simultaneous_band(const std::vector<std::vector<double>>& y, double confidence, std::optional<double> least = {},
                       std::optional<double> most = {});

}  // namespace attend::compare
