#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = value_a, a ~ Categorical(weights), with dc/dweights as if c were sum_s weights_s value_s   (Bengio, Leonard and
/// Courville 2013, 4)
class StraightThrough final : public Choosing {
  public:
    Chosen operator()(const ChoiceInput& input) const override {
        Array<int32_t> index = draw_positions(input.weights, input);
        return {straight_through(one_hot(input.weights, index), input.weights), std::move(index)};
    }
};
}  // namespace

WayOfChoosing choose_straight_through() { return std::make_unique<StraightThrough>(); }

}  // namespace attend::ATTEND_PRECISION
