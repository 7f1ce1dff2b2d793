// Every estimator of hard attention against the enumeration of its own objective: all trajectories of a small model, every
// parameter. And the test itself against estimators with the known mistakes planted.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/estimators/pathwise.h"
#include "nn/estimators/reinforce.h"
#include "nn/models/rnn_seq2seq.h"
#include "tests/optim/options_by_name.h"

using namespace attend;

TEST_SUITE_BEGIN("estimators");

namespace {

constexpr int64_t vocabulary = 5, positions = 3, steps = 2, examples = 2;
const EstimatorSetup setup{.query = 4, .values = 4, .vocabulary = vocabulary};

struct Form {
    const char* name;
    const char* form;
    bool input_feeding;
};
constexpr Form forms[] = {{"luong", "luong", false}, {"luong with feeding", "luong", true}, {"bahdanau", "bahdanau", false}};

// A model with hard attention, its weights large enough that choices matter, and two examples of different lengths.
struct Small {
    explicit Small(const Form& f, real size = 2) : model(options(f), Scope(store), {vocabulary, vocabulary}) {
        parallel = std::string(f.form) == "luong" && !f.input_feeding;
        for (int64_t i = 0; i < store.size(); ++i) store.data()[i] *= size;
    }
    static RnnSeq2SeqOptions options(const Form& f) {
        RnnSeq2SeqOptions o;
        o.form = f.form;
        o.input_feeding = f.input_feeding;
        o.embedding = 3;
        o.hidden = 4;
        o.encoder_hidden = 2;
        o.attention.score.choose("general");
        o.attention.select.choose("hard");
        return o;
    }
    ParameterStore store{5};
    RnnSeq2Seq model;
    bool parallel;
};

// `copies` times one behind the other.
Ids ids_of(std::initializer_list<std::initializer_list<int32_t>> rows, int64_t columns, int64_t copies, int32_t padding) {
    Ids ids(static_cast<int64_t>(rows.size()) * copies, columns);
    int64_t r = 0;
    for (int64_t i = 0; i < copies; ++i)
        for (const auto& row : rows) {
            ids.lengths[static_cast<std::size_t>(r)] = static_cast<int32_t>(row.size());
            for (int64_t c = 0; c < columns; ++c)
                ids.values[static_cast<std::size_t>(r * columns + c)] =
                    c < static_cast<int64_t>(row.size()) ? *(row.begin() + c) : padding;
            ++r;
        }
    return ids;
}

struct Data {
    explicit Data(int64_t copies)
        : source(ids_of({{4, 2, 3}, {2, 4}}, positions, copies, 0)),
          input(ids_of({{1, 3}, {1}}, steps, copies, 0)),
          target(ids_of({{3, 2}, {4}}, steps, copies, -1)) {}
    ScoreInput all() const { return {source, input, target}; }
    Ids source, input, target;
};

// Example `row` alone.
Ids only(const Ids& ids, int64_t row) {
    Ids one(1, ids.columns);
    one.lengths[0] = ids.lengths[static_cast<std::size_t>(row)];
    for (int64_t c = 0; c < ids.columns; ++c) one.values[static_cast<std::size_t>(c)] = ids.at(row, c);
    return one;
}

std::vector<double> flat(Gradients& g) {
    g.finish();
    return {g.data(), g.data() + g.size()};
}

// What an inference network is asked for: the targets.
class Targets final : public Play {
  public:
    explicit Targets(const Ids& target) : target_(target) {}
    Played operator()(const Rule&) const override { fail("a play without a model: rows {}, targets {}", rows(), targets()); }
    int64_t rows() const override { return target_.rows; }
    int64_t targets() const override { return target_.columns; }
    int64_t positions() const override { return 0; }
    const Tensor& counted() const override { return counted_; }
    const Ids& target() const override { return target_; }
    bool independent() const override { return false; }

  private:
    const Ids& target_;
    Tensor counted_;
};

// The objective as its definition says, over all S^T choices of each example; of an estimator's own `proposal` where it has
// one.
// With `worth` the entropies of the choices are taken from the loss.
std::vector<double> enumerated(const Small& small, Aim aim, const Estimator* estimator = nullptr, double worth = 0) {
    const Data data(1);
    Gradients gradients(small.store);
    double normaliser = 0;
    for (const int32_t t : data.target.values) normaliser += t >= 0 ? 1 : 0;
    for (int64_t row = 0; row < examples; ++row) {
        const Ids source = only(data.source, row), input = only(data.input, row), target = only(data.target, row);
        Tensor total = Tensor::scalar(0);
        int64_t trajectories = 1;
        for (int64_t t = 0; t < steps; ++t) trajectories *= source.lengths[0];
        for (int64_t n = 0; n < trajectories; ++n) {
            Array<int32_t> choice;
            for (int64_t t = 0, rest = n; t < steps; ++t, rest /= source.lengths[0])
                choice.push_back(static_cast<int32_t>(rest % source.lengths[0]));
            Decisions decisions;
            if (small.parallel)
                decisions.forced = {choice};
            else
                for (const int32_t c : choice) decisions.forced.push_back({c});
            const Targets targets(target);
            const auto proposal = estimator == nullptr ? nullptr : estimator->proposal(targets);
            decisions.proposal = proposal.get();
            Context context;
            context.decisions = &decisions;
            Tensor loss = small.model.score({source, input, target}, {}, context).loss;
            Tensor p = Tensor::scalar(1);
            std::size_t t = 0;
            for (const Decision& d : decisions.taken) {
                const Tensor& from = aim == Aim::bound ? d.proposal : d.weights;
                const Tensor w = from.reshape({from.dim(1), from.dim(2)});
                for (int64_t q = 0; q < w.dim(0); ++q, ++t) {
                    const int32_t at[] = {choice[t]};
                    p = p * sum(pick(w.rows(q, q + 1), at));
                    if (worth > 0 && target.at(0, static_cast<int64_t>(t)) >= 0)
                        for (int32_t s = 0; s < source.lengths[0]; ++s) {
                            const int32_t each[] = {s};
                            const Tensor ps = sum(pick(w.rows(q, q + 1), each));
                            loss = loss + scale(ps * log(ps), static_cast<real>(worth));
                        }
                    if (aim == Aim::bound && target.at(0, static_cast<int64_t>(t)) >= 0)  // KL(q || p) of this step
                        for (int32_t s = 0; s < source.lengths[0]; ++s) {
                            const int32_t each[] = {s};
                            const Tensor prior = d.weights.reshape(w.shape()).rows(q, q + 1);
                            const Tensor qs = sum(pick(w.rows(q, q + 1), each)), ps = sum(pick(prior, each));
                            loss = loss + qs * (log(qs) - log(ps));
                        }
                }
            }
            total = total + (aim == Aim::marginal ? p * exp(negate(loss)) : p * loss);
        }
        if (aim == Aim::marginal)
            total = negate(log(total));
        backward(scale(total, static_cast<real>(1 / normaliser)), gradients);
    }
    return flat(gradients);
}

struct Comparison {
    double worst = 0;     ///< largest distance of a mean from what is expected, in standard errors
    double size = 0;      ///< largest element of what is expected
    double distance = 0;  ///< largest distance
    double cosine = 0;    ///< of the mean and what is expected
};

// Means over `calls` batches of `copies` copies of the data.
Comparison compare(const Small& small, const Estimator& estimator, const std::vector<double>& exact, int64_t calls,
                   int64_t copies) {
    const Data data(copies);
    double normaliser = 0;
    for (const int32_t t : data.target.values) normaliser += t >= 0 ? 1 : 0;
    std::vector<double> sum(exact.size(), 0), squares(exact.size(), 0);
    Context context;
    context.mode = Mode::train;
    context.seed = 3;
    Gradients gradients(small.store);
    for (int64_t i = 0; i < calls; ++i) {
        context.step = static_cast<uint32_t>(i);
        gradients.reset();
        backward(small.model.estimate(estimator, data.all(), {.normaliser = normaliser}, context).loss, gradients);
        gradients.finish();
        for (std::size_t j = 0; j < exact.size(); ++j) {
            const double off = gradients.data()[j] - exact[j];  // about the expectation, so that squares cancel little
            sum[j] += off;
            squares[j] += off * off;
        }
    }
    Comparison c;
    double product = 0, means = 0, expected = 0;
    const auto n = static_cast<double>(calls);
    for (std::size_t j = 0; j < exact.size(); ++j) {
        const double mean = sum[j] / n, variance = std::max(0.0, squares[j] / n - mean * mean);
        const double error = std::sqrt(variance / n) + 1e-12;
        c.worst = std::max(c.worst, std::abs(mean) / error);
        c.distance = std::max(c.distance, std::abs(mean));
        c.size = std::max(c.size, std::abs(exact[j]));
        product += (mean + exact[j]) * exact[j];
        means += (mean + exact[j]) * (mean + exact[j]);
        expected += exact[j] * exact[j];
    }
    c.cosine = product / std::sqrt(means * expected);
    return c;
}

// Batches of 350 copies: 105,000 draws of each choice a sample.
constexpr int64_t calls = 300, copies = 350;
#if defined(ATTEND_SANITIZED)
constexpr bool too_slow = true;  // the release build takes half a minute
#else
constexpr bool too_slow = false;
#endif

Selection reinforce(const std::string& baseline, int64_t samples) {
    Selection s(estimator_table(), "reinforce");
    s.as<ReinforceOptions>().baseline.choose(baseline);
    s.as<ReinforceOptions>().samples = samples;
    return s;
}

// Sets one option that is a whole number.
void set_integer(Selection& s, const std::string& name, int64_t value) {
    oracles::OptionsByName setter(std::map<std::string, std::string>{{name, std::to_string(value)}});
    s.options().fields(setter);
}

// REINFORCE with one mistake, or none.
enum class Mistake { none, reward_not_detached, sign_turned, reward_of_next_step, averaged, baseline_sees_action };
class Mistaken final : public Estimator {
  public:
    explicit Mistaken(Mistake m) : mistake_(m) {}
    Aim aim() const override { return Aim::expected; }
    Estimated operator()(const Play& play, double normaliser, const Context&) const override {
        const Played played = play({.how = Choose::drawn, .samples = 1});
        const int64_t b = play.rows(), t = play.targets();
        const Tensor counted = play.counted().reshape({b, 1, t});
        Tensor follows = from_each_step_on(played.loss), advantage = follows;
        if (mistake_ == Mistake::reward_not_detached) {
            Array<Tensor> from;  // the same sums, recorded
            for (int64_t i = 0; i < t; ++i) from.push_back(sum(slice(played.loss, 2, i, t), 2));
            advantage = stack(from, 2);
        }
        if (mistake_ == Mistake::sign_turned)
            advantage = negate(follows);
        if (mistake_ == Mistake::reward_of_next_step)  // what is behind step t alone
            advantage = concat({slice(follows, 2, 1, t), Tensor::zeros({b, 1, 1})}, 2);
        if (mistake_ == Mistake::averaged)  // over the steps that follow
            for (int64_t i = 0; i < follows.size(); ++i) advantage.writable()[i] /= static_cast<real>(t - i % t);
        if (mistake_ == Mistake::baseline_sees_action)  // half the loss of the very choice
            advantage = scale(follows, static_cast<real>(0.5));
        const Tensor each = played.loss + advantage * counted * log(played.probability());
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
    const std::pair<const char*, std::pair<Aim, bool>> known[] = {{"rebar", {Aim::expected, true}},
                                                                  {"relax", {Aim::expected, true}},
                                                                  {"variational", {Aim::bound, true}},
                                                                  {"reinforce", {Aim::expected, true}},
                                                                  {"exact", {Aim::marginal, true}},
                                                                  {"sum_and_sample", {Aim::marginal, false}},
                                                                  {"straight_through", {Aim::expected, false}},
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
                // What a baseline learns for itself stands behind the model's parameters, and is not compared.
                const Comparison c = compare(small, *estimator, exact, calls, copies);
                CAPTURE(c.distance);
                CHECK(c.size > 0.05);
                CHECK(c.worst < 5);
            }
    }
}

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
                    for (int64_t i = 0; i < p.shape.size(); ++i) small.store.data()[p.offset + i] = stream.uniform(-1, 1);
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
        for (const char* name : {"straight_through", "gumbel_softmax"}) {
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
    for (const Choose how : {Choose::drawn, Choose::relaxed, Choose::relaxed_hard}) {
        CAPTURE(static_cast<int>(how));
        Decisions decisions;
        decisions.how = how;
        decisions.temperature = 0.01;
        Context context;
        context.mode = Mode::train;
        context.decisions = &decisions;
        Site site;
        site.query = Tensor::zeros({rows, 1, 4});
        const Selected s = (*attention.select)(weights, site, context);
        double share[4] = {};
        for (const int32_t i : s.decision->index) share[i] += 1.0 / rows;
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
