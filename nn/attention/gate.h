#pragma once
/// A gate on what the heads of a layer read, before the layer `out`.
#include <string>

#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

/// sigmoid(x W) * c (Qiu et al. 2025, section 2.2, the gate after the values are read): x [..., D] is the layer's input on the
/// queries' side, c [..., H K] what its heads read. W = `weight`: "elementwise" [D, H K], a number for each element; "headwise"
/// [D, H], one for each head.
class OutputGate {
  public:
    OutputGate(const Scope& scope, const std::string& kind, int64_t input, int64_t heads, int64_t head_size,
               const WeightInit& init);
    Tensor operator()(const Tensor& x, const Tensor& read) const;

  private:
    Linear gate_;
    int64_t columns_;  // that one number of the gate is for
};

}  // namespace attend::ATTEND_PRECISION
