#pragma once
/// Windows: which positions of the source each query may see. Rows of window_table(), one file each
/// (window_NAME.cpp). Padding is always outside, as the ranges lie within the lengths.
#include <memory>
#include <span>

#include "core/base/options.h"
#include "nn/attention/call.h"

namespace attend::ATTEND_PRECISION {

class Window {
  public:
    virtual ~Window() = default;
    /// Which columns each query may see: one range for each of the B `queries`, row by row, within
    /// the lengths [B] of the source. The first query of a row is at `position` of its sequence.
    /// Reads no tensor, so fused kernels can ask it.
    virtual Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t position) const = 0;
    /// The definition, pair by pair: whether a query at `query` of its sequence may see position
    /// `key` of the source. What ranges() gives is proved against it.
    virtual bool sees(int64_t query, int64_t key) const = 0;
    /// Weights [B, T, S] as they are read with, for windows that change weights after the alignment
    /// (local_p of Luong 2015, eq. 10, does not renormalise); then the weights of a row need not
    /// sum to 1.
    virtual Tensor reweigh(const Tensor& weights, const Call&) const { return weights; }
    /// Whether reweigh() changes weights.
    virtual bool after_align() const { return false; }
    /// Whether the range of a query depends on its position, which must be one of the source's own
    /// sequence (self-attention).
    virtual bool needs_position() const { return false; }
    /// Whether no query sees a position after its own.
    virtual bool is_causal() const { return false; }
};

using WindowTable = Table<std::unique_ptr<Window>()>;
const WindowTable& window_table();

}  // namespace attend::ATTEND_PRECISION
