#pragma once
/// How unusual a number is among those before it.
#include <algorithm>
#include <cmath>

#include "core/base/integers.h"

namespace attend {

/// Mean and variance of a sequence, the past forgotten at 1 % a value: with d = min(0.99, n / (n +
/// 1)) after n values
///     mean' = mean + (1 - d) (x - mean),   variance' = d (variance + (1 - d) (x - mean)^2)
/// which over the first hundred values are the plain mean and variance.
struct MovingMoments {
    double mean = 0, variance = 0;
    int64_t count = 0;

    /// (x - mean) / deviation by the values before x, which is then one of them; 0 as long as there
    /// is nothing to compare with.
    double z_score(double x) {
        const double deviation = std::sqrt(variance), difference = x - mean;
        const double z = count >= 2 && deviation > 0 ? difference / deviation : 0;
        const double n = static_cast<double>(count), d = std::min(0.99, n / (n + 1));
        mean += (1 - d) * difference;
        variance = d * (variance + (1 - d) * difference * difference);
        ++count;
        return z;
    }
};

}  // namespace attend
