#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

namespace {
/// c = sum_s a_s value_s   (Bahdanau, Cho and Bengio 2015, eq. 5)
class Softly final : public Choosing {
  public:
    Chosen operator()(const ChoiceInput& input) const override { return {input.weights}; }
};
}  // namespace

WayOfChoosing choose_softly() { return std::make_unique<Softly>(); }

}  // namespace attend::ATTEND_PRECISION
