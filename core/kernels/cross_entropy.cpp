#include "core/kernels/cross_entropy.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/cross_entropy.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// Loss of one row with largest logit m, but for L: with c = x - m and L = ln sum e^c it is
///     -(1 - e) (c_t - L) - e / V sum_k (c_k - L) = L - (1 - e) c_t - e / V sum_k c_k
HWY_INLINE real rest_of_loss(const real* x, int64_t classes, int32_t target, real smoothing, real m) {
    real loss = -(1 - smoothing) * (x[target] - m);
    if (smoothing != 0) {
        const V vm = set(m);
        const real sum_c = sum_of(classes, [=](auto part, int64_t i) HWY_ATTR { return part.load(x + i) - vm; });
        loss -= smoothing / static_cast<real>(classes) * sum_c;
    }
    return loss;
}

/// Losses and first largest classes of all rows; with `gradient` the logits become their gradient.
template <bool gradient, class Logits>
HWY_INLINE void losses_of_rows(Logits* logits, const int32_t* targets, CrossEntropy options, real scale, real* row_loss,
                               int32_t* row_argmax, int64_t rows, int64_t classes) {
    for (int64_t row = 0; row < rows; ++row) {
        Logits* x = logits + row * classes;
        const real m = max_of(classes, [=](auto part, int64_t i) HWY_ATTR { return part.load(x + i); });
        row_argmax[row] = static_cast<int32_t>(first_equal(x, classes, m));
        const int32_t target = targets[row];
        if (target == options.ignored) {
            row_loss[row] = 0;
            if constexpr (gradient)
                write_zero({x, Write::set}, classes);
            continue;
        }
        // The loss needs the logits but the sum of exponentials too, which may overwrite them: its
        // other parts come first.
        const real rest = rest_of_loss(x, classes, target, options.smoothing, m);
        const V vm = set(m);
        const real sum = sum_of(classes, [=](auto part, int64_t i) HWY_ATTR {
            const V e = exp_of_negative(part.load(x + i) - vm);
            if constexpr (gradient)
                part.store(e, x + i);
            return e;
        });
        row_loss[row] = std::log(sum) + rest;
        if constexpr (gradient) {
            const V factor = set(scale / sum);
            const V uniform = set(scale * options.smoothing / static_cast<real>(classes));
            write({x, Write::set}, classes,
                  [=](auto part, int64_t i) HWY_ATTR { return hn::MulSub(part.load(x + i), factor, uniform); });
            x[target] -= scale * (1 - options.smoothing);
        }
    }
}

void cross_entropy_forward(const real* logits, const int32_t* targets, CrossEntropy options, real* row_loss,
                           int32_t* row_argmax, int64_t rows, int64_t classes) {
    losses_of_rows<false>(logits, targets, options, 0, row_loss, row_argmax, rows, classes);
}

void cross_entropy(real* logits, const int32_t* targets, CrossEntropy options, real scale, real* row_loss, int32_t* row_argmax,
                   int64_t rows, int64_t classes) {
    losses_of_rows<true>(logits, targets, options, scale, row_loss, row_argmax, rows, classes);
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(cross_entropy);
ATTEND_KERNEL(cross_entropy_forward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
