#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// b_k = mean over the other samples j != k of the same example   (Kool, van Hoof and Welling 2019, eq. 8; VIMCO's first part)
class LeaveOneOut final : public Baseline {
  public:
    int64_t least_samples() const override { return 2; }
    BaselineValue operator()(const BaselineInput& in, const Context&) const override {
        const Tensor& g = in.to_go;
        const int64_t rows = g.dim(0), k = g.dim(1), t = g.dim(2);
        Tensor others = Tensor::empty(g.shape());
        for (int64_t b = 0; b < rows; ++b)
            for (int64_t i = 0; i < t; ++i) {
                double total = 0;
                for (int64_t j = 0; j < k; ++j) total += static_cast<double>(g.data()[(b * k + j) * t + i]);
                for (int64_t j = 0; j < k; ++j) {
                    const int64_t at = (b * k + j) * t + i;
                    others.writable()[at] =
                        static_cast<real>((total - static_cast<double>(g.data()[at])) / static_cast<double>(k - 1));
                }
            }
        return {others};
    }
};

}  // namespace

BaselineTable::Row baseline_leave_one_out() {
    return BaselineTable::row<LeaveOneOut>("leave_one_out", "the mean of the example's other samples (Kool 2019, eq. 8)");
}

}  // namespace attend::ATTEND_PRECISION
