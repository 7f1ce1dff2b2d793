#pragma once
/// Windows: which positions of the source each query may see. Rows of window_table(), one file each
/// (window_NAME.cpp). Padding is always outside, as the ranges lie within the lengths.
#include <memory>
#include <span>

#include "core/base/options.h"
#include "core/parameters.h"
#include "nn/attention/call.h"

namespace attend::ATTEND_PRECISION {

/// Sizes a window is built for.
struct WindowSetup {
    int64_t query = 0;  ///< Dq
    int64_t width = 0;  ///< A, the width of the alignment space
};

/// What the queries of one call see.
struct View {
    Ranges ranges;                ///< one for each of the B T queries
    Array<uint8_t> visible = {};  ///< [B T, S]: 1 where a query sees a position of its range; empty: all of it
    Tensor centre = {};           ///< [B, T, 1] of windows around a predicted position
};

class Window {
  public:
    virtual ~Window() = default;
    /// Within which columns each query sees what it sees: one range for each of the B `queries`, row
    /// by row, within the lengths [B] of the source. The first query of a row is at `position` of its
    /// sequence. Reads no tensor, so fused kernels can ask it.
    virtual Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t position) const = 0;
    /// The definition, pair by pair: whether a query at `query` of its sequence may see position
    /// `key` of the source. What ranges() and view() give is proved against it.
    virtual bool sees(int64_t query, int64_t key) const = 0;
    /// What the queries of a call see: their ranges, without the positions that sees() leaves out.
    virtual View view(const Call& call) const;
    /// Whether a query sees all positions of its range: then fused kernels can do without view().
    virtual bool contiguous() const { return true; }
    /// Weights [B, T, S] as they are read with, for windows that change weights after the alignment
    /// (local_p of Luong 2015, eq. 10, does not renormalise); then the weights of a row need not
    /// sum to 1.
    virtual Tensor reweigh(const Tensor& weights, const Call& /*call*/, const View& /*view*/) const { return weights; }
    /// Whether reweigh() changes weights.
    virtual bool after_align() const { return false; }
    /// Whether what a query sees depends on its position, which must be one of the source's own
    /// sequence (self-attention).
    virtual bool needs_position() const { return false; }
    /// Whether no query sees a position after its own.
    virtual bool is_causal() const { return false; }
};

using WindowTable = Table<std::unique_ptr<Window>(const Scope&, const WindowSetup&)>;
const WindowTable& window_table();

}  // namespace attend::ATTEND_PRECISION
