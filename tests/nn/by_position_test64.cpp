// Reading each position of a support: the fast way against its oracle, one rollout with a sample for
// each position; and the estimators that ask for it.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "nn/estimators/marginal.h"
#include "tests/nn/estimators_support.h"

namespace by_position_test64 {

using namespace attend;
using namespace attend::enumeration;

TEST_SUITE_BEGIN("estimators: by position");

namespace {

enum class Way { model, one_by_one };

// sum w loss^2 over a support, so that each weight and each loss has a gradient of its own.
class Asking final : public Estimator {
  public:
    Asking(Way way, SupportOf support) : way_(way), support_(std::move(support)) {}
    Aim aim() const override { return Aim::expected; }
    bool needs_independence() const override { return true; }
    Estimated operator()(const Rollouts& rollouts, double, const Context&) const override {
        const ByPosition by = way_ == Way::model ? rollouts.by_position(support_) : rollouts.by_position_one_by_one(support_);
        // Of no meaning where there is no target: the fast way does not look there.
        const Tensor mask = rollouts.mask().reshape({rollouts.rows(), 1, rollouts.targets()});
        return {sum(by.weights * square(by.loss) * mask), by.loss.detach() * mask, by.predicted};
    }

  private:
    Way way_;
    SupportOf support_;
};

// The two positions with the largest weights, the larger one last; the second only where it has any.
Support two_likeliest(const Tensor& weights) {
    const int64_t b = weights.dim(0), t = weights.dim(1), s = weights.dim(2);
    Support out{2, Array<int32_t>(static_cast<std::size_t>(b * 2 * t), -1)};
    for (int64_t q = 0; q < b * t; ++q) {
        std::vector<int32_t> order(static_cast<std::size_t>(s));
        for (int32_t i = 0; i < s; ++i) order[static_cast<std::size_t>(i)] = i;
        const real* w = weights.data() + q * s;
        std::stable_sort(order.begin(), order.end(), [w](int32_t x, int32_t y) { return w[x] > w[y]; });
        for (std::size_t n = 0; n < 2; ++n)
            if (w[order[n]] > 0)
                out.index[static_cast<std::size_t>((q / t * 2 + 1 - static_cast<int64_t>(n)) * t + q % t)] = order[n];
    }
    return out;
}

RnnSeq2SeqOptions luong(const char* align, double dropout) {
    RnnSeq2SeqOptions o = Small::options(forms[0]);
    factors_of(o.attention).align.choose(align);
    o.dropout = dropout;
    return o;
}

}  // namespace

TEST_CASE("the factored way has the losses, weights and gradients of a rollout with a sample for each position") {
    const std::pair<const char*, SupportOf> supports[] = {
        {"all", [](const Tensor& w) { return with_weight(w); }},
        {"two", two_likeliest},
        {"a threshold", [](const Tensor& w) { return with_weight(w, static_cast<real>(0.3)); }}};
    for (const char* align : {"softmax", "sparsemax"})
        for (const double dropout : {0.0, 0.4})
            for (const auto& [name, support] : supports) {
                CAPTURE(align);
                CAPTURE(dropout);
                CAPTURE(name);
                ParameterStore store(5);
                const RnnSeq2Seq model(luong(align, dropout), Scope(store), {vocabulary, vocabulary});
                for (int64_t i = 0; i < store.size(); ++i) store.data()[i] *= 2;
                Data data(3);
                data.target.values[0] = -1;  // a target inside of a row that does not count
                Context context;
                context.mode = Mode::train;
                context.seed = 3;
                std::vector<double> gradient[2];
                Estimated found[2];
                for (const Way way : {Way::model, Way::one_by_one}) {
                    const auto i = static_cast<std::size_t>(way);
                    Gradients gradients(store);
                    found[i] = model.estimate(Asking(way, support), data.all(), {.label_smoothing = 0.1}, context);
                    backward(found[i].loss, gradients);
                    gradient[i] = flat(gradients);
                }
                REQUIRE(found[0].target_loss.shape() == found[1].target_loss.shape());
                CHECK(found[0].loss.item() == doctest::Approx(found[1].loss.item()).epsilon(1e-12));
                for (int64_t i = 0; i < found[0].target_loss.size(); ++i) {
                    CHECK(found[0].target_loss.data()[i] == doctest::Approx(found[1].target_loss.data()[i]).epsilon(1e-12));
                    if (found[0].target_loss.data()[i] != 0)
                        CHECK(found[0].predicted[static_cast<std::size_t>(i)] ==
                              found[1].predicted[static_cast<std::size_t>(i)]);
                }
                double size = 0, distance = 0;
                for (std::size_t j = 0; j < gradient[0].size(); ++j) {
                    size = std::max(size, std::abs(gradient[1][j]));
                    distance = std::max(distance, std::abs(gradient[0][j] - gradient[1][j]));
                }
                CHECK(size > 0.05);
                CHECK(distance < 1e-12 * std::max(1.0, size));
            }
}

TEST_CASE("with the objective 'expected' exact has the expected loss and its gradient, draw for draw") {
    const Small small(forms[0]);
    const std::vector<double> expected = enumerated(small, Aim::expected);
    Selection s(estimator_table(), "exact");
    oracles::OptionsByName setter(std::map<std::string, std::string>{{"objective", "expected"}});
    s.options().fields(setter);
    ParameterStore none(1);
    const auto estimator = estimator_table().build(s, Scope(none), setup);
    CHECK(estimator->aim() == Aim::expected);
    CHECK(estimator->unbiased());
    const Comparison c = compare(small, *estimator, expected, 1, 1);
    CHECK(c.size > 0.05);
    CHECK(c.distance < 1e-12);
    oracles::OptionsByName cut(std::map<std::string, std::string>{{"threshold", "0.1"}});
    s.options().fields(cut);
    CHECK_THROWS_WITH_AS(estimator_table().build(s, Scope(none, "cut"), setup),
                         doctest::Contains("threshold is for objective 'marginal'"), Error);
}

TEST_CASE("a weight that is no number is no position without weight") {
    const real nan = std::numeric_limits<real>::quiet_NaN();
    const Support s = with_weight(Tensor::of({1, 1, 3}, {0, nan, 1}));
    CHECK(s.count == 2);
    CHECK(s.index == Array<int32_t>{1, 2});
}

TEST_CASE("what a threshold leaves out makes the loss too high by at most its bound") {
    const Small small(forms[0], 3);
    const Data data(1);
    const auto losses = [&](const char* threshold) {
        Selection s(estimator_table(), "exact");
        oracles::OptionsByName setter(std::map<std::string, std::string>{{"threshold", threshold}});
        s.options().fields(setter);
        ParameterStore none(1);
        const auto estimator = estimator_table().build(s, Scope(none), setup);
        CHECK(estimator->unbiased() == (std::string(threshold) == "0"));
        return small.model.estimate(*estimator, data.all(), {.normaliser = 3}, {}).target_loss;
    };
    // Weights of every position, to know what is left out.
    Tensor all;
    small.model.estimate(Asking(Way::model,
                                [&](const Tensor& w) {
                                    all = w.detach();
                                    return with_weight(w);
                                }),
                         data.all(), {}, {});
    const Tensor exact = losses("0"), cut = losses("0.3");
    bool left_out = false;
    for (int64_t r = 0; r < examples; ++r)
        for (int64_t t = 0; t < data.target.length(r); ++t) {
            double weight = 0, largest = 0;
            for (int64_t s = 0; s < positions; ++s) {
                const double w = all.data()[(r * steps + t) * positions + s];
                largest = std::max(largest, w);
                weight += w < 0.3 ? w : 0;
            }
            if (largest < 0.3)
                weight -= largest;
            const double higher = cut.data()[r * steps + t] - exact.data()[r * steps + t],
                         p = std::exp(-cut.data()[r * steps + t]);
            CHECK(higher >= -1e-12);
            CHECK(higher <= std::log(1 + weight / p) + 1e-12);
            left_out |= higher > 1e-6;
        }
    CHECK(left_out);
}

TEST_CASE("reading one by one is refused where a choice affects later steps") {
    const Small small(forms[2]);
    const Data data(1);
    Selection s(estimator_table(), "exact");
    ParameterStore none(1);
    const auto estimator = estimator_table().build(s, Scope(none), setup);
    CHECK_THROWS_WITH_AS(small.model.estimate(*estimator, data.all(), {.normaliser = 3}, {}),
                         doctest::Contains("this estimator takes the positions of each step by themselves"), Error);
}

TEST_CASE("the sites of a recurrent model say whose losses their choices affect") {
    for (const Form& form : forms) {
        const Small small(form);
        REQUIRE(small.model.sites().size() == 1);
        const Site& site = small.model.sites().front();
        CHECK(site.path == "attention");
        CHECK(site.number == 0);
        CHECK(site.kind == SiteKind::cross);
        CHECK((site.affects == Affects::own_step) == small.parallel);
    }
}

TEST_CASE("forced choices are checked, and where there are none another way chooses") {
    const Small small(forms[2]);
    const Data data(1);
    const auto seen_with = [&](Choices choices) {
        const WayOfChoosing way = choose_forced(std::move(choices), choose_likeliest());
        Pass pass({}, Keep::choices);
        pass.choosing = way.get();
        return small.model.score(data.all(), {}, pass).seen;
    };
    const Sightings likeliest = seen_with({});
    REQUIRE(likeliest.size() == steps);
    const int32_t other = likeliest[1].index[0] == 0 ? 1 : 0;
    const Sightings one = seen_with({{{0, 1}, {other, 0}}});
    CHECK(one[0].index == likeliest[0].index);
    CHECK(one[1].index == Array<int32_t>{other, 0});
    CHECK_THROWS_WITH_AS(seen_with({{{0, 0}, {0}}}),
                         "attention: one forced choice for each query: site 0, step 0, choices 1, queries 2", Error);
    CHECK_THROWS_WITH_AS(seen_with({{{0, 1}, {0, 3}}}),
                         "attention: a forced choice out of range: site 0, step 1, position 3, positions 3", Error);
}

TEST_CASE("hard attention alone is REINFORCE with the mean of the other three of four samples as baseline") {
    AttentionOptions o;
    o.select.choose("hard");
    ParameterStore store(1);
    const Attention attention(Scope(store, "a"), o, 4, 4, QueryKind{false, false});
    const Selection& estimator = attention.select->hard()->estimator;
    CHECK(estimator.name() == "reinforce");
    Selection copy = estimator;
    CHECK(copy.as<ReinforceOptions>().samples == 4);
    CHECK(copy.as<ReinforceOptions>().baseline.name() == "leave_one_out");
}

namespace {
// Row `row` alone, without padding.
Ids unpadded(const Ids& ids, int64_t row) {
    Ids one(1, ids.length(row));
    one.lengths[0] = ids.lengths[static_cast<std::size_t>(row)];
    for (int64_t c = 0; c < one.columns; ++c) one.values[static_cast<std::size_t>(c)] = ids.at(row, c);
    return one;
}
}  // namespace

TEST_CASE("rows one by one, each without padding, have the gradient of their batch, dropout included") {
    ParameterStore store(5);
    const RnnSeq2Seq model(luong("softmax", 0.4), Scope(store), {vocabulary, vocabulary});
    Selection exact(estimator_table(), "exact");
    for (const Selection& options : {exact, reinforce("none", 3)}) {
        CAPTURE(options.name());
        ParameterStore own(6);
        const auto estimator = estimator_table().build(options, Scope(own), setup);
        const Data data(2);
        Context context;
        context.mode = Mode::train;
        context.seed = 3;
        Gradients whole(store), added(store);
        backward(model.estimate(*estimator, data.all(), {}, context).loss, whole);
        for (int64_t r = 0; r < data.source.rows; ++r) {
            context.first_row = r;
            const Ids source = unpadded(data.source, r), input = unpadded(data.input, r), target = unpadded(data.target, r);
            backward(model.estimate(*estimator, {source, input, target}, {}, context).loss, added);
        }
        const std::vector<double> a = flat(whole), b = flat(added);
        double worst = 0;
        for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
        CHECK(worst < 1e-12);
        CHECK(std::ranges::max(a) > 1e-3);
    }
}

TEST_SUITE_END();

}  // namespace by_position_test64
