#include "nn/attention/additive.h"

#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

AdditiveWith::AdditiveWith(const Scope& scope, const ScoreSetup& s)
    : query(scope.in("query"), s.query, s.width, Bias::no),
      key(scope.in("key"), s.memory, s.width, Bias::no),
      v(scope.add("v", {s.width}, Init::xavier(s.width, 1))) {}

// Each query has keys of its own, U m_s + extra_ts: B T sources with one query each.
Tensor AdditiveWith::operator()(const Call& call, const Tensor& extra, const Ranges& ranges) const {
    const Tensor queries = query(call.query);
    if (!extra.defined())
        return additive_score(queries, call.keys, v, ranges);
    const int64_t b = call.batch(), t = call.queries(), s = call.source, a = v.dim(0);
    const Tensor keys = call.keys.reshape({b, 1, s, a}) + extra;
    return additive_score(queries.reshape({b * t, 1, a}), keys.reshape({b * t, s, a}), v, ranges).reshape({b, t, s});
}

Tensor weights_before(const Call& call) {
    const Tensor& before = call.previous.weights;
    return before.defined() ? before : Tensor::zeros({call.batch(), call.queries(), call.source});
}

}  // namespace attend::ATTEND_PRECISION
