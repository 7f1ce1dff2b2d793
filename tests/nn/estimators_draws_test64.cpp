// Coupled choices, choices without replacement and implicit maximum likelihood: what each of them draws, and the last one's
// own definition, whose mean over the noise has a closed form.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/nn/estimators_support.h"

namespace estimators_draws_test64 {

using namespace attend;
using namespace attend::enumeration;

TEST_SUITE_BEGIN("estimators: draws");

namespace {

std::unique_ptr<Estimator> built(const Selection& s) {
    ParameterStore none(1);
    return estimator_table().build(s, Scope(none), setup);
}

// In each sample of the one site the positions of `choices`, read in such a way that the gradient that arrives there can be
// asked for.
class WatchedChoices final : public Choosing {
  public:
    explicit WatchedChoices(Choices choices) : forced_(choose_forced(std::move(choices))) {}
    Chosen operator()(const ChoiceInput& input) const override {
        Chosen c = (*forced_)(input);
        read = c.read = watch(c.read);
        return c;
    }
    mutable Tensor read;

  private:
    WayOfChoosing forced_;
};

// P(argmax(ln p + g) = a, argmax(ln p + g - move) = b) for a != b, g Gumbel noise. With X_i = Exp(1) / p_i both are the
// smallest, of X and of X exp(move). Given X_a = u and X_b = r u the others are large enough with probability
// exp(-u sum_j p_j max(1, r c_b / c_j)), c = exp(move), and u goes from 0 to infinity, r from 1 to c_a / c_b:
//     p_a p_b integral dr / A(r)^2,   A(r) = p_a + p_b r + sum_j p_j max(1, r c_b / c_j),
// where A is straight between the r at which a maximum changes, so that each piece has (r1 - r0) / (A(r0) A(r1)).
double moves_from_to(const std::vector<double>& p, const std::vector<double>& move, std::size_t a, std::size_t b) {
    const double end = std::exp(move[a] - move[b]);
    if (end <= 1)
        return 0;
    std::vector<double> cuts = {1, end};
    for (std::size_t j = 0; j < p.size(); ++j)
        if (const double cut = std::exp(move[j] - move[b]); j != a && j != b && cut > 1 && cut < end)
            cuts.push_back(cut);
    std::sort(cuts.begin(), cuts.end());
    const auto rate = [&](double r) {
        double sum = p[a] + p[b] * r;
        for (std::size_t j = 0; j < p.size(); ++j)
            if (j != a && j != b)
                sum += p[j] * std::max(1.0, r * std::exp(move[b] - move[j]));
        return sum;
    };
    double total = 0;
    for (std::size_t i = 1; i < cuts.size(); ++i) total += (cuts[i] - cuts[i - 1]) / (rate(cuts[i - 1]) * rate(cuts[i]));
    return p[a] * p[b] * total;
}

// Of sample a, which reads position a everywhere, the gradient of the loss with respect to what is read.
class EachPosition final : public Estimator {
  public:
    Aim aim() const override { return Aim::expected; }
    Estimated operator()(const Rollouts& rollouts, double, const Context&) const override {
        const WatchedChoices way(each_position(rollouts));
        const Tensor loss = sum(rollouts(way, rollouts.positions()).loss);
        read = way.read;
        return {loss, {}, {}};
    }
    mutable Tensor read;
};

// [B, S T, S] of the two examples.
Tensor loss_slopes(const Small& small) {
    const Data data(1);
    const EachPosition each;
    Gradients gradients(small.store);
    backward(small.model.estimate(each, data.all(), {}, {}).loss, gradients);
    return gradients.of(each.read);
}

// The mean over the noise of implicit maximum likelihood, for choices that affect their own step alone:
//     sum_a p_a grad l_a + sum_a sum_b P(a, b) (grad theta_a - grad theta_b) / lambda,   theta = ln p
// with P(a, b) that of choosing a, and b after theta is moved by -lambda dl_a/dz.
class ImplicitMean final : public Estimator {
  public:
    ImplicitMean(Tensor dz, double lambda) : dz_(std::move(dz)), lambda_(lambda) {}
    Aim aim() const override { return Aim::expected; }
    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        const int64_t s = rollouts.positions(), t = rollouts.targets();
        const Rollout each = rollouts(*choose_forced(each_position(rollouts)), s);
        const Tensor weights = each.sites.front().calls.front().weights;
        Tensor share = Tensor::zeros(each.loss.shape()), slope = Tensor::zeros(weights.shape());
        for (int64_t query = 0; query < share.size(); ++query) {
            const auto a = static_cast<std::size_t>(query / t % s);
            std::vector<double> p, move;
            for (int64_t i = query * s; i < query * s + s && weights.data()[i] > 0; ++i) {
                p.push_back(weights.data()[i]);
                move.push_back(lambda_ * dz_.data()[i]);
            }
            if (a >= p.size())
                continue;  // padding
            share.writable()[query] = p[a];
            for (std::size_t to = 0; to < p.size(); ++to)
                if (to != a) {
                    const double of = moves_from_to(p, move, a, to) / lambda_;
                    slope.writable()[query * s + static_cast<int64_t>(a)] += of / p[a];
                    slope.writable()[query * s + static_cast<int64_t>(to)] -= of / p[to];
                }
        }
        return {scale(sum(share * each.loss) + sum(slope * weights), static_cast<real>(1 / normaliser)), {}, {}};
    }

  private:
    Tensor dz_;
    double lambda_;
};

// The gradient of an estimator that draws nothing, for the two examples.
std::vector<double> gradient_of(const Small& small, const Estimator& estimator) {
    const Data data(1);
    Gradients gradients(small.store);
    backward(small.model.estimate(estimator, data.all(), {.normaliser = 3}, {}).loss, gradients);
    return flat(gradients);
}

}  // namespace

TEST_CASE("imle has the gradient of its own definition in the mean" * doctest::skip(too_slow)) {
    const Small small(forms[0], 3);  // where choices and their second choices matter
    const Tensor dz = loss_slopes(small);
    const auto with = [](double lambda, int64_t samples) {
        Selection s(estimator_table(), "imle");
        oracles::OptionsByName setter(std::map<std::string, std::string>{{"lambda", std::to_string(lambda)}});
        s.options().fields(setter);
        set_integer(s, "samples", samples);
        return built(s);
    };
    const auto mean_of = [&](double lambda) { return gradient_of(small, ImplicitMean(dz, lambda)); };
    for (const auto& [lambda, samples] : {std::pair(0.5, 1), std::pair(4.0, 2)}) {
        CAPTURE(lambda);
        const Comparison c = compare(small, *with(lambda, samples), mean_of(lambda), calls, copies);
        CAPTURE(c.distance);
        CHECK(c.size > 0.05);
        CHECK(c.worst < 5);
    }
    CHECK(compare(small, *with(4, 1), mean_of(8), calls, copies).worst > 8);
}

TEST_CASE("unordered_set with all positions is the expected objective's gradient, draw for draw") {
    const Small small(forms[0], 5);
    const std::vector<double> exact = enumerated(small, Aim::expected);
    for (const int64_t k : {3, 7}) {
        CAPTURE(k);
        Selection s(estimator_table(), "unordered_set");
        set_integer(s, "k", k);
        const Comparison c = compare(small, *built(s), exact, 1, 1);
        CHECK(c.size > 0.05);
        CHECK(c.distance < 1e-12);
    }
}

TEST_CASE("coupled choices are draws of the weights, and the two of a pair agree only where one position has more than half") {
    ParameterStore store(1);
    AttentionOptions o;
    o.select.choose("hard");
    const Attention attention(Scope(store, "a"), o, 4, 4, QueryKind{false, false});
    constexpr int64_t rows = 20000;
    const double p[2][4] = {{0.2, 0.4, 0.3, 0.1}, {0.7, 0, 0.1, 0.2}};
    // The likeliest is taken by both with probability 2 p - 1. In the first row neither takes it with 0.2; then the next, of
    // 0.3 in 0.6, is taken by one of the two.
    const double agree[] = {0, 0.4};
    for (const int which : {0, 1}) {
        CAPTURE(which);
        Tensor weights = Tensor::empty({rows, 4, 4});  // two samples of two steps
        for (int64_t i = 0; i < weights.size(); ++i) weights.writable()[i] = p[which][i % 4];
        const WayOfChoosing way = choose_coupled();
        Pass pass;
        pass.mode = Mode::train;
        pass.choosing = way.get();
        pass.samples = 2;
        Call site;
        site.query = Tensor::zeros({rows, 4, 4});
        const Chosen chosen = (*attention.select)(weights, site, pass);
        double share[2][4] = {}, same = 0, both_steps = 0;
        for (std::size_t r = 0; r < rows; ++r) {
            const int32_t* at = chosen.index.data() + 4 * r;
            for (int sample = 0; sample < 2; ++sample) share[sample][at[2 * sample]] += 1.0 / rows;
            same += (at[0] == at[2]) / static_cast<double>(rows);
            both_steps += (at[0] == at[1]) / static_cast<double>(rows);
        }
        const auto error = [](double q) { return 5 * std::sqrt(q * (1 - q) / rows) + 1e-12; };
        double repeated = 0;
        for (int i = 0; i < 4; ++i) {
            CHECK(std::abs(share[0][i] - p[which][i]) <= error(p[which][i]));
            CHECK(std::abs(share[1][i] - p[which][i]) <= error(p[which][i]));
            repeated += p[which][i] * p[which][i];
        }
        CHECK(std::abs(same - agree[which]) <= error(agree[which]));
        CHECK(std::abs(both_steps - repeated) <= error(repeated));  // steps are independent
        pass.samples = 1;
        CHECK_THROWS_WITH_AS((*attention.select)(weights, site, pass), doctest::Contains("in pairs"), Error);
    }
    Selection odd(estimator_table(), "coupled");
    set_integer(odd, "samples", 3);
    CHECK_THROWS_WITH_AS(built(odd), doctest::Contains("in pairs"), Error);
}

TEST_SUITE_END();

}  // namespace estimators_draws_test64
