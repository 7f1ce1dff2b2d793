#include "nn/estimators/estimator.h"

#include <algorithm>

#include "core/ops.h"
#include "nn/estimators/gumbel.h"

namespace attend::ATTEND_PRECISION {

namespace {

// Values [B, K T'] of each decision to [B, K, T]: those of a site one after the other, the sum over
// sites.
template <class F>
Tensor over_sites(const Played& played, F value) {
    const int64_t b = played.loss.dim(0), k = played.loss.dim(1);
    std::vector<std::pair<std::string, std::vector<Tensor>>> sites;
    for (const Decision& d : played.decisions) {
        auto at = std::find_if(sites.begin(), sites.end(), [&](const auto& s) { return s.first == d.site; });
        if (at == sites.end())
            at = sites.insert(sites.end(), {d.site, {}});
        const Tensor x = value(d);
        at->second.push_back(x.reshape({b, k, x.size() / (b * k)}));
    }
    Tensor total;
    for (const auto& [name, parts] : sites) {
        const Tensor x = parts.size() == 1 ? parts.front() : concat(std::span<const Tensor>(parts), -1);
        total = total.defined() ? total + x : x;
    }
    if (!total.defined())
        total = Tensor::zeros(played.loss.shape());
    if (played.before.empty())
        return total;
    Tensor first;  // [B, K, 1]
    for (const Decision& d : played.before) {
        const Tensor all = value(d);
        const Tensor x = sum(all.reshape({b, k, all.size() / (b * k)}), 2).reshape({b, k, 1});
        first = first.defined() ? first + x : x;
    }
    const int64_t t = played.loss.dim(2);
    return t == 1 ? total + first : total + concat({first, Tensor::zeros({b, k, t - 1})}, -1);
}

// p [B, K T, S] of the choices; 1 where there was no choice: a query that sees nothing has weights
// of 0.
Tensor chosen(const Tensor& p, const Array<int32_t>& index) {
    const int64_t queries = p.dim(0) * p.dim(1);
    Array<int32_t> ids = index;
    Tensor none = Tensor::zeros({queries});
    for (std::size_t q = 0; q < ids.size(); ++q)
        if (ids[q] < 0) {
            ids[q] = 0;
            none.writable()[static_cast<int64_t>(q)] = 1;
        }
    const Tensor picked = pick(p.reshape({queries, p.dim(2)}), ids);
    const Tensor left = shift(negate(none), 1);
    return (picked * left + none).reshape({p.dim(0), p.dim(1)});
}

const Tensor& drawn_from(const Decision& d) { return d.proposal.defined() ? d.proposal : d.weights; }

// 0 where a decision has no choice, else 1: [B, K T].
Tensor made(const Decision& d) {
    Tensor out = Tensor::zeros({d.weights.dim(0), d.weights.dim(1)});
    for (std::size_t q = 0; q < d.index.size(); ++q) out.writable()[static_cast<int64_t>(q)] = d.index[q] < 0 ? 0 : 1;
    return out;
}

}  // namespace

Tensor Played::probability() const {
    return over_sites(*this, [](const Decision& d) { return chosen(d.weights, d.index); });
}

Tensor Played::log_probability() const {
    return over_sites(*this, [](const Decision& d) { return log(chosen(d.weights, d.index)); });
}

Tensor Played::log_proposal() const {
    return over_sites(*this, [](const Decision& d) { return log(chosen(drawn_from(d), d.index)); });
}

// H = -sum_s p_s ln p_s
Tensor Played::entropy() const {
    return over_sites(
        *this, [](const Decision& d) { return negate(sum(d.weights * log(shift(d.weights, tiny_weight)), -1)) * made(d); });
}

// KL(q || p) = sum_s q_s (ln q_s - ln p_s)
Tensor Played::divergence() const {
    return over_sites(*this, [](const Decision& d) {
        const Tensor& q = drawn_from(d);
        return sum(q * (log(shift(q, tiny_weight)) - log(shift(d.weights, tiny_weight))), -1) * made(d);
    });
}

Tensor Played::queries() const {
    const NoGrad off;
    const int64_t b = loss.dim(0), k = loss.dim(1);
    std::vector<Tensor> parts;
    require(
        !decisions.empty(),
        "baseline 'learned': it reads the queries of the decoder's choices, and here only an encoder chooses: choices of the "
        "decoder {}, of the encoder {}",
        decisions.size(), before.size());
    for (const Decision& d : decisions)
        if (d.site == decisions.front().site)
            parts.push_back(d.query.detach().reshape({b, k, d.query.size() / (b * k * d.query.dim(2)), d.query.dim(2)}));
    return concat(std::span<const Tensor>(parts), 2);
}

Tensor Played::weights() const {
    const int64_t b = loss.dim(0), k = loss.dim(1);
    std::vector<Tensor> parts;
    for (const Decision& d : decisions) {
        const int64_t s = d.weights.dim(2);
        parts.push_back(d.weights.reshape({b, k, d.weights.size() / (b * k * s), s}));
    }
    return parts.size() == 1 ? parts.front() : concat(std::span<const Tensor>(parts), 2);
}

void samples_field(Visitor& v, int64_t& samples) {
    v.integer("samples", samples, {1, 1024}, "choices drawn for each example; their estimates are averaged");
}

Estimated averaged(const Played& played, const Tensor& sum, double normaliser) {
    const double samples = static_cast<double>(played.loss.dim(1));
    return {scale(sum, static_cast<real>(1 / (normaliser * samples))), mean_of_samples(played.loss), first_sample(played)};
}

Tensor mean_of_samples(const Tensor& x) {
    const NoGrad off;
    return mean(x.detach(), 1);
}

Array<int32_t> first_sample(const Played& played) {
    const int64_t b = played.loss.dim(0), k = played.loss.dim(1), t = played.loss.dim(2);
    Array<int32_t> out;
    for (int64_t r = 0; r < b; ++r)
        out.insert(out.end(), played.predicted.begin() + r * k * t, played.predicted.begin() + r * k * t + t);
    return out;
}

Tensor still_counted(const Tensor& counted) {
    Tensor left = from_each_step_on(counted.reshape({counted.dim(0), 1, counted.dim(1)}));
    for (int64_t i = 0; i < left.size(); ++i) left.writable()[i] = left.data()[i] > 0 ? 1 : 0;
    return left;
}

Tensor from_each_step_on(const Tensor& x) {
    const int64_t t = x.dim(2);
    Tensor y = Tensor::empty(x.shape());
    for (int64_t r = 0; r < x.dim(0) * x.dim(1); ++r) {
        double left = 0;
        for (int64_t i = t - 1; i >= 0; --i) {
            left += static_cast<double>(x.data()[r * t + i]);
            y.writable()[r * t + i] = static_cast<real>(left);
        }
    }
    return y;
}

// Each row is defined in the file of its name.
EstimatorTable::Row estimator_reinforce(), estimator_exact(), estimator_sum_and_sample(), estimator_straight_through(),
    estimator_gumbel_softmax(), estimator_rebar(), estimator_relax(), estimator_variational();

const EstimatorTable& estimator_table() {
    static const EstimatorTable table(
        "estimator", {estimator_reinforce(), estimator_exact(), estimator_sum_and_sample(), estimator_straight_through(),
                      estimator_gumbel_softmax(), estimator_rebar(), estimator_relax(), estimator_variational()});
    return table;
}
const registry::AtStart estimator_listed(estimator_table());

}  // namespace attend::ATTEND_PRECISION
