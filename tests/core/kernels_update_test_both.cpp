#include "core/kernels/update.h"
#include "tests/core/kernels_support.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels update");

namespace {

/// Runs three steps of an update with two state arrays from zero, in double by the reference and by
/// the kernel on every target, and compares parameters and states at every length.
template <class Reference, class Kernel>
void check_update(Reference reference, Kernel kernel, double second_scale = 0.01) {
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
            check_close(k2, second, 20 * epsilon, second_scale);
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

TEST_CASE("adagrad") {
    check_update(
        [](int, double& p, double g, double& sum, double&) {
            g = 0.7 * g + 0.01 * p;
            sum += g * g;
            p -= 0.1 * g / (std::sqrt(sum) + 1e-2);
        },
        [](int, Buffer& p, Buffer& g, Buffer& sum, Buffer&, int64_t n) {
            kernels::AdagradStep s;
            s.gradient_scale = 0.7;
            s.learning_rate = 0.1;
            s.weight_decay = 0.01;
            s.epsilon = 1e-2;
            kernels::adagrad(s, p, g, sum, n);
        });
}

TEST_CASE("rmsprop: plain, centered, with momentum") {
    enum class Second { none, average, momentum };
    for (const Second second : {Second::none, Second::average, Second::momentum})
        check_update(
            [&](int, double& p, double g, double& a, double& b) {
                g = 0.7 * g + 0.01 * p;
                a = 0.9 * a + (1 - 0.9) * g * g;
                double variance = a;
                if (second == Second::average) {
                    b = 0.9 * b + (1 - 0.9) * g;
                    variance -= b * b;
                }
                double direction = g / (std::sqrt(variance) + 1e-1);
                if (second == Second::momentum)
                    direction = b = 0.6 * b + direction;
                p -= 0.1 * direction;
            },
            [&](int, Buffer& p, Buffer& g, Buffer& a, Buffer& b, int64_t n) {
                kernels::RmspropStep s;
                s.gradient_scale = 0.7;
                s.learning_rate = 0.1;
                s.weight_decay = 0.01;
                s.alpha = 0.9;
                s.momentum = 0.6;
                s.epsilon = 1e-1;
                real* state = b;
                kernels::rmsprop(s, p, g, a, second == Second::average ? state : nullptr,
                                 second == Second::momentum ? state : nullptr, n);
            },
            1);
}

TEST_CASE("rmsprop centered: a variance that rounding took below 0 counts as 0") {
    each_target([] {
        Buffer p(Values(20, 0.0)), g(Values(20, 1.0)), a(Values(20, 1 - 64 * epsilon)), m(Values(20, 1.0));
        kernels::RmspropStep s;
        s.learning_rate = 1;
        s.alpha = 0.99;
        s.epsilon = 0.5;
        kernels::rmsprop(s, p, g, a, m, nullptr, 20);
        check_close(p, Values(20, -2.0), 0);
    });
}

TEST_CASE("nadam and radam") {
    const auto moments = [](double& p, double& g, double& m, double& v) {
        g = 0.7 * g + 0.01 * p;
        m = 0.9 * m + (1 - 0.9) * g;
        v = 0.99 * v + (1 - 0.99) * g * g;
    };
    const auto set = [](auto& s) {
        s.gradient_scale = 0.7;
        s.weight_decay = 0.01;
        s.beta1 = 0.9;
        s.beta2 = 0.99;
        s.epsilon = 1e-2;
    };
    check_update(
        [&](int t, double& p, double g, double& m, double& v) {
            moments(p, g, m, v);
            p -= (0.03 * m + 0.02 * g) / (std::sqrt(v / (1 - std::pow(0.99, t))) + 1e-2);
        },
        [&](int t, Buffer& p, Buffer& g, Buffer& m, Buffer& v, int64_t n) {
            kernels::NadamStep s;
            set(s);
            s.bias_correction2 = 1 - std::pow(0.99, t);
            s.momentum_rate = 0.03;
            s.gradient_rate = 0.02;
            kernels::nadam(s, p, g, m, v, n);
        });
    // The third step is adaptive.
    check_update(
        [&](int t, double& p, double g, double& m, double& v) {
            moments(p, g, m, v);
            p -= 0.03 * m / (t == 3 ? std::sqrt(v) + 1e-2 : 1);
        },
        [&](int t, Buffer& p, Buffer& g, Buffer& m, Buffer& v, int64_t n) {
            kernels::RadamStep s;
            set(s);
            s.rate = 0.03;
            s.adaptive = t == 3 ? kernels::Adaptive::yes : kernels::Adaptive::no;
            kernels::radam(s, p, g, m, v, n);
        });
}

TEST_CASE("lion") {
    check_update(
        [](int, double& p, double g, double& m, double&) {
            g = 0.7 * g;
            const double mixed = 0.8 * m + (1 - 0.8) * g;
            p = p * (1 - 0.01 * 0.5) - 0.01 * (mixed > 0 ? 1 : mixed < 0 ? -1 : 0);
            m = 0.9 * m + (1 - 0.9) * g;
        },
        [](int, Buffer& p, Buffer& g, Buffer& m, Buffer&, int64_t n) {
            kernels::LionStep s;
            s.gradient_scale = 0.7;
            s.learning_rate = 0.01;
            s.weight_decay = 0.5;
            s.beta1 = 0.8;
            s.beta2 = 0.9;
            kernels::lion(s, p, g, m, n);
        });
}

TEST_CASE("tiles: squares by row and column, weighted squares") {
    for (int64_t columns : {0, 1, 3, 15, 16, 17, 130})
        for (int64_t rows : {0, 1, 5}) {
            const int64_t stride = columns + 3;
            const Values g = values(rows * stride, 5), rf = values(rows, 6, 0.1, 2), cf = values(columns, 7, 0.1, 2);
            Values by_row(static_cast<std::size_t>(rows), 0.0), by_column(static_cast<std::size_t>(columns), 0.0);
            double weighted = 0;
            for (int64_t i = 0; i < rows; ++i)
                for (int64_t j = 0; j < columns; ++j) {
                    const auto r = static_cast<std::size_t>(i), c = static_cast<std::size_t>(j);
                    const double x = 0.5 * g[static_cast<std::size_t>(i * stride + j)];
                    by_row[r] += x * x;
                    by_column[c] += x * x;
                    weighted += x * x * rf[r] * rf[r] * cf[c] * cf[c];
                }
            each_target([&] {
                Buffer kg(g), kr(rf, 2), kc(cf, 3), row_sums = Buffer::unwritten(rows),
                                                    column_sums = Buffer::unwritten(columns);
                kernels::tile_squares(real{0.5}, kg, rows, columns, stride, row_sums, column_sums);
                check_close(row_sums, by_row, 20 * epsilon);
                check_close(column_sums, by_column, 20 * epsilon);
                const double got = kernels::tile_weighted_squares(real{0.5}, kg, rows, columns, stride, kr, kc);
                CHECK(std::abs(got - weighted) <= 20 * epsilon * (weighted + 1));
            });
        }
}

TEST_CASE("adafactor's stretch of a row, clipping, moving towards") {
    for (int64_t n = 0; n <= 130; ++n) {
        const Values p = values(n, 1), g = values(n, 2), factor = values(n, 3, 0, 3);
        Values updated(p.size()), clipped(p.size()), moved(p.size());
        for (std::size_t i = 0; i < p.size(); ++i) {
            updated[i] = 0.75 * p[i] - 0.5 * g[i] * factor[i];
            clipped[i] = std::min(std::max(p[i], -0.5), 0.5);
            moved[i] = p[i] + 0.25 * (g[i] - p[i]);
        }
        each_target([&] {
            Buffer kp(p), kg(g, 2), kf(factor, 3), kc(p, 4), ka(p, 5);
            kernels::adafactor(real{0.75}, real{0.5}, kp, kg, kf, n);
            check_close(kp, updated, 10 * epsilon);
            kernels::clip(kc, real{0.5}, n);
            check_close(kc, clipped, 0);
            kernels::move_towards(ka, kg, real{0.25}, n);
            check_close(ka, moved, 10 * epsilon);
            Values before(p.size());
            for (int64_t i = 0; i < n; ++i) before[static_cast<std::size_t>(i)] = static_cast<double>(ka[i]);
            kernels::move_towards(ka, ka, real{0.3}, n);
            check_close(ka, before, 0);
        });
    }
    each_target([] {
        const double inf = std::numeric_limits<double>::infinity();
        Buffer x({nan, inf, -inf, 0.25, 2});
        kernels::clip(x, real{0.5}, 5);
        check_close(x, {nan, 0.5, -0.5, 0.25, 0.5}, 0);
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
        Buffer c(zero);
        kernels::AdagradStep adagrad;
        adagrad.learning_rate = adagrad.weight_decay = adagrad.epsilon = 0.5;
        kernels::adagrad(adagrad, p, g, a, 20);
        kernels::RmspropStep rmsprop;
        rmsprop.learning_rate = rmsprop.weight_decay = rmsprop.alpha = rmsprop.momentum = rmsprop.epsilon = 0.5;
        kernels::rmsprop(rmsprop, p, g, a, b, c, 20);
        kernels::NadamStep nadam;
        nadam.weight_decay = nadam.beta1 = nadam.beta2 = nadam.epsilon = nadam.momentum_rate = nadam.gradient_rate = 0.5;
        kernels::nadam(nadam, p, g, a, b, 20);
        kernels::RadamStep radam;
        radam.weight_decay = radam.beta1 = radam.beta2 = radam.epsilon = radam.rate = 0.5;
        kernels::radam(radam, p, g, a, b, 20);
        kernels::LionStep lion;
        lion.learning_rate = lion.weight_decay = lion.beta1 = lion.beta2 = 0.5;
        kernels::lion(lion, p, g, a, 20);
        kernels::move_towards(p, g, real{0.5}, 20);
        for (const Buffer* x : {&p, &a, &b, &c}) check_close(*x, zero, 0, 0);
    });
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
