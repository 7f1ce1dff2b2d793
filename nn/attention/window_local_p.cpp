#include <cmath>

#include "core/ops.h"
#include "nn/attention/window.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct PredictedOptions {
    int64_t reach = 10;
    void fields(Visitor& v) {
        v.integer("reach", reach, {1, 1 << 20}, "positions D on each side of the predicted centre (Luong 2015: 10)");
    }
};

/// p_t = (S - 1) sigmoid(v . tanh(W q_t)),  |s - p_t| <= D,  a_ts e^(-(s - p_t)^2 / (2 sigma^2)), sigma = D / 2
/// (local-p: Luong, Pham and Manning 2015, eq. 9 and 10, with positions from 0). W = centre.weight [Dq, A], v [A]. The
/// gradient reaches p_t through the Gaussian alone.
class PredictedWindow final : public Window {
  public:
    PredictedWindow(const PredictedOptions& o, const Scope& scope, const WindowSetup& s)
        : reach_(o.reach),
          centre_(scope.in("centre"), s.query, s.width, Bias::no),
          v_(scope.add("v", {s.width, 1}, Init::xavier(s.width, 1))) {}

    // Without a query: what some query may see.
    Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t) const override {
        Ranges all;
        for (const int32_t length : lengths) all.insert(all.end(), static_cast<std::size_t>(queries), Range{0, length});
        return all;
    }
    bool sees(int64_t, int64_t) const override { return true; }
    bool contiguous() const override { return false; }
    bool after_align() const override { return true; }

    View view(const Call& call) const override {
        const int64_t b = call.batch(), t = call.queries();
        Tensor last = Tensor::empty({b, 1, 1});  // S - 1
        for (int64_t r = 0; r < b; ++r)
            last.writable()[r] = static_cast<real>(std::max(call.lengths[static_cast<std::size_t>(r)] - 1, 0));
        const Tensor raw = matmul(tanh(centre_(call.query)).reshape({b * t, v_.dim(0)}), v_);
        View view{{}, {}, last * sigmoid(raw.reshape({b, t, 1}))};
        for (int64_t i = 0; i < b * t; ++i) {
            const auto centre = static_cast<double>(view.centre.data()[i]), d = static_cast<double>(reach_);
            const double p = std::isfinite(centre) ? centre : 0;  // a run that diverges: the weights are no numbers either
            const int32_t length = call.lengths[static_cast<std::size_t>(i / t)];
            const auto begin = static_cast<int32_t>(std::max(0.0, std::ceil(p - d)));
            view.ranges.push_back({std::min(begin, length), std::min(static_cast<int32_t>(std::floor(p + d)) + 1, length)});
        }
        return view;
    }
    Tensor reweigh(const Tensor& weights, const Call& call, const View& view) const override {
        Tensor places = Tensor::empty({1, 1, call.source});
        for (int64_t s = 0; s < call.source; ++s) places.writable()[s] = static_cast<real>(s);
        const auto sigma = static_cast<real>(reach_) / 2;
        return weights * exp(scale(square(places - view.centre), -1 / (2 * sigma * sigma)));
    }

  private:
    int64_t reach_;
    Linear centre_;
    Tensor v_;
};

}  // namespace

WindowTable::Row window_local_p() {
    return WindowTable::row<PredictedWindow, PredictedOptions>(
        "local_p", "the source around a predicted place, weighed by a Gaussian after the alignment (Luong 2015, eq. 9 and 10)");
}

}  // namespace attend::ATTEND_PRECISION
