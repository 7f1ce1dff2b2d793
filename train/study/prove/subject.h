#pragma once
/// A model under proof, with a few short rows of its own data, and passes over them.
#include <string>
#include <vector>

#include "nn/attention/witness.h"
#include "train/experiment/assemble.h"
#include "train/experiment/objective.h"
#include "train/study/rows.h"

namespace attend::prove {

/// What is proved. Tests replace parts of it by faulty ones.
struct Subject {
    Experiment experiment;    ///< resolved
    std::string path;         ///< of its config, in messages
    ModelSetup vocabularies;  ///< what the model was built for
    ModelInStore made;        ///< the model, and its weights
    bool trained = false;     ///< whether these are a run's; else initial ones, pushed away from special values
    std::unique_ptr<Objective> objective;
    Batch batch;  ///< rows of different lengths, all padded
    int threads = 1;
    double seconds = 10;  ///< for the one property that takes as long as it is given (gradients)

    /// Whether a pass is so long that there is time for few rows and trials alone.
    bool large() const { return made.store->count() > 20'000'000; }
    const Model& model() const { return *made.model; }
    uint64_t seed() const { return static_cast<uint64_t>(experiment.seed); }
};

/// The size of the rows that are tried.
struct Sizes {
    int64_t rows = 0;     ///< 0: four, of a large model two
    int64_t columns = 0;  ///< 0: so many that a pass costs about as much for every model, 16 to 256
};

/// Rows of one of the experiment's first training batches (short_rows()).
Subject subject_of(Experiment resolved, const Task& task, ModelInStore made, const Sizes& sizes = {});
/// Adds uniform noise of deviation 0.5 / sqrt(rows) to every matrix, and of 0.1 to every other
/// parameter: initial weights are so small or so special that many faults would not show.
void push_weights(ParameterStore& store, uint64_t seed);

/// A pass over the rows: the losses, what the attention of the model read, and the maps it shows.
struct Passed {
    Tensor losses;  ///< [B, T] nats
    Tensor labels;  ///< [B] nats; undefined where there are none
    std::vector<Reading> readings;
    Sightings seen;  ///< of a pass that keeps maps
};
/// Records nothing. The readings are of `pass.mode`; those of estimators are not told.
Passed run(const Subject& subject, const Batch& batch, const Pass& pass);
/// Evaluation without maps, as `attend eval` and training's losses compute; with them, as reports
/// do; and training with its dropout.
Pass evaluating(const Subject& subject);
Pass looking(const Subject& subject);
Pass training(const Subject& subject);

/// What keeps the readings of a pass.
class Recorder final : public Witness {
  public:
    void saw(Reading reading) override { readings.push_back(std::move(reading)); }
    std::vector<Reading> readings;
};

/// Lengths of the queries' sequences of a reading's rows.
const Array<int32_t>& query_lengths(const Reading& reading, const Sides& sides);
/// The largest difference of two readings' contexts at queries within the lengths and before
/// `before`; infinity where their shapes do not fit.
double difference(const Reading& a, const Reading& b, const Array<int32_t>& lengths, int64_t before);
/// The largest in absolute value, at least 1e-30; infinity where one is NaN.
double largest(const Tensor& x);
/// The first module whose contexts differ by more than `limit` times their size; "" where none
/// does. Queries of a decoder are compared before `before` alone.
std::string first_apart(const Passed& a, const Passed& b, const Sides& sides, double limit, int64_t before);
/// A module's name in a finding: `path`, or what is meant where no attention is to blame.
std::string blamed(const std::string& path, const char* otherwise);

/// How much of rounding this precision shows: `single` in float, far less in double.
constexpr double rounding(double single) { return sizeof(real) == 4 ? single : single * 1e-8; }

}  // namespace attend::prove
