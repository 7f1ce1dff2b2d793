#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = value_a, a = argmax_s weights_s
class Likeliest final : public Choosing {
  public:
    Chosen operator()(const ChoiceInput& input) const override {
        Array<int32_t> index = likeliest_positions(input.weights);
        return {one_hot(input.weights, index), std::move(index)};
    }
};
}  // namespace

WayOfChoosing choose_likeliest() { return std::make_unique<Likeliest>(); }

}  // namespace attend::ATTEND_PRECISION
