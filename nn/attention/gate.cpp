#include "nn/attention/gate.h"

#include "core/base/trace.h"
#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

OutputGate::OutputGate(const Scope& scope, const std::string& kind, int64_t input, int64_t heads, int64_t head_size,
                       const WeightInit& init)
    : columns_(kind == "headwise" ? head_size : 1) {
    const int64_t numbers = heads * head_size / columns_;
    gate_ = Linear(scope, input, numbers, Bias::no, init(input, numbers));
}

Tensor OutputGate::operator()(const Tensor& x, const Tensor& read) const {
    const trace::Scope here(gate_.path.c_str());
    const Tensor gate = sigmoid(gate_(x));
    if (columns_ == 1)
        return gate * read;
    const int64_t b = read.dim(0), t = read.dim(1), h = gate.dim(2);
    return (gate.reshape({b, t, h, 1}) * read.reshape({b, t, h, columns_})).reshape(read.shape());
}

}  // namespace attend::ATTEND_PRECISION
