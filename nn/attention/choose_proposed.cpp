#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = value_a, a ~ Categorical(q), q of an inference network   (Deng et al. 2018, 3)
class Proposed final : public Choosing {
  public:
    explicit Proposed(const Proposal& proposal) : proposal_(proposal) {}
    Chosen operator()(const ChoiceInput& input) const override {
        Tensor q = proposal(input);
        Array<int32_t> index = draw_positions(q, input);
        return {one_hot(input.weights, index), std::move(index), std::move(q)};
    }
    Tensor proposal(const ChoiceInput& input) const override { return proposal_(input); }

  private:
    const Proposal& proposal_;
};
}  // namespace

WayOfChoosing choose_proposed(const Proposal& proposal) { return std::make_unique<Proposed>(proposal); }

}  // namespace attend::ATTEND_PRECISION
