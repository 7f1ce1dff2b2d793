// Estimators with control variates, entropies and inference networks against the enumeration of
// their objectives; evaluation summed over positions.
#include <doctest/doctest.h>

#include "nn/estimators/observed.h"
#include "nn/estimators/pathwise.h"
#include "tests/nn/estimators_support.h"

namespace estimators_controls_test64 {

using namespace attend;
using namespace attend::enumeration;

TEST_SUITE_BEGIN("estimators: control variates");

TEST_CASE("rebar, relax, coupled, unordered sets and rewards of one step have the expected objective's gradient in the mean" *
          doctest::skip(too_slow)) {
    Selection own = reinforce("none", 1);
    own.as<ReinforceOptions>().reward = "own";
    Selection own_soft = reinforce("soft_context", 2);
    own_soft.as<ReinforceOptions>().reward = "own";
    Selection rebar(estimator_table(), "rebar"), relax(estimator_table(), "relax"), relax2 = relax;
    set_integer(relax2, "samples", 2);
    Selection coupled(estimator_table(), "coupled"), coupled4 = coupled, sets(estimator_table(), "unordered_set");
    set_integer(coupled4, "samples", 4);
    set_integer(sets, "k", 2);  // of three positions
    const std::pair<const char*, Selection> cases[] = {
        {"own", own},         {"own, soft_context", own_soft}, {"rebar", rebar},       {"relax", relax}, {"relax, 2", relax2},
        {"coupled", coupled}, {"coupled, 4", coupled4},        {"unordered_set", sets}};
    for (const Form& form : forms)
        for (const auto& [name, selection] : cases) {
            CAPTURE(form.name);
            CAPTURE(name);
            Small small(form);
            const std::vector<double> exact = enumerated(small, Aim::expected);
            const auto estimator = estimator_table().build(selection, Scope(small.store, "tried"), setup);
            CHECK(estimator->unbiased());
            if (estimator->needs_independence() && !small.parallel) {
                CHECK_THROWS_AS(compare(small, *estimator, exact, 1, 1), Error);
                continue;
            }
            const Comparison c = compare(small, *estimator, exact, calls, copies);
            CAPTURE(c.distance);
            CHECK(c.worst < 5);
        }
}

TEST_CASE("with entropy the gradient is that of the loss less the entropies" * doctest::skip(too_slow)) {
    for (const Form& form : forms) {
        CAPTURE(form.name);
        Small small(form);
        const std::vector<double> exact = enumerated(small, Aim::expected, nullptr, 0.4);
        Selection s = reinforce("soft_context", 1);
        s.as<ReinforceOptions>().entropy = 0.4;
        const auto estimator = estimator_table().build(s, Scope(small.store, "tried"), setup);
        CHECK_FALSE(estimator->unbiased());  // of the expected objective
        CHECK(compare(small, *estimator, exact, calls, copies).worst < 5);
        CHECK(compare(small, *estimator, enumerated(small, Aim::expected), calls, copies).worst > 8);
    }
}

TEST_CASE("summed over positions, decoding step by step and scoring say the same") {
    RnnSeq2SeqOptions o = Small::options(forms[0]);
    oracles::OptionsByName setter(std::map<std::string, std::string>{{"evaluate", "marginal"}});
    factors_of(o.attention).select.options().fields(setter);
    ParameterStore store(5);
    const RnnSeq2Seq model(o, Scope(store), {vocabulary, vocabulary});
    for (int64_t i = 0; i < store.size(); ++i) store.data()[i] *= 3;
    const Data data(1);
    const NoGrad off;
    const Scored scored = model.score(data.all(), {.normaliser = 3}, {});
    const auto state = model.start(data.source, {});
    for (int64_t t = 0; t < steps; ++t) {
        Array<int32_t> ids;
        for (int64_t r = 0; r < examples; ++r) ids.push_back(data.input.at(r, t));
        const Tensor p = log_softmax(model.advance(*state, ids, {}).logits);
        for (int64_t r = 0; r < examples; ++r)
            if (t < data.target.length(r))
                CHECK(-p.data()[r * vocabulary + data.target.at(r, t)] ==
                      doctest::Approx(scored.target_loss.data()[r * steps + t]).epsilon(1e-9));
    }
    // And it is what the exact estimator trains, not what soft attention reads.
    ParameterStore none(1);
    const auto exact = estimator_table().build(Selection(estimator_table(), "exact"), Scope(none), setup);
    const Estimated e = model.estimate(*exact, data.all(), {.normaliser = 3}, {});
    double distance = 0, apart = 0;
    const Tensor soft = model.estimate(soft_start(), data.all(), {.normaliser = 3}, {}).target_loss;
    for (int64_t i = 0; i < e.target_loss.size(); ++i) {
        distance = std::max(distance, std::abs(e.target_loss.data()[i] - scored.target_loss.data()[i]));
        apart = std::max(apart, std::abs(e.target_loss.data()[i] - soft.data()[i]));
    }
    CHECK(distance < 1e-9);
    CHECK(apart > 1e-3);
}

TEST_CASE("the variational bound has its objective's gradient in the mean" * doctest::skip(too_slow)) {
    for (const Form& form : forms)
        for (const int64_t samples : {1, 2}) {
            CAPTURE(form.name);
            CAPTURE(samples);
            Small small(form);
            Selection s(estimator_table(), "variational");
            set_integer(s, "samples", samples);
            const auto estimator = estimator_table().build(s, Scope(small.store, "tried"), setup);
            // Away from where it begins, which is the weights themselves.
            Stream stream(4, "inference");
            for (const Parameter& p : small.store.table())
                if (p.name == "tried.inference.out.weight")
                    for (int64_t i = 0; i < p.shape.size(); ++i)
                        small.store.data()[p.offset + i] = stream.uniform(real{-1}, real{1});
            const std::vector<double> exact = enumerated(small, Aim::bound, estimator.get());
            const Comparison c = compare(small, *estimator, exact, calls, copies);
            CAPTURE(c.distance);
            CHECK(c.size > 0.05);
            CHECK(c.worst < 5);
        }
}

TEST_CASE("relax learns a control variate that lowers the variance of its estimate") {
    // Plain descent on the control variate's own gradient, the model held still.
    Small small(forms[1]);
    const auto estimator = estimator_table().build(Selection(estimator_table(), "relax"), Scope(small.store, "tried"), setup);
    const Data data(60);
    Gradients gradients(small.store);
    Context context;
    context.mode = Mode::train;
    double variance[2] = {};
    for (int64_t phase = 0; phase < 3; ++phase) {
        std::vector<double> sum(static_cast<std::size_t>(small.store.size())), squares(sum.size());
        const int64_t steps_of_phase = phase == 1 ? 400 : 150;
        for (int64_t i = 0; i < steps_of_phase; ++i) {
            context.step = static_cast<uint32_t>(phase * 1000 + i);
            gradients.reset();
            backward(small.model.estimate(*estimator, data.all(), {.normaliser = 180}, context).loss, gradients);
            gradients.finish();
            for (const Parameter& p : small.store.table())
                for (int64_t at = p.offset; at < p.offset + p.shape.size(); ++at) {
                    const auto j = static_cast<std::size_t>(at);
                    sum[j] += gradients.data()[at];
                    squares[j] += gradients.data()[at] * gradients.data()[at];
                    if (p.name.starts_with("tried.") && phase == 1)
                        small.store.data()[at] -= static_cast<real>(0.1) * gradients.data()[at];
                }
        }
        const auto n = static_cast<double>(steps_of_phase);
        for (const Parameter& p : small.store.table())
            for (int64_t at = p.offset; at < p.offset + p.shape.size() && !p.name.starts_with("tried.") && phase != 1; ++at) {
                const auto j = static_cast<std::size_t>(at);
                variance[phase / 2] += (squares[j] - sum[j] * sum[j] / n) / (n - 1);
            }
    }
    CHECK(variance[1] < 0.9 * variance[0]);
}

namespace {

// Two rows, two targets, three positions; of two samples the first chooses from uniform weights, the
// second has no choice. In one call as in a pass over all steps, or in a call for each step.
enum class Calls { one, each_step };
class TwoSamples final : public Rollouts {
  public:
    TwoSamples(Calls calls, Affects affects) : calls_(calls) { sites_.push_back({.affects = affects}); }
    Rollout operator()(const Choosing&, int64_t samples) const override {
        const int64_t times = calls_ == Calls::one ? 2 : 1;
        Rollout out;
        out.loss = Tensor::zeros({2, samples, 2});
        out.sites.push_back({sites_[0], {}});
        for (int64_t step = 0; step < 2; step += times) {
            Seen call;
            call.step = step;
            call.weights = Tensor::zeros({2, samples * times, 3});
            for (int64_t q = 0; q < 2 * samples * times; ++q)
                for (int64_t s = 0; s < 3; ++s) {
                    const bool first = q / times % samples == 0;
                    call.weights.writable()[q * 3 + s] = first ? real{1} / 3 : s == 0 ? 1 : 0;
                }
            call.index.assign(static_cast<std::size_t>(2 * samples * times), 0);
            out.sites[0].calls.push_back(call);
        }
        return out;
    }
    ByPosition by_position(const SupportOf&) const override { return {}; }
    const Sites& sites() const override { return sites_; }
    int64_t rows() const override { return 2; }
    int64_t targets() const override { return 2; }
    int64_t positions() const override { return 3; }
    const Tensor& mask() const override { return mask_; }
    const Ids& target() const override { return target_; }

  private:
    Calls calls_;
    Sites sites_;
    Tensor mask_ = Tensor::full({2, 2}, 1);
    Ids target_{2, 2};
};

// Draws two samples.
class DrawsTwo final : public Estimator {
  public:
    Aim aim() const override { return Aim::expected; }
    Estimated operator()(const Rollouts&, double, const Context&) const override { return {}; }
    Tensor direct(const Rollouts& rollouts, double, const Context&) const override {
        rollouts(*choose_drawn(), 2);
        return {};
    }
};

}  // namespace

TEST_CASE("the entropy of choices that is observed is that of the first sample of each row") {
    for (const Calls calls : {Calls::one, Calls::each_step})
        for (const Affects affects : {Affects::following, Affects::all}) {
            CAPTURE(static_cast<int>(calls));
            CAPTURE(static_cast<int>(affects));
            ObservedSums sums;
            Observed(DrawsTwo(), sums)(TwoSamples(calls, affects), 1, {});
            CHECK(sums.choices == 4);
            CHECK(sums.entropy == doctest::Approx(4 * std::log(3.0)));
        }
}

TEST_CASE("the variance of advantages is that of losses to go less their baseline, where there is a target") {
    // 1, 5, 3 and 7 count: mean 4, squares of the distances 9 + 1 + 1 + 9
    AdvantageSums sums = advantage_sums(Tensor::of({1, 2, 2}, {1, 100, 5, -100}), Tensor::of({1, 1, 2}, {1, 0}));
    sums += advantage_sums(Tensor::of({1, 1, 2}, {3, 7}), Tensor::of({1, 1, 2}, {1, 1}));
    CHECK(sums.count == 4);
    CHECK(sums.variance() == doctest::Approx(5));

    // Of REINFORCE without a baseline: the losses of the same draws, to go. The second row has one target.
    const Small small(forms[0]);
    const Data data(1);
    class Losses final : public Estimator {
      public:
        explicit Losses(Tensor& loss) : loss_(loss) {}
        Aim aim() const override { return Aim::expected; }
        Estimated operator()(const Rollouts& rollouts, double, const Context&) const override {
            loss_ = rollouts(*choose_drawn(), 3).loss.detach();
            return {sum(loss_), {}, {}};
        }

      private:
        Tensor& loss_;
    };
    Context context;
    context.mode = Mode::train;
    context.seed = 8;
    Tensor loss;
    small.model.estimate(Losses(loss), data.all(), {}, context);
    std::vector<double> to_go;
    for (int64_t k = 0; k < 3; ++k) {
        const auto at = [&](int64_t row, int64_t t) { return static_cast<double>(loss.data()[(row * 3 + k) * 2 + t]); };
        to_go.insert(to_go.end(), {at(0, 0) + at(0, 1), at(0, 1), at(1, 0)});
    }
    double mean = 0, variance = 0;
    for (const double x : to_go) mean += x / 9;
    for (const double x : to_go) variance += (x - mean) * (x - mean) / 9;
    ParameterStore own(6);
    const auto estimator = estimator_table().build(reinforce("none", 3), Scope(own), setup);
    const Estimated found = small.model.estimate(*estimator, data.all(), {}, context);
    CHECK(found.advantages.count == 9);
    CHECK(variance > 0.01);
    CHECK(found.advantages.variance() == doctest::Approx(variance));
}

TEST_SUITE_END();

}  // namespace estimators_controls_test64
