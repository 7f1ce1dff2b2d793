#pragma once
/// What an evaluation reports besides loss and perplexity. Metrics are rows of metric_table(), one file each.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/range.h"
#include "train/decode/attention_rows.h"

namespace attend::inline ATTEND_PRECISION {

/// What an evaluation knows of one example. The attention is that of the teacher-forced pass over the reference: row t is where
/// the model looked when it scored target t.
struct EvaluatedExample {
    std::string source, reference;
    std::string decoded;             ///< the model's own output; only where Metric::needs_decoding
    std::vector<int32_t> targets;    ///< [T], eos included, ignored ones left out
    std::vector<int32_t> predicted;  ///< [T] the most likely class given the targets before
    AttentionRows attention;         ///< [T, S]; only where Metric::needs_attention, and where the model attends
    std::vector<Range> gold;         ///< for each target without eos the source positions that determine it; empty: not known
};

/// Which of two values is the better one.
enum class Better { lower, higher };

class Metric {
  public:
    virtual ~Metric() = default;
    /// Counts one example. Called in a fixed order, by one thread at a time.
    virtual void add(const EvaluatedExample& example) = 0;
    /// Over all examples so far; none when no example had anything to count.
    virtual std::optional<double> value() const = 0;
    virtual Better better() const { return Better::higher; }
    virtual bool needs_decoding() const { return false; }
    virtual bool needs_attention() const { return false; }
};

const Table<std::unique_ptr<Metric>()>& metric_table();

}  // namespace attend::inline ATTEND_PRECISION
