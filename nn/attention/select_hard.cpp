#include "nn/attention/select.h"
#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct HardOptions {
    Selection estimator{estimator_table(), default_estimator};
    std::string evaluate = "likeliest";
    int64_t soft_steps = 0;
    void fields(Visitor& v) {
        v.selection("estimator", estimator, "how the gradient of the choices is estimated");
        v.choice(
            "evaluate", evaluate, {"likeliest", "drawn", "marginal"},
            "what is read outside of training: one position, or (marginal) each in turn, with the sum of their predictions (Wu "
            "2018, eq. 5)");
        v.integer("soft_steps", soft_steps, {0, 4'000'000'000},
                  "first training steps, in which values are read with the weights, as in soft attention");
    }
    HardChoice choice() const {
        using E = HardChoice::Evaluate;
        return {estimator, evaluate == "drawn" ? E::drawn : evaluate == "marginal" ? E::marginal : E::likeliest, soft_steps};
    }
};

/// Reads one position a query, in the way of choosing of the pass; where that names none, drawn in
/// training and as the options say outside of it.
class HardSelect final : public Select {
  public:
    HardSelect(const HardOptions& o, const Scope& scope) : stream_(hash_name(scope.path())), choice_(o.choice()) {
        using E = HardChoice::Evaluate;
        evaluated_ = choice_.evaluate == E::drawn      ? choose_drawn()
                     : choice_.evaluate == E::marginal ? choose_softly()
                                                       : choose_likeliest();
    }
    Chosen operator()(const Tensor& weights, const Call& call, const Pass& pass) const override {
        const Choosing* own = pass.training() ? drawn_.get() : evaluated_.get();
        return (*(pass.choosing != nullptr ? pass.choosing : own))({weights, call, stream_, pass});
    }
    const HardChoice* hard() const override { return &choice_; }

  private:
    uint64_t stream_;
    HardChoice choice_;
    WayOfChoosing drawn_ = choose_drawn(), evaluated_;
};

}  // namespace

SelectTable::Row select_hard() {
    return SelectTable::row<HardSelect, HardOptions>("hard", "read one position: drawn in training (Xu 2015, 4.1)");
}

}  // namespace attend::ATTEND_PRECISION
