#include "nn/layers.h"

#include <cmath>

#include "core/base/trace.h"
#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

Linear::Linear(const Scope& scope, int64_t in, int64_t out, Bias with_bias) : path(scope.path()) {
    const Init init = Init::uniform(1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, in))));
    weight = scope.add("weight", {in, out}, init);
    if (with_bias == Bias::yes)
        bias = scope.add("bias", {out}, init);
}
Linear::Linear(const Scope& scope, int64_t in, int64_t out, Bias with_bias, const Init& init)
    : weight(scope.add("weight", {in, out}, init)), path(scope.path()) {
    if (with_bias == Bias::yes)
        bias = scope.add("bias", {out}, Init::zeros());
}
Tensor Linear::operator()(const Tensor& x, const Tensor& plus) const {
    const trace::Scope here(path.c_str());
    return linear(x, weight, bias, plus);
}

Embedding::Embedding(const Scope& scope, int64_t vocabulary, int64_t width, double deviation)
    : weight(scope.add("weight", {vocabulary, width}, Init::normal(deviation))), path(scope.path()) {}
Tensor Embedding::operator()(std::span<const int32_t> ids, const Shape& shape) const {
    const trace::Scope here(path.c_str());
    return embedding(weight, ids, shape);
}

Tensor Dropout::operator()(const Tensor& x, const Context& context, uint32_t call) const {
    if (!context.training() || probability == 0)
        return x;
    const trace::Scope here(path.c_str());
    return dropout(x, static_cast<real>(probability), context.draws(name, call));
}

}  // namespace attend::ATTEND_PRECISION
