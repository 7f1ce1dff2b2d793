#include "nn/estimators/rollout.h"

#include <algorithm>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/attention/gumbel.h"

namespace attend::ATTEND_PRECISION {

namespace {

// [B, K T', D], or with a row for each sample [B K, T', D], of each call to [B, K, T', D], one call
// after the other.
template <class F>
Tensor joined(const Sightings& calls, int64_t b, int64_t k, F tensor) {
    std::vector<Tensor> parts;
    for (const Seen& call : calls) {
        const Tensor x = tensor(call);
        parts.push_back(x.reshape({b, k, x.dim(0) * x.dim(1) / (b * k), x.dim(2)}));
    }
    return parts.size() == 1 ? parts.front() : concat(std::span<const Tensor>(parts), 2);
}

// Values [B, K T'] of each call to [B, K, T]: those of a site one after the other, the sum over
// sites.
template <class F>
Tensor over_sites(const Rollout& rollout, F value) {
    const int64_t b = rollout.loss.dim(0), k = rollout.loss.dim(1), t = rollout.loss.dim(2);
    Tensor total, first;  // of those that affect all targets: [B, K, 1]
    for (const SiteRollout& s : rollout.sites) {
        std::vector<Tensor> parts;
        for (const Seen& call : s.calls) {
            const Tensor x = value(call);
            parts.push_back(x.reshape({b, k, x.size() / (b * k)}));
        }
        const Tensor x = parts.size() == 1 ? parts.front() : concat(std::span<const Tensor>(parts), -1);
        if (s.site.affects == Affects::all) {
            const Tensor all = sum(x, 2).reshape({b, k, 1});
            first = first.defined() ? first + all : all;
        } else {
            total = total.defined() ? total + x : x;
        }
    }
    if (!total.defined())
        total = Tensor::zeros(rollout.loss.shape());
    if (!first.defined())
        return total;
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

const Tensor& drawn_from(const Seen& call) { return call.proposal.defined() ? call.proposal : call.weights; }

// 0 where a query has no choice, else 1: [B, K T].
Tensor made(const Seen& call) {
    Tensor out = Tensor::zeros({call.weights.dim(0), call.weights.dim(1)});
    for (std::size_t q = 0; q < call.index.size(); ++q) out.writable()[static_cast<int64_t>(q)] = call.index[q] < 0 ? 0 : 1;
    return out;
}

}  // namespace

Tensor SiteRollout::weights(int64_t examples, int64_t samples) const {
    return joined(calls, examples, samples, [](const Seen& call) { return call.weights; });
}

Tensor SiteRollout::queries(int64_t examples, int64_t samples) const {
    return joined(calls, examples, samples, [](const Seen& call) { return call.query; });
}

Tensor Rollout::probability() const {
    return over_sites(*this, [](const Seen& call) { return chosen(call.weights, call.index); });
}

Tensor Rollout::log_probability() const {
    return over_sites(*this, [](const Seen& call) { return log(chosen(call.weights, call.index)); });
}

Tensor Rollout::log_proposal() const {
    return over_sites(*this, [](const Seen& call) { return log(chosen(drawn_from(call), call.index)); });
}

// H = -sum_s p_s ln p_s
Tensor Rollout::entropy() const {
    return over_sites(*this, [](const Seen& call) {
        return negate(sum(call.weights * log(shift(call.weights, tiny_weight)), -1)) * made(call);
    });
}

// KL(q || p) = sum_s q_s (ln q_s - ln p_s)
Tensor Rollout::divergence() const {
    return over_sites(*this, [](const Seen& call) {
        const Tensor& q = drawn_from(call);
        return sum(q * (log(shift(q, tiny_weight)) - log(shift(call.weights, tiny_weight))), -1) * made(call);
    });
}

Tensor Rollout::queries() const {
    const NoGrad off;
    for (const SiteRollout& s : sites)
        if (s.site.affects != Affects::all)
            return s.queries(loss.dim(0), loss.dim(1)).detach();
    fail(
        "baseline 'learned': it reads the queries of the decoder's choices, and here only an encoder chooses: choices of the "
        "decoder {}, of the encoder {}",
        0, sites.size());
}

Choices Rollout::choices() const {
    Choices all;
    for (const SiteRollout& s : sites)
        for (const Seen& call : s.calls) all[{call.site, call.step}] = call.index;
    return all;
}

Rollout rollout_of(Tensor loss, Array<int32_t> predicted, Sightings seen, const Sites& sites) {
    Rollout out{std::move(loss), std::move(predicted), {}};
    for (const Site& site : sites) {
        SiteRollout of{site, {}};
        for (Seen& call : seen)
            if (call.site == site.number)
                of.calls.push_back(std::move(call));
        if (!of.calls.empty())
            out.sites.push_back(std::move(of));
    }
    return out;
}

Support with_weight(const Tensor& weights, real threshold) {
    const int64_t b = weights.dim(0), t = weights.dim(1), s = weights.dim(2);
    const auto least_of = [&](const real* w) { return s == 0 ? threshold : std::min(threshold, *std::max_element(w, w + s)); };
    // A weight that is NaN stays: it must be seen, not left out.
    const auto stays = [](real w, real least) { return !(w <= 0) && !(w < least); };
    Support out{1, {}};
    for (int64_t q = 0; q < b * t; ++q) {
        const real* w = weights.data() + q * s;
        const real least = threshold > 0 ? least_of(w) : 0;
        out.count = std::max<int64_t>(out.count, std::count_if(w, w + s, [&](real x) { return stays(x, least); }));
    }
    out.index.assign(static_cast<std::size_t>(b * out.count * t), -1);
    for (int64_t q = 0; q < b * t; ++q) {
        const real* w = weights.data() + q * s;
        const real least = threshold > 0 ? least_of(w) : 0;
        int32_t* to = out.index.data() + q / t * out.count * t + q % t;
        for (int64_t i = 0; i < s; ++i)
            if (stays(w[i], least)) {
                *to = static_cast<int32_t>(i);
                to += t;
            }
    }
    return out;
}

Tensor at_support(const Tensor& x, const Support& support) {
    const int64_t b = x.dim(0), t = x.dim(1), s = x.dim(2), n = support.count;
    Array<int32_t> numbers(support.index.size());
    for (int64_t r = 0; r < b; ++r)
        for (int64_t k = 0; k < n; ++k)
            for (int64_t i = 0; i < t; ++i) {
                const auto at = static_cast<std::size_t>((r * n + k) * t + i);
                const int32_t position = support.index[at];
                numbers[at] = static_cast<int32_t>(position < 0 ? -1 : (r * t + i) * s + position);
            }
    return elements(x, numbers, {b, n, t});
}

namespace {
// The key of the choices of the one site of models in which all queries attend at once.
std::pair<int64_t, int64_t> only_call(const Rollouts& rollouts) {
    require(rollouts.sites().size() == 1 && independent(rollouts.sites()),
            "rollouts: positions can be read one by one where there is one site, whose choices affect their own step alone: "
            "sites {}, "
            "independent {}",
            rollouts.sites().size(), independent(rollouts.sites()));
    return {rollouts.sites().front().number, 0};
}
}  // namespace

Choices each_position(const Rollouts& rollouts) {
    const int64_t b = rollouts.rows(), s = rollouts.positions(), t = rollouts.targets();
    Array<int32_t> index(static_cast<std::size_t>(b * s * t));
    for (std::size_t i = 0; i < index.size(); ++i) index[i] = static_cast<int32_t>(static_cast<int64_t>(i) / t % s);
    return {{only_call(rollouts), std::move(index)}};
}

ByPosition Rollouts::by_position_one_by_one(const SupportOf& support) const {
    const auto call = only_call(*this);
    const auto weights = [this] {
        const NoGrad off;
        return (*this)(*choose_likeliest(), 1).sites.front().weights(rows(), 1).reshape({rows(), targets(), positions()});
    };
    const Support at = support(weights());
    const Rollout each = (*this)(*choose_forced({{call, at.index}}), at.count);
    Tensor made = Tensor::zeros({rows(), at.count, targets()});
    for (std::size_t i = 0; i < at.index.size(); ++i) made.writable()[static_cast<int64_t>(i)] = at.index[i] < 0 ? 0 : 1;
    return {each.probability() * made, each.loss * made, each.predicted};
}

}  // namespace attend::ATTEND_PRECISION
