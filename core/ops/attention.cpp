#include "core/ops/attention.h"

#include "core/kernels/attention.h"

namespace attend::ATTEND_PRECISION {

// h = tanh(q + k), e = v . h; dq_a = sum_s de v_a (1 - h^2), dk_a = sum_t de v_a (1 - h^2), dv_a =
// sum_bts de h
Tensor additive_score(const Tensor& query, const Tensor& keys, const Tensor& v, const Ranges& ranges) {
    require(query.rank() == 3 && keys.rank() == 3 && v.rank() == 1 && query.dim(0) == keys.dim(0) &&
                query.dim(2) == keys.dim(2) && v.dim(0) == keys.dim(2),
            "additive_score: shapes do not fit: query {}, keys {}, v {}", query.shape(), keys.shape(), v.shape());
    const kernels::ScoreSizes sizes{query.dim(0), query.dim(1), keys.dim(1), v.dim(0)};
    check_ranges("additive_score", ranges, sizes.batch * sizes.queries, sizes.keys, "keys", keys.shape());
    Tensor y = Tensor::empty({sizes.batch, sizes.queries, sizes.keys});
    kernels::additive_score(sizes, query.data(), keys.data(), v.data(), first_of(ranges), y.writable());
    return record("additive_score", y, {query, keys, v},
                  [=, query = Saved(query), keys = Saved(keys), v = Saved(v)](Backward& b) {
                      const auto run = [&](Destination dq, Destination dk, Destination dv) {
                          kernels::additive_score_backward(sizes, query.data(), keys.data(), v.data(), first_of(ranges),
                                                           b.gradient(), dq, dk, dv);
                      };
                      const Destination dq = b.wanted(0), dk = b.wanted(1), dv = b.wanted(2);
                      if (b.distinct({0, 1, 2}))
                          return run(dq, dk, dv);
                      run(dq, {}, {});
                      run({}, dk, {});
                      run({}, {}, dv);
                  });
}

}  // namespace attend::ATTEND_PRECISION
