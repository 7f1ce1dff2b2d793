#include "nn/attention/select.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// The weights as they are: c = sum_s a_s value_s   (Bahdanau, Cho and Bengio 2015, eq. 5)
class SoftSelect final : public Select {
  public:
    Chosen operator()(const Tensor& weights, const Call&, const Pass&) const override { return {weights}; }
    bool reads_weights() const override { return true; }
};

}  // namespace

SelectTable::Row select_soft() {
    return SelectTable::row<SoftSelect>("soft", "the weighted mean of the values (Bahdanau 2015, eq. 5)");
}

}  // namespace attend::ATTEND_PRECISION
