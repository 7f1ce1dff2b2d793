#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = value_a, a ~ Categorical(weights)   (Xu et al. 2015, 4.1)
class Drawn final : public Choosing {
  public:
    Chosen operator()(const ChoiceInput& input) const override {
        Array<int32_t> index = draw_positions(input.weights, input);
        return {one_hot(input.weights, index), std::move(index)};
    }
};
}  // namespace

WayOfChoosing choose_drawn() { return std::make_unique<Drawn>(); }

}  // namespace attend::ATTEND_PRECISION
