#pragma once
/// The plain layers. A module is a struct: its constructor takes a Scope and names each parameter
/// once; calling it runs it and stores nothing. Each keeps its path for the messages about what it
/// runs (core/base/trace.h); a module must outlive the graphs it made.
#include <span>
#include <string>

#include "core/context.h"
#include "core/gemm.h"
#include "core/parameters.h"

namespace attend::ATTEND_PRECISION {

enum class Bias { no, yes };

/// First values of a weight [in, out]: normal, or uniform (Init::xavier) where no deviation is
/// given.
struct WeightInit {
    double deviation = 0;
    Init operator()(int64_t in, int64_t out) const { return deviation > 0 ? Init::normal(deviation) : Init::xavier(in, out); }
};

/// y = x W + b: `weight` [in, out], `bias` [out]. Starts uniform within 1 / sqrt(in), weight and
/// bias; or the weight as `init` and the bias at 0.
struct Linear {
    Linear() = default;
    Linear(const Scope& scope, int64_t in, int64_t out, Bias with_bias);
    Linear(const Scope& scope, int64_t in, int64_t out, Bias with_bias, const Init& init);
    /// x [..., in] to [..., out]; `plus` [..., out] is added when defined. Throws as core's linear.
    Tensor operator()(const Tensor& x, const Tensor& plus = {}) const;
    Tensor weight, bias;
    std::string path;
};

/// Rows of `weight` [V, D] picked by ids. Starts normal with deviation `deviation`.
struct Embedding {
    Embedding() = default;
    Embedding(const Scope& scope, int64_t vocabulary, int64_t width, double deviation);
    /// ids in the order of `shape` to [shape..., D]. Throws Error for an id outside the vocabulary.
    Tensor operator()(std::span<const int32_t> ids, const Shape& shape) const;
    Tensor weight;
    std::string path;
};

/// Zeroes elements with `probability` in training and divides the rest by 1 - probability
/// (Srivastava et al. 2014); the identity in evaluation. The leading axis is the batch.
struct Dropout {
    Dropout() = default;
    Dropout(const Scope& scope, double probability_)
        : probability(probability_), name(hash_name(scope.path())), path(scope.path()) {}
    /// `call` distinguishes the calls of one step (time steps); draws depend on it.
    Tensor operator()(const Tensor& x, const Context& context, uint32_t call = 0) const;
    double probability = 0;
    uint64_t name = 0;
    std::string path;
};

}  // namespace attend::ATTEND_PRECISION
