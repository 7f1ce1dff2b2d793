#include <cmath>

#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/attention/head_group.h"

namespace attend::ATTEND_PRECISION {

namespace {

constexpr double lambda_deviation = 0.1;  // of the vectors' first values, as in the authors' code
constexpr real read_norm_epsilon = real{1e-5};

/// c = (a_1 - lambda a_2) V, with a_i the weights of the i-th halves of query and key (Ye et al. 2024, eq. 1);
/// lambda = e^(q_1 . k_1) - e^(q_2 . k_2) + lambda_init, lambda_init = 0.8 - 0.6 e^(-0.3 (l - 1)) in layer l, counted from 1
/// (eq. 2): one for all heads of the layer, with q_1, k_1, q_2, k_2 [K / 2] its parameters query_1, key_1, query_2, key_2.
/// Each head's context is then divided by its root mean square and multiplied by 1 - lambda_init (eq. 3), without a gain:
/// the layer `out` has one already. Both halves share the head's factors, their parameters included.
class DifferentialHeads final : public HeadGroup {
  public:
    DifferentialHeads(const Scope& scope, int64_t heads, int64_t head_size, int64_t layer)
        : heads_(heads),
          init_(static_cast<real>(0.8 - 0.6 * std::exp(-0.3 * static_cast<double>(layer)))),
          path_(scope.path()) {
        const auto vector = [&](const char* name) { return scope.add(name, {head_size / 2}, Init::normal(lambda_deviation)); };
        query_1_ = vector("query_1");
        key_1_ = vector("key_1");
        query_2_ = vector("query_2");
        key_2_ = vector("key_2");
    }

    std::vector<Attended> operator()(std::span<const Attention> heads, std::span<const HeadInput> inputs,
                                     const Pass& pass) const override {
        const trace::Scope here(path_.c_str());
        const Tensor lambda = shift(exp(sum(query_1_ * key_1_)) - exp(sum(query_2_ * key_2_)), init_);
        std::vector<Attended> all;
        for (std::size_t i = 0; i < heads.size(); ++i) {
            const Attention& head = heads[i];
            const Call first = head.call(half(inputs[i], 0), pass), second = head.call(half(inputs[i], 1), pass);
            Attention::Weighed made = head.weighed(first, head.scored(first));
            made.weights = made.weights - lambda * head.weighed(second, head.scored(second)).weights;
            all.push_back(head.read(first, std::move(made), pass));
        }
        return all;
    }

    Tensor finished(const Tensor& contexts) const override {
        const trace::Scope here(path_.c_str());
        const int64_t b = contexts.dim(0), t = contexts.dim(1);
        const Tensor by_head = contexts.reshape({b, t, heads_, contexts.dim(2) / heads_});
        return scale(rms_norm(by_head, {}, read_norm_epsilon), 1 - init_).reshape(contexts.shape());
    }

  private:
    // Half of the columns of query and keys; all of the values.
    static HeadInput half(const HeadInput& in, int64_t number) {
        const int64_t size = in.query.dim(2) / 2, from = number * size;
        HeadInput out = in;
        out.query = slice(in.query, -1, from, from + size);
        out.keys = slice(in.keys, -1, from, from + size);
        return out;
    }

    int64_t heads_;
    real init_;
    Tensor query_1_, key_1_, query_2_, key_2_;
    std::string path_;
};

}  // namespace

std::unique_ptr<const HeadGroup> differential_heads(const Scope& scope, int64_t heads, int64_t head_size, int64_t layer) {
    return std::make_unique<DifferentialHeads>(scope, heads, head_size, layer);
}

}  // namespace attend::ATTEND_PRECISION
