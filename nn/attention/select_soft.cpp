#include "nn/attention/select.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// The weights as they are: c = sum_s a_s value_s   (Bahdanau, Cho and Bengio 2015, eq. 5)
class SoftSelect final : public Select {
  public:
    Selected operator()(const Tensor& weights, const Site&, const Context&) const override { return {weights, std::nullopt}; }
    bool reads_weights() const override { return true; }
};

}  // namespace

SelectTable::Row select_soft() {
    return SelectTable::make<NoOptions>("soft", "read with the weights themselves (Bahdanau 2015, eq. 5)",
                                        [](const NoOptions&, const Scope&) { return std::make_unique<SoftSelect>(); });
}

}  // namespace attend::ATTEND_PRECISION
