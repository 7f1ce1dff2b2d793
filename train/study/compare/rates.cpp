#include "train/study/compare/rates.h"

#include <boost/math/distributions/beta.hpp>

#include "core/base/error.h"

namespace attend::compare {

// P(X >= x) of the binomial distribution with n trials is the beta distribution's P(Y <= p) with
// parameters x and n - x + 1 (Johnson, Kotz and Kemp 1992, 3.4), so
//   low  = quantile of Beta(x, n - x + 1) at alpha / 2
//   high = quantile of Beta(x + 1, n - x) at 1 - alpha / 2
Limits exact_rate(int64_t successes, int64_t trials, double confidence) {
    ensure(trials >= 1 && 0 <= successes && successes <= trials, "exact_rate: successes {}, trials {}", successes, trials);
    ensure(0 < confidence && confidence < 1, "exact_rate: confidence {}, above 0 and below 1", confidence);
    using Beta = boost::math::beta_distribution<double>;
    const auto x = static_cast<double>(successes), n = static_cast<double>(trials);
    const double tail = (1 - confidence) / 2;
    return {successes == 0 ? 0 : quantile(Beta(x, n - x + 1), tail),
            successes == trials ? 1 : quantile(complement(Beta(x + 1, n - x), tail))};
}

}  // namespace attend::compare
