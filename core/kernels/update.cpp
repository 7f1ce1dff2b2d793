#include "core/kernels/update.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/update.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// p[i] = updated(part, i, p[i], g') with g' = gradient_scale g[i] + weight_decay p[i].
template <class Updated>
HWY_INLINE void descend(const UpdateNumbers& step, real* p, const real* g, int64_t n, Updated updated) {
    const V gradient_scale = set(step.gradient_scale), decay = set(step.weight_decay);
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V old = part.load(p + i);
        part.store(updated(part, i, old, hn::MulAdd(decay, old, gradient_scale * part.load(g + i))), p + i);
    });
}

void sgd(const SgdStep& step, real* p, const real* g, real* momentum_buffer, int64_t n) {
    const V rate = set(step.learning_rate);
    const bool first = step.first == FirstStep::yes;
    const V momentum = set(first ? 0 : step.momentum), share = set(first ? 1 : 1 - step.dampening);
    const V look_ahead = set(step.momentum);
    const bool nesterov = step.nesterov == Nesterov::yes;
    descend(step, p, g, n, [=](auto part, int64_t i, V old, V gradient) HWY_ATTR {
        V direction = gradient;
        if (momentum_buffer != nullptr) {
            // On the first step the buffer is not read into the sum: it may hold anything.
            const V kept = first ? hn::Zero(d) : momentum * part.load(momentum_buffer + i);
            const V buffer = hn::MulAdd(share, gradient, kept);
            part.store(buffer, momentum_buffer + i);
            direction = nesterov ? hn::MulAdd(look_ahead, buffer, gradient) : buffer;
        }
        return hn::NegMulAdd(rate, direction, old);
    });
}

void adam(const AdamStep& step, real* p, const real* g, real* m, real* v, int64_t n) {
    const V shrink = set(1 - step.learning_rate * step.decoupled_decay);
    const V beta1 = set(step.beta1), share1 = set(1 - step.beta1), beta2 = set(step.beta2), share2 = set(1 - step.beta2);
    const V rate = set(step.learning_rate / step.bias_correction1);
    const V root = set(1 / std::sqrt(step.bias_correction2)), epsilon = set(step.epsilon);
    descend(step, p, g, n, [=](auto part, int64_t i, V old, V gradient) HWY_ATTR {
        const V first = hn::MulAdd(beta1, part.load(m + i), share1 * gradient);
        const V second = hn::MulAdd(beta2, part.load(v + i), share2 * gradient * gradient);
        part.store(first, m + i);
        part.store(second, v + i);
        return shrink * old - rate * first / hn::MulAdd(hn::Sqrt(second), root, epsilon);
    });
}

void adadelta(const AdadeltaStep& step, real* p, const real* g, real* square_average, real* accumulated_delta, int64_t n) {
    const V rate = set(step.learning_rate);
    const V rho = set(step.rho), share = set(1 - step.rho), epsilon = set(step.epsilon);
    descend(step, p, g, n, [=](auto part, int64_t i, V old, V gradient) HWY_ATTR {
        const V average = hn::MulAdd(rho, part.load(square_average + i), share * gradient * gradient);
        const V before = part.load(accumulated_delta + i);
        const V delta = hn::Sqrt(before + epsilon) / hn::Sqrt(average + epsilon) * gradient;
        part.store(average, square_average + i);
        part.store(hn::MulAdd(rho, before, share * delta * delta), accumulated_delta + i);
        return hn::NegMulAdd(rate, delta, old);
    });
}

void adagrad(const AdagradStep& step, real* p, const real* g, real* square_sum, int64_t n) {
    const V rate = set(step.learning_rate);
    const V epsilon = set(step.epsilon);
    descend(step, p, g, n, [=](auto part, int64_t i, V old, V gradient) HWY_ATTR {
        const V sum = hn::MulAdd(gradient, gradient, part.load(square_sum + i));
        part.store(sum, square_sum + i);
        return old - rate * gradient / (hn::Sqrt(sum) + epsilon);
    });
}

void rmsprop(const RmspropStep& step, real* p, const real* g, real* square_average, real* gradient_average,
             real* momentum_buffer, int64_t n) {
    const V rate = set(step.learning_rate);
    const V alpha = set(step.alpha), share = set(1 - step.alpha), momentum = set(step.momentum), epsilon = set(step.epsilon);
    descend(step, p, g, n, [=](auto part, int64_t i, V old, V gradient) HWY_ATTR {
        const V squares = hn::MulAdd(alpha, part.load(square_average + i), share * gradient * gradient);
        part.store(squares, square_average + i);
        V variance = squares;
        if (gradient_average != nullptr) {
            const V mean = hn::MulAdd(alpha, part.load(gradient_average + i), share * gradient);
            part.store(mean, gradient_average + i);
            // Rounding can take the difference below 0, where the root would be NaN.
            variance = at_least(hn::NegMulAdd(mean, mean, squares), hn::Zero(d));
        }
        V direction = gradient / (hn::Sqrt(variance) + epsilon);
        if (momentum_buffer != nullptr) {
            direction = hn::MulAdd(momentum, part.load(momentum_buffer + i), direction);
            part.store(direction, momentum_buffer + i);
        }
        return hn::NegMulAdd(rate, direction, old);
    });
}

void nadam(const NadamStep& step, real* p, const real* g, real* m, real* v, int64_t n) {
    const V beta1 = set(step.beta1), share1 = set(1 - step.beta1), beta2 = set(step.beta2), share2 = set(1 - step.beta2);
    const V momentum_rate = set(step.momentum_rate), gradient_rate = set(step.gradient_rate);
    const V root = set(1 / std::sqrt(step.bias_correction2)), epsilon = set(step.epsilon);
    descend(step, p, g, n, [=](auto part, int64_t i, V old, V gradient) HWY_ATTR {
        const V first = hn::MulAdd(beta1, part.load(m + i), share1 * gradient);
        const V second = hn::MulAdd(beta2, part.load(v + i), share2 * gradient * gradient);
        part.store(first, m + i);
        part.store(second, v + i);
        const V direction = hn::MulAdd(gradient_rate, gradient, momentum_rate * first);
        return old - direction / hn::MulAdd(hn::Sqrt(second), root, epsilon);
    });
}

void radam(const RadamStep& step, real* p, const real* g, real* m, real* v, int64_t n) {
    const V beta1 = set(step.beta1), share1 = set(1 - step.beta1), beta2 = set(step.beta2), share2 = set(1 - step.beta2);
    const V rate = set(step.rate), epsilon = set(step.epsilon);
    const bool adaptive = step.adaptive == Adaptive::yes;
    descend(step, p, g, n, [=](auto part, int64_t i, V old, V gradient) HWY_ATTR {
        const V first = hn::MulAdd(beta1, part.load(m + i), share1 * gradient);
        const V second = hn::MulAdd(beta2, part.load(v + i), share2 * gradient * gradient);
        part.store(first, m + i);
        part.store(second, v + i);
        const V direction = adaptive ? first / (hn::Sqrt(second) + epsilon) : first;
        return hn::NegMulAdd(rate, direction, old);
    });
}

void lion(const LionStep& step, real* p, const real* g, real* m, int64_t n) {
    const V gradient_scale = set(step.gradient_scale), rate = set(step.learning_rate);
    const V shrink = set(1 - step.learning_rate * step.weight_decay);
    const V beta1 = set(step.beta1), share1 = set(1 - step.beta1), beta2 = set(step.beta2), share2 = set(1 - step.beta2);
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V gradient = gradient_scale * part.load(g + i), before = part.load(m + i);
        const V mixed = hn::MulAdd(beta1, before, share1 * gradient);
        // Zero and NaN are neither above nor below 0 and stay what they are.
        const V sign = hn::IfThenElse(mixed > hn::Zero(d), set(1), hn::IfThenElse(mixed < hn::Zero(d), set(-1), mixed));
        part.store(hn::MulAdd(beta2, before, share2 * gradient), m + i);
        part.store(hn::NegMulAdd(rate, sign, shrink * part.load(p + i)), p + i);
    });
}

void tile_squares(real gradient_scale, const real* g, int64_t rows, int64_t columns, int64_t stride, real* row_sums,
                  real* column_sums) {
    const V scale = set(gradient_scale);
    write_zero({column_sums, Write::set}, columns);
    for (int64_t r = 0; r < rows; ++r) {
        const real* row = g + r * stride;
        V sum = hn::Zero(d);
        vectors(columns, [&](auto part, int64_t i) HWY_ATTR {
            const V x = scale * part.load(row + i);
            part.store(hn::MulAdd(x, x, part.load(column_sums + i)), column_sums + i);
            sum = hn::MulAdd(x, x, sum);  // absent lanes are zero
        });
        row_sums[r] = lane_sum(sum);
    }
}

double tile_weighted_squares(real gradient_scale, const real* g, int64_t rows, int64_t columns, int64_t stride,
                             const real* row_factor, const real* column_factor) {
    const V scale = set(gradient_scale);
    double total = 0;
    for (int64_t r = 0; r < rows; ++r) {
        const real* row = g + r * stride;
        const V factor = scale * set(row_factor[r]);
        V sum = hn::Zero(d);
        vectors(columns, [&](auto part, int64_t i) HWY_ATTR {
            const V x = factor * part.load(row + i) * part.load(column_factor + i);
            sum = hn::MulAdd(x, x, sum);
        });
        total += static_cast<double>(lane_sum(sum));
    }
    return total;
}

void adafactor(real shrink, real rate, real* p, const real* g, const real* column_factor, int64_t n) {
    const V keep = set(shrink), factor = set(rate);
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V direction = part.load(g + i) * part.load(column_factor + i);
        part.store(hn::NegMulAdd(factor, direction, keep * part.load(p + i)), p + i);
    });
}

void clip(real* x, real limit, int64_t n) {
    const V high = set(limit), low = set(-limit);
    vectors(n, [=](auto part, int64_t i) HWY_ATTR { part.store(at_least(at_most(part.load(x + i), high), low), x + i); });
}

void move_towards(real* a, const real* p, real share, int64_t n) {
    const V s = set(share);
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V before = part.load(a + i);
        part.store(hn::MulAdd(s, part.load(p + i) - before, before), a + i);
    });
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(sgd);
ATTEND_KERNEL(adam);
ATTEND_KERNEL(adadelta);
ATTEND_KERNEL(adagrad);
ATTEND_KERNEL(rmsprop);
ATTEND_KERNEL(nadam);
ATTEND_KERNEL(radam);
ATTEND_KERNEL(lion);
ATTEND_KERNEL(tile_squares);
ATTEND_KERNEL(tile_weighted_squares);
ATTEND_KERNEL(adafactor);
ATTEND_KERNEL(clip);
ATTEND_KERNEL(move_towards);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
