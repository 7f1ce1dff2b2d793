#pragma once
/// How heavy the upper tail of a distribution is.
#include <vector>

namespace attend::lab {

/// The shape k of a generalised Pareto distribution fitted to the largest of `x` (none below 0):
/// moments of order m are finite for m < 1/k, so that from k = 1/2 on the variance of x is
/// infinite, and an interval of its mean that goes by the spread of x is too narrow. The fit is
/// that of Zhang and Stephens 2009; the number of the largest, min(n / 5, 3 sqrt(n)), and the use
/// as a warning are from Vehtari, Simpson, Gelman, Yao and Gabry 2024, section 3. Below 0 the tail
/// is bounded. 0 of fewer than 25 values, or where the largest do not differ.
double tail_index(std::vector<double> x);

}  // namespace attend::lab
