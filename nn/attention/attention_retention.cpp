#include <cmath>

#include "core/ops.h"
#include "nn/attention/state_attention.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct RetentionOptions : StateOptions {
    double first_exponent = 5;
    void fields(Visitor& v) {
        StateOptions::fields(v);
        v.number("first_exponent", first_exponent, {0, 64},
                 "e of the first head's decay: head h keeps 1 - 2^-(e + h) of its state at each position (Sun 2023: 5)");
    }
};

Tensor by_root_of_width(const Tensor& q) { return scale(q, static_cast<real>(1 / std::sqrt(static_cast<double>(q.dim(-1))))); }

/// S_t = gamma_h S_{t-1} + v_t k_t^T,  o_t = norm(S_t q_t / sqrt(K)),  gamma_h = 1 - 2^-(5 + h): the retention of head h, h
/// from 0 and counted over the states; norm is the root mean square of each head   (Sun et al. 2023, eq. 6 to 8, without their
/// rotation of queries and keys, and without the gate of eq. 8)
class RetentionKind final : public StateAttention {
  public:
    explicit RetentionKind(const RetentionOptions& o)
        : StateAttention({.name = "retention",
                          .query = by_root_of_width,
                          .decay = [e = o.first_exponent](int64_t h) { return 1 - std::exp2(-(e + static_cast<double>(h))); },
                          .norm = HeadNorm::yes},
                         o) {}
};

}  // namespace

AttentionTable::Row attention_retention() {
    return AttentionTable::row<RetentionKind, RetentionOptions>(
        "retention",
        "a state of sums v k^T that each head forgets at a rate of its own: no weights, no maps (Sun 2023, eq. 6)");
}

}  // namespace attend::ATTEND_PRECISION
