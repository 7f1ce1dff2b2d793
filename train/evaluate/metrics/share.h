#pragma once
/// Metrics that are a quotient of two sums.
#include "train/evaluate/metrics/metric.h"

namespace attend {

/// Statistics {part, whole}; the value is the quotient of their sums. Examples whose whole is 0 do
/// not count.
class Share : public Metric {
  public:
    std::optional<double> score(std::span<const double> sums) const override {
        if (sums[1] == 0)
            return std::nullopt;
        return sums[0] / sums[1];
    }

  protected:
    static Statistics counted(double part, double whole) { return whole == 0 ? Statistics() : Statistics{part, whole}; }
    static Statistics counted(int64_t part, int64_t whole) {
        return counted(static_cast<double>(part), static_cast<double>(whole));
    }
};

}  // namespace attend
