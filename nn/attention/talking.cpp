#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/attention/head_group.h"

namespace attend::ATTEND_PRECISION {

namespace {

// x_i + sum_j m_ij x_j for each of H heads: m [H, H], the x of one shape. No position is mixed with another one.
Array<Tensor> mixed(const Tensor& m, const Array<Tensor>& x) {
    const Shape& shape = x[0].shape();
    const Tensor rows = stack(x, 0).reshape({m.dim(0), shape.size()});
    const Tensor y = rows + matmul(m, rows);
    Array<Tensor> all;
    for (int64_t i = 0; i < m.dim(0); ++i) all.push_back(y.row(i).reshape(shape));
    return all;
}

/// e'_i = e_i + sum_j P_ij e_j before the bias, the window and the alignment; a'_i = a_i + sum_j Q_ij a_j after them
/// (talking-heads attention: Shazeer et al. 2020, section 3, whose matrices are I + P and I + Q). P = scores [H, H],
/// Q = weights [H, H] start at 0: as attention without them. A bias stays that of its own head. What a window hides gets
/// neither weight nor gradient, since all heads have one window and scores are mixed before it: each position by itself.
class TalkingHeads final : public HeadGroup {
  public:
    TalkingHeads(const Scope& scope, int64_t heads)
        : scores_(scope.add("scores", {heads, heads}, Init::zeros())),
          weights_(scope.add("weights", {heads, heads}, Init::zeros())),
          path_(scope.path()) {}

    std::vector<Attended> operator()(std::span<const Attention> heads, std::span<const HeadInput> inputs,
                                     const Pass& pass) const override {
        const trace::Scope here(path_.c_str());
        std::vector<Call> calls;
        std::vector<Attention::Scored> scored;
        std::vector<Attention::Weighed> weighed;
        Array<Tensor> e, a;
        for (std::size_t i = 0; i < heads.size(); ++i) {
            calls.push_back(heads[i].call(inputs[i], pass));
            scored.push_back(heads[i].scored(calls[i]));
            e.push_back(scored[i].scores.values);
        }
        e = mixed(scores_, e);
        for (std::size_t i = 0; i < heads.size(); ++i) {
            scored[i].scores.values = e[i];
            weighed.push_back(heads[i].weighed(calls[i], scored[i]));
            a.push_back(weighed[i].weights);
        }
        a = mixed(weights_, a);
        std::vector<Attended> all;
        for (std::size_t i = 0; i < heads.size(); ++i) {
            weighed[i].weights = a[i];
            all.push_back(heads[i].read(calls[i], std::move(weighed[i]), pass));
        }
        return all;
    }

  private:
    Tensor scores_, weights_;
    std::string path_;
};

}  // namespace

std::unique_ptr<const HeadGroup> talking_heads(const Scope& scope, std::span<const Attention> heads) {
    const auto text = [](const AttentionOptions& o) {
        return text_of(o.score) + ", " + text_of(o.bias) + ", " + text_of(o.window) + ", " + text_of(o.align) + ", width " +
               std::to_string(o.width);
    };
    const std::string first = text(heads.front().factors);
    for (const Attention& head : heads)
        require(text(head.factors) == first, "{}: talking heads have the same factors: head {} has {}, head 0 {}", scope.path(),
                head.site.head, text(head.factors), first);
    require(!heads.front().window->after_align(),
            "{}: talking heads see the same positions, but window '{}' predicts a place for each head: heads {}", scope.path(),
            heads.front().factors.window.name(), heads.size());
    return std::make_unique<TalkingHeads>(scope, static_cast<int64_t>(heads.size()));
}

}  // namespace attend::ATTEND_PRECISION
