// Every estimator of hard attention against the enumeration of its own objective: all trajectories
// of a small model, every parameter. And the test itself against estimators with the known mistakes
// planted.
#include <doctest/doctest.h>

#include "tests/nn/estimators_support.h"

namespace estimators_test64 {

using namespace attend;
using namespace attend::enumeration;

TEST_SUITE_BEGIN("estimators");

namespace {

// REINFORCE with one mistake, or none.
enum class Mistake { none, reward_not_detached, sign_turned, reward_of_next_step, averaged, baseline_sees_action };
class Mistaken final : public Estimator {
  public:
    explicit Mistaken(Mistake m) : mistake_(m) {}
    Aim aim() const override { return Aim::expected; }
    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        const Rollout rollout = rollouts(*choose_drawn(), 1);
        const int64_t b = rollouts.rows(), t = rollouts.targets();
        const Tensor mask = rollouts.mask().reshape({b, 1, t});
        Tensor to_go = reward_to_go(rollout.loss), advantage = to_go;
        if (mistake_ == Mistake::reward_not_detached) {
            Array<Tensor> from;  // the same sums, recorded
            for (int64_t i = 0; i < t; ++i) from.push_back(sum(slice(rollout.loss, 2, i, t), 2));
            advantage = stack(from, 2);
        }
        if (mistake_ == Mistake::sign_turned)
            advantage = negate(to_go);
        if (mistake_ == Mistake::reward_of_next_step)  // what is after step t alone
            advantage = concat({slice(to_go, 2, 1, t), Tensor::zeros({b, 1, 1})}, 2);
        if (mistake_ == Mistake::averaged)  // over the steps that follow
            for (int64_t i = 0; i < to_go.size(); ++i) advantage.writable()[i] /= static_cast<real>(t - i % t);
        if (mistake_ == Mistake::baseline_sees_action)  // half the loss of the very choice
            advantage = scale(to_go, static_cast<real>(0.5));
        const Tensor each = rollout.loss + advantage * mask * log(rollout.probability());
        Estimated out;
        out.loss = scale(sum(each), static_cast<real>(1 / normaliser));
        return out;
    }

  private:
    Mistake mistake_;
};

}  // namespace

TEST_CASE("the estimators and baselines that there are, what they estimate, and which are biased") {
    using Strings = std::vector<std::string>;
    CHECK(baseline_table().names() ==
          Strings{"none", "moving_average", "learned", "self_critical", "soft_context", "leave_one_out"});
    const std::pair<const char*, std::pair<Aim, bool>> known[] = {
        {"rebar", {Aim::expected, true}},           {"relax", {Aim::expected, true}},
        {"variational", {Aim::bound, true}},        {"coupled", {Aim::expected, true}},
        {"unordered_set", {Aim::expected, true}},   {"imle", {Aim::expected, false}},
        {"reinforce", {Aim::expected, true}},       {"exact", {Aim::marginal, true}},
        {"sum_and_sample", {Aim::marginal, false}}, {"straight_through", {Aim::expected, false}},
        {"gumbel_softmax", {Aim::expected, false}}};
    CHECK(estimator_table().names().size() == std::size(known));
    for (const auto& [name, what] : known) {
        ParameterStore store(1);
        const auto estimator = estimator_table().build(Selection(estimator_table(), name), Scope(store), setup);
        CHECK(estimator->aim() == what.first);
        CHECK(estimator->unbiased() == what.second);
    }
}

TEST_CASE("reinforce with every baseline has the expected objective's gradient in the mean" * doctest::skip(too_slow)) {
    for (const Form& form : forms) {
        const Small plain(form);
        const std::vector<double> exact = enumerated(plain, Aim::expected);
        for (const std::string& baseline : baseline_table().names())
            for (const int64_t samples : {1, 3}) {
                CAPTURE(form.name);
                CAPTURE(baseline);
                CAPTURE(samples);
                Small small(form);
                const Selection selection = reinforce(baseline, samples);
                std::unique_ptr<Estimator> estimator;
                if (baseline == "leave_one_out" && samples == 1) {
                    CHECK_THROWS_AS(estimator_table().build(selection, Scope(small.store, "tried"), setup), Error);
                    continue;
                }
                estimator = estimator_table().build(selection, Scope(small.store, "tried"), setup);
                CHECK(estimator->aim() == Aim::expected);
                CHECK(estimator->unbiased());
                for (const NamedState& state : small.store.states())  // a moving average that has moved
                    std::fill_n(small.store.state_values(state), state.shape.size(), static_cast<real>(1.3));
                // What a baseline learns for itself stands after the model's parameters, and is
                // not compared.
                const Comparison c = compare(small, *estimator, exact, calls, copies);
                CAPTURE(c.distance);
                CHECK(c.size > 0.05);
                CHECK(c.worst < 5);
            }
    }
}

TEST_CASE("exact has the marginal objective's gradient, draw for draw") {
    const Small small(forms[0]);
    const std::vector<double> exact = enumerated(small, Aim::marginal);
    ParameterStore none(1);
    const auto estimator = estimator_table().build(Selection(estimator_table(), "exact"), Scope(none), setup);
    CHECK(estimator->aim() == Aim::marginal);
    const Comparison c = compare(small, *estimator, exact, 1, 1);
    CHECK(c.size > 0.05);
    CHECK(c.distance < 1e-12);
}

TEST_CASE("sum_and_sample is exact where all positions are summed, and biased by its logarithm where one is drawn") {
    const Small small(forms[0], 5);  // where positions differ much
    const std::vector<double> exact = enumerated(small, Aim::marginal);
    for (const int64_t k : {1, 2, 3, 7}) {
        CAPTURE(k);
        Selection s(estimator_table(), "sum_and_sample");
        set_integer(s, "k", k);
        ParameterStore none(1);
        const auto estimator = estimator_table().build(s, Scope(none), setup);
        CHECK(!estimator->unbiased());
        // With one of three summed, one of two is drawn; with two, the third is what remains.
        const Comparison c = compare(small, *estimator, exact, k == 1 ? calls : 1, k == 1 ? copies : 1);
        CAPTURE(c.worst);
        CAPTURE(c.distance);
        if (k == 1) {
            CHECK(c.worst > 5);
            CHECK(c.cosine > 0.9);
        } else {
            CHECK(c.distance < 1e-12);
        }
    }
}

TEST_CASE("biased estimators are biased, and point the right way" * doctest::skip(too_slow)) {
    for (const Form& form : forms) {
        const Small small(form);
        const std::vector<double> exact = enumerated(small, Aim::expected);
        for (const char* name : {"straight_through", "gumbel_softmax", "imle"}) {
            CAPTURE(form.name);
            CAPTURE(name);
            ParameterStore none(1);
            const auto estimator = estimator_table().build(Selection(estimator_table(), name), Scope(none), setup);
            CHECK(!estimator->unbiased());
            const Comparison c = compare(small, *estimator, exact, calls, copies);
            CAPTURE(c.distance);
            CHECK(c.worst > 8);
            CHECK(c.cosine > 0.8);
        }
    }
}

TEST_CASE("relaxed choices at a low temperature are draws of the weights") {
    // The largest of ln p + g is a draw of p (the Gumbel-max trick): shares over many rows.
    ParameterStore store(1);
    AttentionOptions o;
    o.select.choose("hard");
    const Attention attention(Scope(store, "a"), o, 4, 4, QueryKind{false, false});
    constexpr int64_t rows = 40000;
    Tensor weights = Tensor::empty({rows, 1, 4});
    const double p[] = {0.5, 0.2, 0.3, 0};
    for (int64_t i = 0; i < weights.size(); ++i) weights.writable()[i] = static_cast<real>(p[i % 4]);
    int number = 0;
    for (const WayOfChoosing& way : {choose_drawn(), choose_relaxed(0.01), choose_relaxed_hard(0.01), choose_perturbed(1)}) {
        CAPTURE(number++);
        Pass pass;
        pass.mode = Mode::train;
        pass.choosing = way.get();
        Call site;
        site.query = Tensor::zeros({rows, 1, 4});
        const Chosen s = (*attention.select)(weights, site, pass);
        double share[4] = {};
        for (const int32_t i : s.index) share[i] += 1.0 / rows;
        for (int i = 0; i < 4; ++i) CHECK(std::abs(share[i] - p[i]) <= 5 * std::sqrt(p[i] * (1 - p[i]) / rows));
    }
}

TEST_CASE("the comparison finds every known mistake" * doctest::skip(too_slow)) {
    for (const Form& form : {forms[0], forms[2]}) {
        const Small small(form);
        const std::vector<double> exact = enumerated(small, Aim::expected);
        CAPTURE(form.name);
        CHECK(compare(small, Mistaken(Mistake::none), exact, calls, copies).worst < 5);
        for (const Mistake m : {Mistake::reward_not_detached, Mistake::sign_turned, Mistake::reward_of_next_step,
                                Mistake::averaged, Mistake::baseline_sees_action}) {
            CAPTURE(static_cast<int>(m));
            CHECK(compare(small, Mistaken(m), exact, calls, copies).worst > 8);
        }
    }
}

TEST_SUITE_END();

}  // namespace estimators_test64
