#include <cmath>

#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct SigmoidOptions {
    double bias = 0;
    bool by_length = true;
    void fields(Visitor& v) {
        v.number("bias", bias, {-1e3, 1e3}, "added to every score");
        v.flag(
            "by_length", by_length,
            "subtract ln n, n positions seen, so that the weights of a row sum to about 1 at the start (Ramapuram 2024, 3.1)");
    }
};

/// a_s = sigmoid(e_s + b - ln n), n the positions of the range   (Ramapuram et al. 2024, eq. 3): positions do not compete
class SigmoidAlign final : public Align {
  public:
    explicit SigmoidAlign(const SigmoidOptions& o) : o_(o) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        Tensor shifts = Tensor::empty(scores.shape().with(-1, 1));
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            const int32_t n = ranges[i].end - ranges[i].begin;
            shifts.writable()[i] = static_cast<real>(o_.bias - (o_.by_length && n > 0 ? std::log(n) : 0));
        }
        return within(sigmoid(scores + shifts), ranges);
    }
    bool is_distribution() const override { return false; }

  private:
    SigmoidOptions o_;
};

}  // namespace

AlignTable::Row align_sigmoid() {
    return AlignTable::row<SigmoidAlign, SigmoidOptions>("sigmoid",
                                                         "each position by itself: sigmoid(score - ln n) (Ramapuram 2024)");
}

}  // namespace attend::ATTEND_PRECISION
