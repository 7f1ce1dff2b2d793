#pragma once
/// One-pass optimiser updates of n parameters p from gradients g, formulas as PyTorch documents them. Every gradient is first
/// multiplied by gradient_scale (clipping), then weight decay is added: g' = gradient_scale g + weight_decay p. Decay is a
/// number of the call: the caller cuts the arena into segments. Elements with p = g = 0 and zero state (padding) stay 0.
/// Numbers of a step are double: 1 - beta2 taken in float would be off by 5e-5 of itself.
#include "core/real.h"

namespace attend::inline ATTEND_PRECISION::kernels {

enum class Nesterov { no, yes };
enum class FirstStep { no, yes };

struct SgdStep {
    double gradient_scale = 1;
    double learning_rate = 0;
    double weight_decay = 0;
    double momentum = 0;
    double dampening = 0;
    Nesterov nesterov = Nesterov::no;
    FirstStep first = FirstStep::no;  ///< the buffer is started with the gradient itself, dampening left out
};
/// b = momentum b + (1 - dampening) g' (first step: b = g'); p -= lr b, with Nesterov p -= lr (g' + momentum b).
/// momentum_buffer null: p -= lr g'.
void sgd(const SgdStep& step, real* p, const real* g, real* momentum_buffer, int64_t n);

struct AdamStep {
    double gradient_scale = 1;
    double learning_rate = 0;
    double weight_decay = 0;     ///< added to the gradient (adam)
    double decoupled_decay = 0;  ///< p *= 1 - learning_rate decoupled_decay, before all else (adamw)
    double beta1 = 0, beta2 = 0;
    double epsilon = 0;           ///< > 0, or elements that never had a gradient become NaN
    double bias_correction1 = 1;  ///< 1 - beta1^t, t from 1
    double bias_correction2 = 1;  ///< 1 - beta2^t
};
/// m = beta1 m + (1 - beta1) g'; v = beta2 v + (1 - beta2) g'^2;
/// p -= lr / correction1 m / (sqrt(v) / sqrt(correction2) + epsilon)
void adam(const AdamStep& step, real* p, const real* g, real* m, real* v, int64_t n);

struct AdadeltaStep {
    double gradient_scale = 1;
    double learning_rate = 1;
    double weight_decay = 0;
    double rho = 0;
    double epsilon = 0;  ///< > 0
};
/// Zeiler 2012: a = rho a + (1 - rho) g'^2; d = sqrt(u + epsilon) / sqrt(a + epsilon) g'; u = rho u + (1 - rho) d^2; p -= lr d.
/// a is square_average, u is accumulated_delta.
void adadelta(const AdadeltaStep& step, real* p, const real* g, real* square_average, real* accumulated_delta, int64_t n);

}  // namespace attend::inline ATTEND_PRECISION::kernels
