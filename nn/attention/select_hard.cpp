#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "nn/attention/select.h"
#include "nn/estimators/gumbel.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct HardOptions {
    Selection estimator{estimator_table(), "reinforce"};
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

/// Reads one position a query: c = value_a, a ~ Categorical(weights)   (Xu et al. 2015, 4.1)
class HardSelect final : public Select {
  public:
    HardSelect(const HardOptions& o, const Scope& scope)
        : path_(scope.path()), name_(hash_name(scope.path())), choice_(o.choice()) {}

    Selected operator()(const Tensor& weights, const Site& site, const Context& context) const override {
        const Decisions* asked = context.decisions;
        Choose how = asked != nullptr ? asked->how : Choose::own;
        if (how == Choose::own)
            how = context.training() ? Choose::drawn : evaluated();
        if (how == Choose::softly)
            return {weights, std::nullopt};
        Decision d{path_, site.position, {}, weights, site.query, site.values};
        if (how == Choose::relaxed || how == Choose::relaxed_hard) {
            const Tensor read = relaxed(weights, site, context);
            d.index = likeliest(read);
            return {how == Choose::relaxed ? read : through(one_hot(read, d.index), read), std::move(d)};
        }
        if (asked != nullptr && asked->proposal != nullptr)
            d.proposal = (*asked->proposal)(weights, site.query, site.values, site.position, asked->samples);
        if (asked != nullptr && asked->taken.size() < asked->forced.size())
            d.index = forced(weights, asked->forced[asked->taken.size()]);
        else if (how == Choose::likeliest)
            d.index = likeliest(weights);
        else
            d.index = drawn(d.proposal.defined() ? d.proposal : weights, site, context);
        if (how == Choose::relaxed_free || how == Choose::relaxed_given)
            return {relaxed_by(d, how, context), std::move(d)};
        const Tensor read = one_hot(weights, d.index);
        return {how == Choose::straight_through ? through(read, weights) : read, std::move(d)};
    }
    const HardChoice* hard() const override { return &choice_; }

  private:
    Choose evaluated() const {
        switch (choice_.evaluate) {
            case HardChoice::Evaluate::drawn:
                return Choose::drawn;
            case HardChoice::Evaluate::marginal:
                return Choose::softly;
            default:
                return Choose::likeliest;
        }
    }
    // The first position whose cumulated weight exceeds u of the row's sum; u of (time, sample,
    // row) alone.
    Array<int32_t> drawn(const Tensor& weights, const Site& site, const Context& context) const {
        const int64_t s = weights.dim(2), samples = context.decisions != nullptr ? context.decisions->samples : 1;
        Array<int32_t> index(static_cast<std::size_t>(weights.dim(0) * weights.dim(1)), -1);
        each_query(weights, name_, site.position, samples, context, [&](int64_t row, int64_t b, const Draws& draws) {
            const real* w = weights.data() + row * s;
            double total = 0;
            for (int64_t i = 0; i < s; ++i) total += static_cast<double>(w[i]);
            double left = static_cast<double>(open_interval(philox(draws.counter(b, 0), draws.key)[0])) * total;
            for (int64_t i = 0; i < s && left >= 0; ++i)
                if (w[i] > 0) {
                    index[static_cast<std::size_t>(row)] = static_cast<int32_t>(i);
                    left -= static_cast<double>(w[i]);
                }
        });
        return index;
    }

    // The value of `read` with the gradient of `weights`.
    static Tensor through(const Tensor& read, const Tensor& weights) { return add(read, subtract(weights, weights.detach())); }

    // softmax(z / temperature) of z with its largest where the choice is; dz / d ln w as `how`
    // says.
    Tensor relaxed_by(const Decision& d, Choose how, const Context& context) const {
        const Decisions& asked = *context.decisions;
        const GivenGumbel given = gumbel_given(d.weights, d.index, {name_, d.step, asked.samples}, context);
        const Tensor l = log(shift(d.weights, tiny_weight)), moved = l - l.detach();
        const Tensor z = given.z + (how == Choose::relaxed_free ? moved : given.slope * moved);
        return softmax(z + shut_out(d.weights, asked.temperature), ranges_of(d.weights),
                       static_cast<real>(1 / asked.temperature));
    }

    // softmax((ln w + g) / temperature) with g = -ln(-ln u) of (time, sample, row, position) alone.
    // What has no weight stays without.
    Tensor relaxed(const Tensor& weights, const Site& site, const Context& context) const {
        const int64_t s = weights.dim(2);
        const Decisions& asked = *context.decisions;
        Tensor noise = Tensor::empty(weights.shape());
        each_query(weights, name_, site.position, asked.samples, context, [&](int64_t row, int64_t b, const Draws& draws) {
            for (int64_t i = 0; i < s; ++i)
                noise.writable()[row * s + i] = static_cast<real>(-std::log(exponential(draws, b, i)));
        });
        const auto by = static_cast<real>(1 / asked.temperature);
        return softmax(scale(log(shift(weights, tiny_weight)) + noise + shut_out(weights, asked.temperature), by),
                       ranges_of(weights));
    }

    static Array<int32_t> likeliest(const Tensor& weights) {
        const int64_t s = weights.dim(2), queries = weights.dim(0) * weights.dim(1);
        Array<int32_t> index(static_cast<std::size_t>(queries), -1);
        for (int64_t q = 0; q < queries; ++q) {
            const real* w = weights.data() + q * s;
            const real* best = std::max_element(w, w + s);
            if (best != w + s && *best > 0)
                index[static_cast<std::size_t>(q)] = static_cast<int32_t>(best - w);
        }
        return index;
    }

    // Choices of the caller; they can include positions that a query may not see.
    Array<int32_t> forced(const Tensor& weights, const Array<int32_t>& choices) const {
        require(static_cast<int64_t>(choices.size()) == weights.dim(0) * weights.dim(1),
                "{}: one forced choice for each query: choices {}, queries {}", path_, choices.size(),
                weights.dim(0) * weights.dim(1));
        for (const int32_t c : choices)
            require(c >= -1 && c < weights.dim(2), "{}: a forced choice out of range: position {}, positions {}", path_, c,
                    weights.dim(2));
        return choices;
    }

    static Tensor one_hot(const Tensor& weights, const Array<int32_t>& index) {
        Tensor read = Tensor::zeros(weights.shape());
        for (std::size_t q = 0; q < index.size(); ++q)
            if (index[q] >= 0)
                read.writable()[static_cast<int64_t>(q) * weights.dim(2) + index[q]] = 1;
        return read;
    }

    std::string path_;
    uint64_t name_;
    HardChoice choice_;
};

}  // namespace

SelectTable::Row select_hard() {
    return SelectTable::row<HardSelect, HardOptions>("hard", "read one position: drawn in training (Xu 2015, 4.1)");
}

}  // namespace attend::ATTEND_PRECISION
