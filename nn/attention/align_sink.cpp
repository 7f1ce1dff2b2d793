#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct SinkOptions {
    double first = 0;
    TemperatureOptions temperature;
    void fields(Visitor& v) {
        v.number("first", first, {-1e3, 1e3}, "first value of the learned score of the sink");
        temperature.fields(v);
    }
};

/// a_s = e^(e_s / temperature) / (e^b + sum over the range), b = sink [1] learned, one a head   (Xiao et al. 2024, 3.2, with a
/// learned sink; its value is 0, as in OpenAI's gpt-oss model card 2025, 2.2)
class SinkAlign final : public Align {
  public:
    SinkAlign(const SinkOptions& o, const Scope& scope)
        : sink_(scope.add("sink", {1}, Init::constant(o.first))), factor_(static_cast<real>(1 / o.temperature.temperature)) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return softmax_with_sink(scores, sink_, ranges, factor_);
    }
    bool is_distribution() const override { return false; }

  private:
    Tensor sink_;
    real factor_;
};

}  // namespace

AlignTable::Row align_sink() {
    return AlignTable::row<SinkAlign, SinkOptions>("sink", "e^score / (e^b + sum), b learned: a sink of its own (Xiao 2024)");
}

}  // namespace attend::ATTEND_PRECISION
