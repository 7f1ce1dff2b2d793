#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "nn/attention/select.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

constexpr real tiny = static_cast<real>(1e-30);  // stands for a weight of 0 where its logarithm is taken

struct HardOptions {
    Selection estimator{estimator_table(), "reinforce"};
    std::string evaluate = "likeliest";
    void fields(Visitor& v) {
        v.selection("estimator", estimator, "what makes a gradient of the choices");
        v.choice("evaluate", evaluate, {"likeliest", "drawn"}, "the position that is read outside of training");
    }
};

/// Reads one position a query: c = value_a, a ~ Categorical(weights)   (Xu et al. 2015, 4.1)
class HardSelect final : public Select {
  public:
    HardSelect(const HardOptions& o, const Scope& scope, const SelectSetup& s)
        : path_(scope.path()),
          name_(hash_name(scope.path())),
          evaluate_(o.evaluate == "drawn" ? Choose::drawn : Choose::likeliest),
          estimator_(estimator_table().build(o.estimator, scope.in("estimator"), {s.query})) {}

    Selected operator()(const Tensor& weights, const Site& site, const Context& context) const override {
        const Decisions* asked = context.decisions;
        Choose how = asked != nullptr ? asked->how : Choose::own;
        if (how == Choose::own)
            how = context.training() ? Choose::drawn : evaluate_;
        if (how == Choose::softly)
            return {weights, std::nullopt};
        Decision d{path_, site.position, {}, weights, site.query};
        if (how == Choose::relaxed || how == Choose::relaxed_hard) {
            const Tensor read = relaxed(weights, site, context);
            d.index = likeliest(read);
            return {how == Choose::relaxed ? read : through(one_hot(read, d.index), read), std::move(d)};
        }
        if (asked != nullptr && asked->taken.size() < asked->forced.size())
            d.index = forced(weights, asked->forced[asked->taken.size()]);
        else
            d.index = how == Choose::likeliest ? likeliest(weights) : drawn(weights, site, context);
        const Tensor read = one_hot(weights, d.index);
        return {how == Choose::straight_through ? through(read, weights) : read, std::move(d)};
    }
    bool draws() const override { return true; }
    const Estimator* estimator() const override { return estimator_.get(); }

  private:
    // The first position whose cumulated weight exceeds u of the row's sum; u of (time, sample, row) alone.
    Array<int32_t> drawn(const Tensor& weights, const Site& site, const Context& context) const {
        const int64_t rows = weights.dim(0), queries = weights.dim(1), s = weights.dim(2);
        const int64_t samples = context.decisions != nullptr ? context.decisions->samples : 1, times = queries / samples;
        Array<int32_t> index(static_cast<std::size_t>(rows * queries), -1);
        for (int64_t q = 0; q < queries; ++q) {
            Draws draws = context.draws(name_, static_cast<uint32_t>(site.position + q % times));
            draws.sample += static_cast<uint32_t>(q / times);
            for (int64_t b = 0; b < rows; ++b) {
                const real* w = weights.data() + (b * queries + q) * s;
                double total = 0;
                for (int64_t i = 0; i < s; ++i) total += static_cast<double>(w[i]);
                double left = static_cast<double>(open_interval(philox(draws.counter(b, 0), draws.key)[0])) * total;
                int32_t& chosen = index[static_cast<std::size_t>(b * queries + q)];
                for (int64_t i = 0; i < s && left >= 0; ++i)
                    if (w[i] > 0) {
                        chosen = static_cast<int32_t>(i);
                        left -= static_cast<double>(w[i]);
                    }
            }
        }
        return index;
    }

    // The value of `read` with the gradient of `weights`.
    static Tensor through(const Tensor& read, const Tensor& weights) { return add(read, subtract(weights, weights.detach())); }

    // softmax((ln w + g) / temperature) with g = -ln(-ln u) of (time, sample, row, position) alone. What has no weight stays
    // without: e^(ln tiny / temperature) is 0.
    Tensor relaxed(const Tensor& weights, const Site& site, const Context& context) const {
        const int64_t rows = weights.dim(0), queries = weights.dim(1), s = weights.dim(2);
        const Decisions& asked = *context.decisions;
        const int64_t times = queries / asked.samples;
        Tensor noise = Tensor::empty(weights.shape());
        Ranges ranges(static_cast<std::size_t>(rows * queries));
        for (int64_t q = 0; q < queries; ++q) {
            Draws draws = context.draws(name_, static_cast<uint32_t>(site.position + q % times));
            draws.sample += static_cast<uint32_t>(q / times);
            for (int64_t b = 0; b < rows; ++b) {
                const int64_t row = b * queries + q;
                for (int64_t i = 0; i < s; ++i) {
                    const auto bits = philox(draws.counter(b, 1 + i / 4), draws.key);
                    const double u = static_cast<double>(open_interval(bits[static_cast<std::size_t>(i % 4)]));
                    noise.writable()[row * s + i] = static_cast<real>(-std::log(-std::log(u)));
                    if (weights.data()[row * s + i] > 0)
                        ranges[static_cast<std::size_t>(row)] = {0, static_cast<int32_t>(s)};
                }
            }
        }
        const auto by = static_cast<real>(1 / asked.temperature);
        return softmax(scale(log(shift(weights, tiny)) + noise, by), ranges);
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

    // Choices that somebody else has made; positions that a query may not see can be among them.
    Array<int32_t> forced(const Tensor& weights, const Array<int32_t>& choices) const {
        require(static_cast<int64_t>(choices.size()) == weights.dim(0) * weights.dim(1),
                "{}: one forced choice a query: choices {}, queries {}", path_, choices.size(),
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
    Choose evaluate_;
    std::unique_ptr<Estimator> estimator_;
};

}  // namespace

SelectTable::Row select_hard() {
    return SelectTable::make<HardOptions>("hard", "read one position: drawn in training (Xu 2015, 4.1)",
                                          [](const HardOptions& o, const Scope& scope, const SelectSetup& s) {
                                              return std::make_unique<HardSelect>(o, scope, s);
                                          });
}

}  // namespace attend::inline ATTEND_PRECISION
