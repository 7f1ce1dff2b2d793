#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = value_a, a of the caller: enumerations, interventions, and rollouts that repeat the choices of another
class Forced final : public Choosing {
  public:
    Forced(Choices choices, WayOfChoosing otherwise) : choices_(std::move(choices)), otherwise_(std::move(otherwise)) {}
    Chosen operator()(const ChoiceInput& input) const override {
        Array<int32_t> index = choices_for(choices_, input);
        if (index.empty())
            return (*otherwise_)(input);
        return {one_hot(input.weights, index), std::move(index), proposal(input)};
    }
    Tensor proposal(const ChoiceInput& input) const override { return otherwise_->proposal(input); }

  private:
    Choices choices_;
    WayOfChoosing otherwise_;
};
}  // namespace

WayOfChoosing choose_forced(Choices choices, WayOfChoosing otherwise) {
    return std::make_unique<Forced>(std::move(choices), std::move(otherwise));
}

}  // namespace attend::ATTEND_PRECISION
