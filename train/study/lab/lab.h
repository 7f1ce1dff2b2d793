#pragma once
/// attend lab: the gradient estimates of an experiment's hard attention, by every estimator that
/// fits, on one of its batches.
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

/// Results for a part of the parameters: those whose names begin with the same word.
struct Block {
    std::string name;
    double variance = 0;  ///< sum over its elements of the variance of an estimate
    double bias = 0;      ///< as Row::bias, of this block
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
    /// |mean - g| / |g| of its own objective's gradient g, with the interval of 95 % for it; of an
    /// estimator that draws nothing the interval is a point. The square is estimated without the
    /// part that noise adds, so the interval of an unbiased one reaches down to 0.
    double bias = 0, bias_low = 0, bias_high = 0;
    double variance = 0;  ///< of an estimate, summed over the parameters, in units of |g|^2
    double cosine = 0;    ///< of an estimate with g, the mean over draws
    double seconds = 0;   ///< an estimate's forward and backward on one thread, the median
    std::vector<Block> blocks;
    /// Variance an estimate times seconds: what the same accuracy costs when estimates are
    /// averaged.
    double variance_times_cost() const { return variance * seconds; }
};

/// All estimators at one checkpoint.
struct Measured {
    int64_t step = 0;
    std::vector<Row> rows;
};

struct Report {
    std::string name;  ///< the experiment's
    int64_t rows = 0, targets = 0, draws = 0;
    bool exact = false;     ///< whether g is exact; else the mean of many draws, whose error the intervals hold
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
/// {"format": 1, "objective": ..., "checkpoints": [{"step": ..., "rows": [...]}], "recommendation":
/// ...}: lab.json.
RecordWriter json_of(const Report& report);
/// One sentence: which estimator to use, by the last checkpoint.
std::string recommend(const Report& report);

}  // namespace attend::lab
