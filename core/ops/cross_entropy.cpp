#include "core/ops/cross_entropy.h"

#include "core/kernels/copy.h"
#include "core/kernels/cross_entropy.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"

namespace attend::ATTEND_PRECISION {

namespace {

void check(const char* op, int64_t rows, int64_t classes, std::span<const int32_t> targets, const CrossEntropyOptions& o) {
    require(static_cast<int64_t>(targets.size()) == rows, "{}: one target a row: {} targets, {} rows", op, targets.size(),
            rows);
    require(o.normaliser > 0, "{}: normaliser out of range: normaliser {}, more than {}", op, o.normaliser, 0);
    require(o.label_smoothing >= 0 && o.label_smoothing < 1, "{}: label smoothing out of range: {}, at least 0 and below {}",
            op, o.label_smoothing, 1);
    for (std::size_t i = 0; i < targets.size(); ++i)
        require(targets[i] == o.ignored || (targets[i] >= 0 && targets[i] < classes),
                "{}: target out of range: target {} at row {}, {} classes", op, targets[i], i, classes);
}

kernels::CrossEntropy kernel_options(const CrossEntropyOptions& o) { return {o.ignored, static_cast<real>(o.label_smoothing)}; }

// Row losses, argmax and the loss of `logits`, which become their own gradient when it will be
// asked for.
CrossEntropyResult evaluate(real* logits, int64_t rows, int64_t classes, std::span<const int32_t> targets,
                            const CrossEntropyOptions& o, bool with_gradient) {
    CrossEntropyResult r;
    r.row_loss = Tensor::empty({rows});
    r.predicted.resize(static_cast<std::size_t>(rows));
    if (with_gradient)
        kernels::cross_entropy(logits, targets.data(), kernel_options(o), static_cast<real>(1 / o.normaliser),
                               r.row_loss.writable(), r.predicted.data(), rows, classes);
    else
        kernels::cross_entropy_forward(logits, targets.data(), kernel_options(o), r.row_loss.writable(), r.predicted.data(),
                                       rows, classes);
    r.loss = Tensor::scalar(static_cast<real>(kernels::sum_double(r.row_loss.data(), rows) / o.normaliser));
    return r;
}

// The cotangent of a loss is almost always 1.
Tensor times(const Tensor& gradient, real factor) {
    if (factor == 1)
        return gradient;
    Tensor scaled = Tensor::empty(gradient.shape());
    kernels::axpy(factor, gradient.data(), {scaled.writable(), Write::set}, gradient.size());
    return scaled;
}

// h W + b, checked.
Tensor head_logits(const Tensor& h, const Tensor& weight, Transpose tied, const Tensor& bias, std::span<const int32_t> targets,
                   const CrossEntropyOptions& options) {
    require(h.rank() == 2 && weight.rank() == 2, "head: two axes are needed: h {}, weight {}", h.shape(), weight.shape());
    const bool transposed = tied == Transpose::yes;
    const int64_t rows = h.dim(0), width = h.dim(1), classes = weight.dim(transposed ? 0 : 1);
    require(weight.dim(transposed ? 1 : 0) == width, "head: inner sizes differ: h {} has {} columns, weight {} takes {}",
            h.shape().text(), width, weight.shape().text(), weight.dim(transposed ? 1 : 0));
    require(!bias.defined() || bias.shape() == Shape{classes}, "head: bias of another size: bias {}, {} classes", bias,
            classes);
    check("head", rows, classes, targets, options);
    Tensor z = Tensor::empty({rows, classes});
    if (bias.defined())
        kernels::copy_rows(bias.data(), 0, {z.writable(), Write::set}, classes, rows, classes);
    gemm(Transpose::no, tied, rows, classes, width, 1, h.data(), width, weight.data(), transposed ? width : classes,
         bias.defined() ? 1 : 0, z.writable(), classes);
    return z;
}

// dh = dz W^T, dW = h^T dz (tied: dz^T h), db = sum over rows of dz
void head_backward(Backward& b, const Tensor& dz, const Tensor& h, const Tensor& weight, Transpose tied) {
    const bool transposed = tied == Transpose::yes;
    const int64_t rows = h.dim(0), width = h.dim(1), classes = dz.dim(1);
    if (b.needs(0)) {
        const Destination dh = b.into(0);
        gemm(Transpose::no, transposed ? Transpose::no : Transpose::yes, rows, width, classes, 1, dz.data(), classes,
             weight.data(), transposed ? width : classes, dh.beta(), dh.data, width);
    }
    if (b.needs(1))
        transposed ? b.add_product(1, dz, h) : b.add_product(1, h, dz);
    if (b.needs(2))
        kernels::column_sums(dz.data(), rows, classes, classes, b.into(2));
}

}  // namespace

// logits z = h W + b; g = dloss/dz
CrossEntropyResult head_cross_entropy(const Tensor& h, const Tensor& weight, Transpose tied, const Tensor& bias,
                                      std::span<const int32_t> targets, const CrossEntropyOptions& options) {
    Tensor z = head_logits(h, weight, tied, bias, targets, options);
    const Input inputs[] = {h, deferred(weight), bias};
    CrossEntropyResult r = evaluate(z.writable(), z.dim(0), z.dim(1), targets, options, detail::wants_recording(inputs));
    r.loss = record("head_cross_entropy", r.loss, inputs, [tied, g = Saved(z), h = Saved(h), w = Saved(weight)](Backward& b) {
        head_backward(b, times(g, b.gradient()[0]), h, w, tied);
    });
    return r;
}

// g_r = d(loss of row r) / dz_r; dz_r = c_r g_r with c the cotangent [rows]
RowLosses head_row_losses(const Tensor& h, const Tensor& weight, Transpose tied, const Tensor& bias,
                          std::span<const int32_t> targets, const CrossEntropyOptions& options) {
    CrossEntropyOptions each = options;
    each.normaliser = 1;
    Tensor z = head_logits(h, weight, tied, bias, targets, each);
    const Input inputs[] = {h, deferred(weight), bias};
    CrossEntropyResult r = evaluate(z.writable(), z.dim(0), z.dim(1), targets, each, detail::wants_recording(inputs));
    RowLosses out{r.row_loss, std::move(r.predicted)};
    out.loss =
        record("head_row_losses", r.row_loss, inputs, [tied, g = Saved(z), h = Saved(h), w = Saved(weight)](Backward& b) {
            const int64_t rows = g.dim(0), classes = g.dim(1);
            Tensor dz = Tensor::empty({rows, classes});
            for (int64_t i = 0; i < rows; ++i)
                kernels::axpy(b.gradient()[i], g.data() + i * classes, {dz.writable() + i * classes, Write::set}, classes);
            head_backward(b, dz, h, w, tied);
        });
    return out;
}

// g = dloss/dz
CrossEntropyResult cross_entropy(const Tensor& logits, std::span<const int32_t> targets, const CrossEntropyOptions& options) {
    require(logits.rank() == 2, "cross_entropy: two axes are needed: logits {}, rank {}", logits.shape(), logits.rank());
    const int64_t rows = logits.dim(0), classes = logits.dim(1);
    check("cross_entropy", rows, classes, targets, options);
    Tensor z = Tensor::of(logits.shape(), {logits.data(), static_cast<std::size_t>(logits.size())});
    const Input inputs[] = {logits};
    CrossEntropyResult r = evaluate(z.writable(), rows, classes, targets, options, detail::wants_recording(inputs));
    r.loss = record("cross_entropy", r.loss, inputs,
                    [g = Saved(z)](Backward& b) { kernels::axpy(b.gradient()[0], g.data(), b.into(0), g.size()); });
    return r;
}

}  // namespace attend::ATTEND_PRECISION
