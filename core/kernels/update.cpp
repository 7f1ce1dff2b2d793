#include "core/kernels/update.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/update.cpp"
#include "hwy/foreach_target.h"
// Behind foreach_target.h.
#include "core/kernels/vector-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace attend::inline ATTEND_PRECISION::kernels::HWY_NAMESPACE {

void sgd(const SgdStep& step, real* p, const real* g, real* momentum_buffer, int64_t n) {
    const V gradient_scale = set(step.gradient_scale), rate = set(step.learning_rate), decay = set(step.weight_decay);
    const bool first = step.first == FirstStep::yes;
    const V momentum = set(first ? 0 : step.momentum), share = set(first ? 1 : 1 - step.dampening);
    const V look_ahead = set(step.momentum);
    const bool nesterov = step.nesterov == Nesterov::yes;
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V old = part.load(p + i);
        const V gradient = hn::MulAdd(decay, old, gradient_scale * part.load(g + i));
        V direction = gradient;
        if (momentum_buffer != nullptr) {
            // On the first step the buffer is not read into the sum: it may hold anything.
            const V kept = first ? hn::Zero(d) : momentum * part.load(momentum_buffer + i);
            const V buffer = hn::MulAdd(share, gradient, kept);
            part.store(buffer, momentum_buffer + i);
            direction = nesterov ? hn::MulAdd(look_ahead, buffer, gradient) : buffer;
        }
        part.store(hn::NegMulAdd(rate, direction, old), p + i);
    });
}

void adam(const AdamStep& step, real* p, const real* g, real* m, real* v, int64_t n) {
    const V gradient_scale = set(step.gradient_scale), decay = set(step.weight_decay);
    const V shrink = set(1 - step.learning_rate * step.decoupled_decay);
    const V beta1 = set(step.beta1), share1 = set(1 - step.beta1), beta2 = set(step.beta2), share2 = set(1 - step.beta2);
    const V rate = set(step.learning_rate / step.bias_correction1);
    const V root = set(1 / std::sqrt(step.bias_correction2)), epsilon = set(step.epsilon);
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V old = part.load(p + i);
        const V gradient = hn::MulAdd(decay, old, gradient_scale * part.load(g + i));
        const V first = hn::MulAdd(beta1, part.load(m + i), share1 * gradient);
        const V second = hn::MulAdd(beta2, part.load(v + i), share2 * gradient * gradient);
        part.store(first, m + i);
        part.store(second, v + i);
        part.store(shrink * old - rate * first / hn::MulAdd(hn::Sqrt(second), root, epsilon), p + i);
    });
}

void adadelta(const AdadeltaStep& step, real* p, const real* g, real* square_average, real* accumulated_delta, int64_t n) {
    const V gradient_scale = set(step.gradient_scale), rate = set(step.learning_rate), decay = set(step.weight_decay);
    const V rho = set(step.rho), share = set(1 - step.rho), epsilon = set(step.epsilon);
    vectors(n, [=](auto part, int64_t i) HWY_ATTR {
        const V old = part.load(p + i);
        const V gradient = hn::MulAdd(decay, old, gradient_scale * part.load(g + i));
        const V average = hn::MulAdd(rho, part.load(square_average + i), share * gradient * gradient);
        const V before = part.load(accumulated_delta + i);
        const V delta = hn::Sqrt(before + epsilon) / hn::Sqrt(average + epsilon) * gradient;
        part.store(average, square_average + i);
        part.store(hn::MulAdd(rho, before, share * delta * delta), accumulated_delta + i);
        part.store(hn::NegMulAdd(rate, delta, old), p + i);
    });
}

}  // namespace attend::inline ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::inline ATTEND_PRECISION::kernels {

HWY_EXPORT(sgd);
HWY_EXPORT(adam);
HWY_EXPORT(adadelta);
void sgd(const SgdStep& step, real* p, const real* g, real* momentum_buffer, int64_t n) {
    HWY_DYNAMIC_DISPATCH(sgd)(step, p, g, momentum_buffer, n);
}
void adam(const AdamStep& step, real* p, const real* g, real* m, real* v, int64_t n) {
    HWY_DYNAMIC_DISPATCH(adam)(step, p, g, m, v, n);
}
void adadelta(const AdadeltaStep& step, real* p, const real* g, real* square_average, real* accumulated_delta, int64_t n) {
    HWY_DYNAMIC_DISPATCH(adadelta)(step, p, g, square_average, accumulated_delta, n);
}

}  // namespace attend::inline ATTEND_PRECISION::kernels
#endif
