#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = value_a, a the largest of y = softmax((ln weights + g) / tau), with dc/dy as if c were sum_s y_s value_s   (Jang, Gu
/// and Poole 2017, 2.2)
class RelaxedHard final : public Choosing {
  public:
    explicit RelaxedHard(double temperature) : temperature_(temperature) {}
    Chosen operator()(const ChoiceInput& input) const override {
        const Tensor relaxed = relaxed_weights(input, temperature_);
        Array<int32_t> index = likeliest_positions(relaxed);
        return {straight_through(one_hot(relaxed, index), relaxed), std::move(index)};
    }

  private:
    double temperature_;
};
}  // namespace

WayOfChoosing choose_relaxed_hard(double temperature) { return std::make_unique<RelaxedHard>(temperature); }

}  // namespace attend::ATTEND_PRECISION
