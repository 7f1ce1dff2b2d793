#include "tests/oracles/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "core/engine.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

// What may be moved: an input's copy or a parameter's values.
struct Leaf {
    std::string name;
    real* values;
    int64_t size;
    Tensor gradient;
};

double loss(const GradientCheck& check, Inputs inputs, const Tensor& cotangent) {
    const NoGrad off;
    const Tensor y = check.function(inputs);
    double sum = 0;
    for (int64_t i = 0; i < y.size(); ++i) sum += static_cast<double>(y.data()[i]) * static_cast<double>(cotangent.data()[i]);
    return sum;
}

}  // namespace

std::string GradientReport::text() const {
    return fmt::format("{}, element {}: engine {:.12g}, central difference {:.12g}, error {:.3g} of the tolerance{}", input,
                       element, engine, difference, error, verdict == Verdict::all_zero ? "; the gradient is all zero" : "");
}

Tensor uniform(const Shape& shape, const std::string& name, double low, double high) {
    Tensor x = Tensor::empty(shape);
    Stream stream(11, name);
    for (int64_t i = 0; i < x.size(); ++i) x.writable()[i] = stream.uniform(static_cast<real>(low), static_cast<real>(high));
    return x;
}

GradientReport check_gradients(const GradientCheck& check) {
    std::vector<Tensor> watched, moved;
    for (const Tensor& x : check.inputs) {
        watched.push_back(x.defined() ? watch(Tensor::of(x.shape(), x.values())) : x);
        moved.push_back(x.defined() ? Tensor::of(x.shape(), x.values()) : x);
    }
    const Tensor y = check.function(watched);
    Tensor cotangent = Tensor::empty(y.shape());
    Stream stream(check.seed, "gradient_check.cotangent");
    for (int64_t i = 0; i < y.size(); ++i) cotangent.writable()[i] = stream.normal();

    Gradients sink = check.store ? Gradients(*check.store) : Gradients();
    if (y.recorded())
        backward({&y, 1}, {&cotangent, 1}, sink);
    sink.finish();

    std::vector<Leaf> leaves;
    for (std::size_t i = 0; i < moved.size(); ++i)
        if (moved[i].defined() && moved[i].size() > 0)
            leaves.push_back({fmt::format("input {}", i), moved[i].writable(), moved[i].size(), sink.of(watched[i])});
    if (check.store)
        for (const Parameter& p : check.store->table())
            if (p.trainable && p.shape.size() > 0)
                leaves.push_back({p.name, check.store->values(p), p.shape.size(), sink.of(check.store->tensor(p))});

    GradientReport worst, zero;
    for (const Leaf& leaf : leaves) {
        std::vector<double> differences(static_cast<std::size_t>(leaf.size));
        double largest = 0;
        for (int64_t i = 0; i < leaf.size; ++i) {
            const real x = leaf.values[i];
            const real up = x + static_cast<real>(check.step * std::max(1.0, std::abs(static_cast<double>(x))));
            const real down = x - (up - x);
            leaf.values[i] = up;
            const double above = loss(check, moved, cotangent);
            leaf.values[i] = down;
            const double below = loss(check, moved, cotangent);
            leaf.values[i] = x;
            const double d = (above - below) / (static_cast<double>(up) - static_cast<double>(down));
            differences[static_cast<std::size_t>(i)] = d;
            largest = std::max({largest, std::abs(d), std::abs(static_cast<double>(leaf.gradient.data()[i]))});
        }
        if (largest < 1e-9)
            zero = {Verdict::all_zero, leaf.name, 0, static_cast<double>(leaf.gradient.data()[0]), differences[0], 0};
        for (int64_t i = 0; i < leaf.size; ++i) {
            const auto g = static_cast<double>(leaf.gradient.data()[i]);
            const double d = differences[static_cast<std::size_t>(i)];
            const double scale = std::max(std::abs(g), std::abs(d)) + 1e-3 * std::max(1.0, largest);
            double error = std::abs(g - d) / (check.tolerance * scale);
            if (!(error >= 0))  // NaN
                error = std::numeric_limits<double>::infinity();
            if (error > worst.error || worst.input.empty())
                worst = {error > 1 ? Verdict::differs : Verdict::agrees, leaf.name, i, g, d, error};
        }
    }
    return worst.verdict == Verdict::differs || zero.verdict == Verdict::agrees ? worst : zero;
}

}  // namespace attend::ATTEND_PRECISION::oracles
