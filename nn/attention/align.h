#pragma once
/// Alignments: scores to weights over the range. Rows of align_table(), one file each
/// (align_NAME.cpp).
#include <memory>
#include <optional>

#include "core/base/options.h"
#include "core/tensor.h"
#include "nn/attention/call.h"

namespace attend::ATTEND_PRECISION {

/// Options of alignments that divide the scores first.
struct TemperatureOptions {
    double temperature = 1;
    void fields(Visitor& v) {
        v.number("temperature", temperature, {1e-3, 1e3}, "scores are divided by it: above 1 flatter, below 1 sharper");
    }
};

class Align {
  public:
    virtual ~Align() = default;
    /// Scores [B, T, S] to weights [B, T, S], 0 outside the ranges; a row with an empty range is
    /// all 0.
    virtual Tensor operator()(const Tensor& scores, const Ranges& ranges, const Call& call) const = 0;
    /// Whether the weights of a row sum to 1: hard selection draws from them.
    virtual bool is_distribution() const { return true; }
    /// f where the weights are softmax(f scores): such an alignment can be part of a fused kernel.
    virtual std::optional<real> softmax_factor() const { return {}; }
};

using AlignTable = Table<std::unique_ptr<Align>()>;
const AlignTable& align_table();

}  // namespace attend::ATTEND_PRECISION
