#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = sum_s y_s value_s, y = softmax((ln weights + g) / tau)   (Jang, Gu and Poole 2017, eq. 2); the position of the largest
/// is a draw of the weights, and is what counts as chosen
class Relaxed final : public Choosing {
  public:
    explicit Relaxed(double temperature) : temperature_(temperature) {}
    Chosen operator()(const ChoiceInput& input) const override {
        Tensor read = relaxed_weights(input, temperature_);
        Array<int32_t> index = likeliest_positions(read);
        return {std::move(read), std::move(index)};
    }

  private:
    double temperature_;
};
}  // namespace

WayOfChoosing choose_relaxed(double temperature) { return std::make_unique<Relaxed>(temperature); }

}  // namespace attend::ATTEND_PRECISION
