#include "core/kernels/update.h"
#include "tests/core/kernels_support.h"

namespace attend::inline ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels update");

namespace {

/// Runs three steps of an update with two state arrays from zero, in double by the reference and by the kernel on every
/// target, and compares parameters and states at every length.
template <class Reference, class Kernel>
void check_update(Reference reference, Kernel kernel) {
    for (int64_t n = 0; n <= 130; ++n) {
        Values p = values(n, 1), first(p.size(), 0.0), second(p.size(), 0.0);
        for (int t = 1; t <= 3; ++t) {
            const Values g = values(n, static_cast<uint32_t>(10 + t));
            for (std::size_t i = 0; i < p.size(); ++i) reference(t, p[i], g[i], first[i], second[i]);
        }
        each_target([&] {
            Buffer kp(values(n, 1)), k1(Values(p.size(), 0.0), 2), k2(Values(p.size(), 0.0), 3);
            for (int t = 1; t <= 3; ++t) {
                Buffer g(values(n, static_cast<uint32_t>(10 + t)));
                kernel(t, kp, g, k1, k2, n);
            }
            check_close(kp, p, 20 * epsilon);
            check_close(k1, first, 20 * epsilon);
            check_close(k2, second, 20 * epsilon, 0.01);
        });
    }
}

}  // namespace

TEST_CASE("sgd: plain, momentum, dampening, Nesterov, weight decay") {
    struct Variant {
        double momentum, dampening;
        kernels::Nesterov nesterov;
    };
    for (const Variant& v : {Variant{0.9, 0, kernels::Nesterov::no}, Variant{0.9, 0.3, kernels::Nesterov::no},
                             Variant{0.8, 0, kernels::Nesterov::yes}}) {
        check_update(
            [&](int t, double& p, double g, double& b, double&) {
                g = 0.7 * g + 0.01 * p;
                b = t == 1 ? g : v.momentum * b + (1 - v.dampening) * g;
                p -= 0.1 * (v.nesterov == kernels::Nesterov::yes ? g + v.momentum * b : b);
            },
            [&](int t, Buffer& p, Buffer& g, Buffer& b, Buffer&, int64_t n) {
                kernels::SgdStep s;
                s.gradient_scale = 0.7;
                s.learning_rate = 0.1;
                s.weight_decay = 0.01;
                s.momentum = v.momentum;
                s.dampening = v.dampening;
                s.nesterov = v.nesterov;
                s.first = t == 1 ? kernels::FirstStep::yes : kernels::FirstStep::no;
                kernels::sgd(s, p, g, b, n);
            });
    }
    check_update([](int, double& p, double g, double&, double&) { p -= 0.1 * (0.7 * g + 0.01 * p); },
                 [](int, Buffer& p, Buffer& g, Buffer&, Buffer&, int64_t n) {
                     kernels::SgdStep s;
                     s.gradient_scale = 0.7;
                     s.learning_rate = 0.1;
                     s.weight_decay = 0.01;
                     kernels::sgd(s, p, g, nullptr, n);
                 });
}

TEST_CASE("sgd's first step does not look into the momentum buffer") {
    each_target([] {
        Buffer p(Values(20, 1.0)), g(Values(20, 2.0)), b = Buffer::unwritten(20);
        kernels::SgdStep s;
        s.learning_rate = 0.5;
        s.momentum = 0.9;
        s.first = kernels::FirstStep::yes;
        kernels::sgd(s, p, g, b, 20);
        check_close(p, Values(20, 0.0), 0);
        check_close(b, Values(20, 2.0), 0);
    });
}

TEST_CASE("adam and adamw") {
    for (double coupled : {0.0, 0.02}) {
        for (double decoupled : {0.0, 0.1}) {
            check_update(
                [&](int t, double& p, double g, double& m, double& v) {
                    p *= 1 - 0.01 * decoupled;
                    // The coupled term sees the parameter before decay; PyTorch never has both.
                    g = 0.7 * g + coupled * p / (1 - 0.01 * decoupled);
                    m = 0.9 * m + (1 - 0.9) * g;
                    v = 0.999 * v + (1 - 0.999) * g * g;
                    const double denominator = std::sqrt(v) / std::sqrt(1 - std::pow(0.999, t)) + 1e-3;
                    p -= 0.01 / (1 - std::pow(0.9, t)) * m / denominator;
                },
                [&](int t, Buffer& p, Buffer& g, Buffer& m, Buffer& v, int64_t n) {
                    kernels::AdamStep s;
                    s.gradient_scale = 0.7;
                    s.learning_rate = 0.01;
                    s.weight_decay = coupled;
                    s.decoupled_decay = decoupled;
                    s.beta1 = 0.9;
                    s.beta2 = 0.999;
                    s.epsilon = 1e-3;
                    s.bias_correction1 = 1 - std::pow(0.9, t);
                    s.bias_correction2 = 1 - std::pow(0.999, t);
                    kernels::adam(s, p, g, m, v, n);
                });
        }
    }
}

TEST_CASE("adam's 1 - beta2 is not rounded in float first") {
    each_target([] {
        Buffer p(Values(3, 0.0)), g(Values(3, 1.0)), m(Values(3, 0.0)), v(Values(3, 0.0));
        kernels::AdamStep s;
        s.learning_rate = 1;
        s.beta1 = 0.9;
        s.beta2 = 0.999;
        s.epsilon = 1e-8;
        kernels::adam(s, p, g, m, v, 3);
        check_close(v, Values(3, 1 - 0.999), 2 * epsilon, 0);
    });
}

TEST_CASE("adadelta") {
    check_update(
        [](int, double& p, double g, double& a, double& u) {
            g = 0.7 * g + 0.01 * p;
            a = 0.95 * a + (1 - 0.95) * g * g;
            const double delta = std::sqrt(u + 1e-4) / std::sqrt(a + 1e-4) * g;
            u = 0.95 * u + (1 - 0.95) * delta * delta;
            p -= 0.5 * delta;
        },
        [](int, Buffer& p, Buffer& g, Buffer& a, Buffer& u, int64_t n) {
            kernels::AdadeltaStep s;
            s.gradient_scale = 0.7;
            s.learning_rate = 0.5;
            s.weight_decay = 0.01;
            s.rho = 0.95;
            s.epsilon = 1e-4;
            kernels::adadelta(s, p, g, a, u, n);
        });
}

TEST_CASE("padding stays zero") {
    each_target([] {
        const Values zero(20, 0.0);
        Buffer p(zero), g(zero), a(zero), b(zero);
        kernels::SgdStep sgd;
        sgd.learning_rate = sgd.weight_decay = sgd.momentum = 0.5;
        kernels::sgd(sgd, p, g, a, 20);
        kernels::AdamStep adam;
        adam.learning_rate = adam.weight_decay = adam.decoupled_decay = adam.beta1 = adam.beta2 = 0.5;
        adam.epsilon = 1e-8;
        kernels::adam(adam, p, g, a, b, 20);
        kernels::AdadeltaStep adadelta;
        adadelta.rho = 0.9;
        adadelta.epsilon = 1e-6;
        kernels::adadelta(adadelta, p, g, a, b, 20);
        for (const Buffer* x : {&p, &a, &b}) check_close(*x, zero, 0, 0);
    });
}

TEST_SUITE_END();

}  // namespace attend::inline ATTEND_PRECISION
