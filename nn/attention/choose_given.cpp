#include "core/ops.h"
#include "nn/attention/choosing.h"
#include "nn/attention/gumbel.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = sum_s y_s value_s, y = softmax(z / tau), z Gumbel noise of ln weights with its largest where the choice is   (Tucker et
/// al. 2017, appendix C). dz / d ln weights is 1 where the noise is free, and the slope of gumbel_given() where the choice is
/// given.
class Given final : public Choosing {
  public:
    Given(Choices choices, double temperature, GivenSlope slope)
        : choices_(std::move(choices)), temperature_(temperature), slope_(slope) {}
    Chosen operator()(const ChoiceInput& input) const override {
        const Tensor& weights = input.weights;
        Array<int32_t> index = choices_for(choices_, input);
        if (index.empty())
            index = draw_positions(weights, input);
        const GivenGumbel given =
            gumbel_given(weights, index, {input.stream, input.call.position, input.pass.samples}, input.pass);
        const Tensor l = log(shift(weights, tiny_weight)), moved = l - l.detach();
        const Tensor z = given.z + (slope_ == GivenSlope::free ? moved : given.slope * moved);
        return {softmax(z + shut_out(weights, temperature_), ranges_of(weights), static_cast<real>(1 / temperature_)),
                std::move(index)};
    }

  private:
    Choices choices_;
    double temperature_;
    GivenSlope slope_;
};
}  // namespace

WayOfChoosing choose_given(Choices choices, double temperature, GivenSlope slope) {
    return std::make_unique<Given>(std::move(choices), temperature, slope);
}

}  // namespace attend::ATTEND_PRECISION
