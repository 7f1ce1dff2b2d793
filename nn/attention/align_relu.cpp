#include <algorithm>

#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// a_s = max(e_s, 0) / n, n the positions of the range   (Wortsman et al. 2023, 3)
class ReluAlign final : public Align {
  public:
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        Tensor shares = Tensor::empty(scores.shape().with(-1, 1));
        for (std::size_t i = 0; i < ranges.size(); ++i)
            shares.writable()[i] = 1 / static_cast<real>(std::max(ranges[i].end - ranges[i].begin, 1));
        return within(relu(scores) * shares, ranges);
    }
    bool is_distribution() const override { return false; }
    bool weighs_equals() const override { return false; }
};

}  // namespace

AlignTable::Row align_relu() { return AlignTable::row<ReluAlign>("relu", "max(score, 0) / n (Wortsman 2023)"); }

}  // namespace attend::ATTEND_PRECISION
