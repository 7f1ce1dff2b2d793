#pragma once
/// Alignments: scores to weights over the range. Rows of align_table(), one file each
/// (align_NAME.cpp).
#include <memory>
#include <optional>

#include "core/base/options.h"
#include "core/parameters.h"
#include "nn/attention/call.h"

namespace attend::ATTEND_PRECISION {

/// Options of alignments that divide the scores first.
struct TemperatureOptions {
    double temperature = 1;
    void fields(Visitor& v) {
        v.number("temperature", temperature, {1e-3, 1e3}, "scores are divided by it: above 1 flatter, below 1 sharper");
    }
};

/// The result of an alignment.
struct Aligned {
    Aligned(Tensor w, Tensor s = {}) : weights(std::move(w)), state(std::move(s)) {}
    Tensor weights;  ///< [B, T, S]
    Tensor state;    ///< for the next step's Previous::align; undefined when there is none
};

class Align {
  public:
    virtual ~Align() = default;
    /// Scores [B, T, S] to weights [B, T, S], 0 outside the ranges; a row with an empty range is
    /// all 0. Where a window has holes, the S columns are only those that the queries see.
    virtual Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call& call) const = 0;
    /// Whether the previous step's weights are read: illegal where queries run in parallel.
    virtual bool needs_previous() const { return false; }
    /// Whether positions of one score all get a weight.
    virtual bool weighs_equals() const { return true; }
    /// Whether the weights of a row sum to 1: hard selection draws from them.
    virtual bool is_distribution() const { return true; }
    /// f where the weights are softmax(f scores): such an alignment can be part of a fused kernel.
    virtual std::optional<real> softmax_factor() const { return {}; }
};

using AlignTable = Table<std::unique_ptr<Align>(const Scope&)>;
const AlignTable& align_table();

}  // namespace attend::ATTEND_PRECISION
