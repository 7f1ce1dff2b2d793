// Estimators with control variates, entropies and inference networks against the enumeration of
// their objectives; evaluation summed over positions.
#include <doctest/doctest.h>

#include "nn/estimators/pathwise.h"
#include "tests/nn/estimators_support.h"

namespace estimators_controls_test64 {

using namespace attend;
using namespace attend::enumeration;

TEST_SUITE_BEGIN("estimators: control variates");

TEST_CASE("rebar, relax and rewards of one step have the expected objective's gradient in the mean" * doctest::skip(too_slow)) {
    Selection own = reinforce("none", 1);
    own.as<ReinforceOptions>().reward = "own";
    Selection own_soft = reinforce("soft_context", 2);
    own_soft.as<ReinforceOptions>().reward = "own";
    Selection rebar(estimator_table(), "rebar"), relax(estimator_table(), "relax"), relax2 = relax;
    set_integer(relax2, "samples", 2);
    const std::pair<const char*, Selection> cases[] = {
        {"own", own}, {"own, soft_context", own_soft}, {"rebar", rebar}, {"relax", relax}, {"relax, 2", relax2}};
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
    o.attention.select.options().fields(setter);
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
        const Tensor p = log_softmax(model.advance(*state, ids, {}));
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

TEST_SUITE_END();

}  // namespace estimators_controls_test64
