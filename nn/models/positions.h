#pragma once
/// How positions enter a transformer: rows of positions_table(), and what numbers positions have.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/options.h"
#include "core/ops/rotary.h"
#include "nn/attention/pass.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

/// The options of every row.
struct RandomisedOptions {
    int64_t randomised = 0;
    void fields(Visitor& v);
};

/// Those of rotary positions.
struct RotaryRowOptions : RandomisedOptions {
    std::string scaling = "none";
    double factor = 1;
    int64_t original = 0;
    std::vector<double> ramp = {1, 32};
    void fields(Visitor& v);
};

/// What a row of the table asks for.
struct PositionForm {
    enum class Vectors { none, learned, sinusoidal } vectors = Vectors::none;  ///< added to the embeddings
    std::optional<RotaryOptions> rotary = {};                                  ///< queries and keys are turned
    int64_t randomised = 0;  ///< L: in training positions are distinct numbers drawn from 0 ... L - 1; 0: 0, 1, 2 ...
};

using PositionTable = Table<std::unique_ptr<PositionForm>()>;
const PositionTable& positions_table();

/// What reads the sequences, and so when the length of one is known.
enum class Reads {
    whole,        ///< an encoder: before the first position is read
    step_by_step  ///< a decoder: not before the last one is written
};

struct PositionSetup {
    int64_t length = 0;  ///< of the longest sequence
    int64_t width = 0;   ///< D
    double deviation = 0.02;
    Reads reads = Reads::whole;
};

/// Positions of one stack of blocks: the vectors [length or L, D] that are added to what a model reads, learned (parameter
/// `weight`) or sines and cosines; none where positions are rotary or none; and the numbers of the positions.
///
/// Randomised positions (Ruoss et al. 2023, section 3): in training the n positions of a row have n distinct numbers drawn
/// from 0 ... L - 1 without replacement, in ascending order; every row of a batch draws its own, by its length. In evaluation
/// nothing is drawn: the numbers are spread evenly, position j of n has number floor((j + 1)(L + 1) / (n + 1)) - 1, the
/// expected value of the draw; n is the row's length, or the longest sequence's where a model reads step by step, since it
/// cannot know how long its sequence gets.
class Positions {
  public:
    Positions() = default;
    /// Throws Error where L is less than the longest sequence.
    Positions(const Scope& scope, const Selection& choice, const PositionSetup& setup);

    /// Throws Error where positions are randomised and nothing reads their numbers: `biases_do` says whether biases of the
    /// attention do.
    void require_readers(bool biases_do) const;
    /// The pass, with the numbers of the positions of rows of these lengths [B], `columns` wide.
    Pass numbered(const Pass& pass, std::span<const int32_t> lengths, int64_t columns) const;
    /// The same of the rows that generation continues, which are evaluated.
    Pass numbered_to_continue(const Pass& pass) const;
    /// x [B, T, D], whose first column is at position `first`, with the vectors added.
    Tensor operator()(const Tensor& x, int64_t first, const Pass& pass) const;
    const std::optional<RotaryOptions>& rotary() const { return form_.rotary; }

  private:
    PositionForm form_;
    int64_t longest_ = 0;
    Tensor vectors_;
    std::shared_ptr<const Numbering> spread_;  // of the longest sequence; null: not randomised, or for those that read all
    uint64_t name_ = 0;
    std::string path_;
};

}  // namespace attend::ATTEND_PRECISION
