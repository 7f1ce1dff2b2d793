#pragma once
/// What an evaluation reports besides loss and perplexity. Metrics are rows of metric_table().
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/options.h"
#include "core/base/range.h"
#include "data/task.h"
#include "train/evaluate/decode/decoded.h"

namespace attend {

/// A text and the symbols that the task's target is made of.
struct Answer {
    std::string text;
    std::vector<std::string> symbols;
};

/// A row's class.
struct ScoredLabel {
    int32_t expected = 0, predicted = 0;
    double loss = 0;  ///< nats
};

/// What an evaluation knows of one example. The attention is that of the teacher-forced pass over
/// the reference: row t is where the model looked when it scored target t.
struct EvaluatedExample {
    int64_t number = 0;              ///< in its split
    std::string source, reference;   ///< the example's own
    Answer decoded;                  ///< the model's own output; only where Metric::needs_decoding
    std::vector<Answer> references;  ///< the right answers (Task::references); none: scored with another example of this source
    double loss = 0;                 ///< nats, the sum over targets
    std::optional<ScoredLabel> label;  ///< where the row has one; `decoded` and `references` are then names of classes
    std::vector<int32_t> targets;      ///< [T], eos included, ignored ones left out
    std::vector<int32_t> predicted;    ///< [T] the most likely class given the targets before
    AttentionRows attention;           ///< [T, S]; only where Metric::needs_attention, and where the model attends
    AttentionRows chosen_from;         ///< the same of hard attention before it chose; no rows where nothing was chosen
    /// Where the positions of a row without a source looked most (most_attended_own); only where Metric::needs_attention.
    std::vector<std::vector<int32_t>> looked_at;
    std::vector<Range> gold;        ///< for each target without eos the source positions that determine it; empty: not known
    std::vector<TargetPart> parts;  ///< Task::target_parts
};

/// Which of two values is the better one.
enum class Better { lower, higher };
inline Better opposite(Better better) { return better == Better::higher ? Better::lower : Better::higher; }

/// What an example adds to a metric: numbers whose sums over examples are all that the metric's
/// value depends on. So a metric of a resampled set of examples (bootstrap.h) is a sum and not a
/// second evaluation.
using Statistics = std::vector<double>;

/// {part, whole}, for metrics that are the quotient of the two sums; nothing where `whole` is 0.
Statistics counted(double part, double whole);
/// part / whole; none where `whole` is 0.
std::optional<double> quotient(std::span<const double> sums);

struct Metric {
    /// The numbers of one example, as many for every example; none when it has nothing to count.
    std::function<Statistics(const EvaluatedExample&)> statistics;
    /// The value that belongs to the sums of such numbers over at least one example; none when
    /// there is nothing to divide by.
    std::function<std::optional<double>(std::span<const double>)> score = quotient;
    Better better = Better::higher;
    double least = 0, most = std::numeric_limits<double>::infinity();  ///< what a value can be
    bool needs_decoding = false, needs_attention = false;
    Statistics sums = {};  ///< of the examples so far

    /// Counts one example. Called in a fixed order, by one thread at a time.
    void add(const EvaluatedExample& example) { add(statistics(example)); }
    /// Counts what statistics() gave. Throws MachineError when the count of numbers is another one
    /// than before.
    void add(const Statistics& of_example);
    /// Over all examples so far; none when no example had anything to count.
    std::optional<double> value() const { return sums.empty() ? std::nullopt : score(sums); }
};

const Table<Metric()>& metric_table();

}  // namespace attend
