#pragma once
/// attend lab: the gradient estimates of an experiment's hard attention, by every estimator that
/// fits, on one of its batches.
#include <optional>
#include <string>
#include <vector>

#include "nn/estimators/aim.h"
#include "train/records/record_writer.h"

namespace attend::lab {

struct Setup {
    int64_t rows = 0;     ///< of the first training batch; 0: all
    int64_t draws = 256;  ///< estimates of each estimator
    int64_t samples = 4;  ///< K, of estimators that have the option
    int64_t adapt = 200;  ///< steps in which an estimator's own network learns before it is measured, the model's weights fixed
    int threads = 1;      ///< results do not depend on it
    std::vector<std::string> estimators = {};  ///< rows to compare, as --set gives them; none: all that there are
};

/// An estimate with its interval of 95 %; of an estimator that draws nothing the interval is a point.
struct Interval {
    double value = 0, low = 0, high = 0;
};

/// When a variance has heavy tails: by the tail index from which on means of draws are not reliable
/// in practice (Vehtari, Simpson, Gelman, Yao and Gabry 2024, 3.2.4), or where one draw carries a
/// quarter of it, however few they are (of a variable with a variance the largest one's share goes
/// to 0; Embrechts, Klueppelberg and Mikosch 1997, 6.2.6).
inline constexpr double heavy_tail = 0.7, heavy_draw = 0.25;
/// Fewest draws for a tail index: of fewer it says little.
inline constexpr int64_t draws_for_tail = 100;

/// What is measured of one part of the parameters, in units of the same part of g, the gradient of
/// the estimator's own objective. Parts are blocks, and all of them together. A block is
///   - the parameters of one attention, named by its module ("decoder.0.cross"; of several layers
///     "decoder.*.cross"), whether it chooses or not;
///   - the others whose names begin with the same word ("decoder").
struct Block {
    std::string name;
    double gradient = 0;  ///< |g|, absolute
    /// Whether |g| is known not to be 0. If not, nothing is divided by it, and bias, variance and
    /// cosine are 0 and have no meaning.
    bool scaled = true;
    /// |mean - g| / |g|. The square is estimated without the part that noise adds, so the interval
    /// of an unbiased estimator reaches down to 0.
    Interval bias;
    Interval variance;  ///< of an estimate, summed over the part's elements, in units of |g|^2
    double cosine = 0;  ///< of an estimate with g, the mean over draws
    double share = 0;   ///< of the variance of all parts
    /// The tail index k of |estimate - g|^2 (tail.h); none of fewer than draws_for_tail draws.
    std::optional<double> tail = {};
    double largest = 0;  ///< share of the largest draw in the sum of |estimate - g|^2; 0 where nothing is drawn
    /// Whether rare draws carry the variance, so that it and its interval may be too small.
    bool heavy() const { return (tail && *tail >= heavy_tail) || largest >= heavy_draw; }
};

/// One estimator at one checkpoint. An estimate is the gradient of one step on the batch, without
/// dropout and label smoothing.
struct Row {
    std::string estimator;                                     ///< row of estimator_table()
    std::vector<std::pair<std::string, std::string>> options;  ///< that are not the default, values as JSON
    std::string label;                                         ///< "reinforce leave_one_out x4"
    Aim aim = Aim::expected;
    bool unbiased = true;     ///< as it declares
    bool configured = false;  ///< the experiment's own
    std::string skipped;      ///< why it was not measured; else ""
    int64_t draws = 0;
    Block all;  ///< of all parameters
    std::vector<Block> blocks;
    double seconds = 0;        ///< an estimate's forward and backward on one thread, the median
    double seconds_error = 0;  ///< standard error of its logarithm
    /// ln of the variance of all parameters (not divided by |g|^2) without each group of draws in
    /// turn: estimators are compared by the same draws (rank.h).
    std::vector<double> log_variance_without = {};
    /// Whether rare draws carry the variance of all parameters or of a block.
    bool heavy() const;
    /// Variance an estimate times seconds: what the same accuracy costs when estimates are
    /// averaged.
    double variance_times_cost() const { return all.variance.value * seconds; }
};

/// All estimators at one checkpoint.
struct Measured {
    int64_t step = 0;
    std::vector<Row> rows;
};

struct Report {
    std::string name;  ///< the experiment's
    int64_t rows = 0, targets = 0, draws = 0;
    bool exact = false;     ///< whether g is exact; else the mean of many draws, whose error the intervals include
    std::string objective;  ///< aim of the configured estimator
    std::vector<Measured> checkpoints;
    std::string recommendation;
};

/// One set of weights to measure at: a checkpoint's folder, or "" for the initial weights.
struct Place {
    std::string folder;
    int64_t step = 0;
};

/// Tables, a checkpoint each, and the recommendation.
std::string text_of(const Report& report);
/// {"format": 2, "objective": ..., "checkpoints": [{"step": ..., "rows": [...]}], "recommendation":
/// ...}: lab.json.
RecordWriter json_of(const Report& report);

}  // namespace attend::lab
