#pragma once
/// One-pass optimiser updates of n parameters p from gradients g, formulas as PyTorch documents
/// them. Every gradient is first multiplied by gradient_scale (clipping), then weight decay is
/// added: g' = gradient_scale g + weight_decay p. Decay is a number of the call: the caller cuts
/// the arena into segments. Elements with p = g = 0 and zero state (padding) stay 0. Numbers of a
/// step are double: 1 - beta2 taken in float would be off by 5e-5 of itself.
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

enum class Nesterov { no, yes };
enum class FirstStep { no, yes };

/// What every update is given.
struct UpdateNumbers {
    double gradient_scale = 1;
    double learning_rate = 0;
    double weight_decay = 0;
};

struct SgdStep : UpdateNumbers {
    double momentum = 0;
    double dampening = 0;
    Nesterov nesterov = Nesterov::no;
    FirstStep first = FirstStep::no;  ///< the buffer starts as the gradient itself, without dampening
};
/// b = momentum b + (1 - dampening) g' (first step: b = g'); p -= lr b, with Nesterov p -= lr (g' +
/// momentum b). momentum_buffer null: p -= lr g'.
extern Kernel<void(const SgdStep& step, real* p, const real* g, real* momentum_buffer, int64_t n)> sgd;

struct AdamStep : UpdateNumbers {
    double decoupled_decay = 0;  ///< p *= 1 - learning_rate decoupled_decay, before all else (adamw)
    double beta1 = 0, beta2 = 0;
    double epsilon = 0;           ///< > 0, or elements that never had a gradient become NaN
    double bias_correction1 = 1;  ///< 1 - beta1^t, t from 1
    double bias_correction2 = 1;  ///< 1 - beta2^t
};
/// m = beta1 m + (1 - beta1) g'; v = beta2 v + (1 - beta2) g'^2;
/// p -= lr / correction1 m / (sqrt(v) / sqrt(correction2) + epsilon)
extern Kernel<void(const AdamStep& step, real* p, const real* g, real* m, real* v, int64_t n)> adam;

struct AdadeltaStep : UpdateNumbers {
    double rho = 0;
    double epsilon = 0;  ///< > 0
};
/// Zeiler 2012: a = rho a + (1 - rho) g'^2; d = sqrt(u + epsilon) / sqrt(a + epsilon) g'; u = rho u
/// + (1 - rho) d^2; p -= lr d. a is square_average, u is accumulated_delta.
extern Kernel<void(const AdadeltaStep& step, real* p, const real* g, real* square_average, real* accumulated_delta, int64_t n)>
    adadelta;

struct AdagradStep : UpdateNumbers {
    double epsilon = 0;  ///< > 0
};
/// s += g'^2; p -= lr g' / (sqrt(s) + epsilon).
extern Kernel<void(const AdagradStep& step, real* p, const real* g, real* square_sum, int64_t n)> adagrad;

struct RmspropStep : UpdateNumbers {
    double alpha = 0;
    double momentum = 0;
    double epsilon = 0;  ///< > 0
};
/// a = alpha a + (1 - alpha) g'^2; d = g' / (sqrt(a) + epsilon); p -= lr d. With gradient_average
/// (not null), centered: m = alpha m + (1 - alpha) g', and max(a - m^2, 0) stands under the root.
/// With momentum_buffer (not null): b = momentum b + d; p -= lr b.
extern Kernel<void(const RmspropStep& step, real* p, const real* g, real* square_average, real* gradient_average,
                   real* momentum_buffer, int64_t n)>
    rmsprop;

/// Of an AdamStep all but learning_rate, decoupled_decay and bias_correction1.
struct NadamStep : AdamStep {
    double momentum_rate = 0;  ///< factor of m in the step
    double gradient_rate = 0;  ///< factor of g' in the step
};
/// m, v as adam; p -= (momentum_rate m + gradient_rate g') / (sqrt(v) / sqrt(correction2) +
/// epsilon).
extern Kernel<void(const NadamStep& step, real* p, const real* g, real* m, real* v, int64_t n)> nadam;

enum class Adaptive { no, yes };

/// Of an AdamStep the gradient's numbers, the betas and epsilon.
struct RadamStep : AdamStep {
    double rate = 0;  ///< all factors of the step but the root of v
    Adaptive adaptive = Adaptive::yes;
};
/// m, v as adam; p -= rate m / (sqrt(v) + epsilon), not adaptive: p -= rate m.
extern Kernel<void(const RadamStep& step, real* p, const real* g, real* m, real* v, int64_t n)> radam;

struct LionStep : UpdateNumbers {  ///< weight_decay is decoupled: p *= 1 - learning_rate weight_decay, before all else
    double beta1 = 0, beta2 = 0;
};
/// p -= lr sign(beta1 m + (1 - beta1) g'); m = beta2 m + (1 - beta2) g'. sign(0) is 0.
extern Kernel<void(const LionStep& step, real* p, const real* g, real* m, int64_t n)> lion;

/// Squares of the tile g [rows, columns], whose rows lie `stride` elements apart, times
/// gradient_scale^2: row_sums[i] = sum_j (scale g[i, j])^2, column_sums[j] = sum_i (scale g[i,
/// j])^2. Both are written, not added to.
extern Kernel<void(real gradient_scale, const real* g, int64_t rows, int64_t columns, int64_t stride, real* row_sums,
                   real* column_sums)>
    tile_squares;
/// sum_i row_factor[i]^2 sum_j (gradient_scale g[i, j] column_factor[j])^2 over the same tile.
extern Kernel<double(real gradient_scale, const real* g, int64_t rows, int64_t columns, int64_t stride, const real* row_factor,
                     const real* column_factor)>
    tile_weighted_squares;
/// p = shrink p - rate g column_factor, a stretch of one row: Adafactor's update.
extern Kernel<void(real shrink, real rate, real* p, const real* g, const real* column_factor, int64_t n)> adafactor;

/// x = min(max(x, -limit), limit); NaN stays NaN.
extern Kernel<void(real* x, real limit, int64_t n)> clip;
/// a += share (p - a): a moving average. Where a equals p it stays as it is, bit for bit.
extern Kernel<void(real* a, const real* p, real share, int64_t n)> move_towards;

}  // namespace attend::ATTEND_PRECISION::kernels
