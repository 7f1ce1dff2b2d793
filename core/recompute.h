#pragma once
/// Saves memory at the cost of time: a part of a model whose inner values are not kept for the
/// backward but computed again there (Chen et al. 2016, section 3).
#include "core/engine.h"
#include "core/kernels/elementwise.h"

namespace attend::ATTEND_PRECISION {

/// f(x, z), of which only x and z are kept; z may be undefined. f must compute the same when run
/// again, and what it refers to must outlive the graph, as a module's parameters do. In the
/// backward f runs on watched copies, and its own graph is differentiated at once: of a deep stack
/// one layer's inner values exist at a time.
template <class F>
Tensor recompute(const Tensor& x, const Tensor& z, F f) {
    Tensor y;
    {
        const NoGrad off;
        y = f(x, z).detach();
    }
    const auto again = [x = Saved(x), z = Saved(z), f](Backward& b) {
        const Tensor inputs[] = {watch(x), z.defined() ? watch(z) : Tensor()};
        const Tensor outputs[] = {f(inputs[0], inputs[1])}, cotangents[] = {b.gradient_tensor()};
        backward(outputs, cotangents, b.sink());
        for (int i = 0; i < (z.defined() ? 2 : 1); ++i) {
            if (!b.needs(i))
                continue;
            const Tensor gradient = b.sink().of(inputs[i]);
            kernels::axpy(1, gradient.data(), b.into(i), gradient.size());
        }
    };
    const Tensor from = x.recorded() ? x : watch(x);  // f has parameters: the step is recorded whatever x is
    return z.defined() ? record("recompute", y, {from, z}, again) : record("recompute", y, {from}, again);
}

}  // namespace attend::ATTEND_PRECISION
