#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"
#include "tests/core/kernels_support.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels elementwise");

namespace {

struct Unary {
    std::string name;
    void (*kernel)(const real*, real*, int64_t);
    double (*reference)(double);
    double low, high;
    double tolerance;  // relative
};
double logistic(double x) { return 1 / (1 + std::exp(-x)); }
const Unary unary_kernels[] = {
    {"tanh", kernels::tanh, std::tanh, -10, 10, 4 * epsilon},
    {"sigmoid", kernels::sigmoid, logistic, -20, 20, 4 * epsilon},
    {"exp", kernels::exp, std::exp, -20, 20, 3 * epsilon},
    {"log", kernels::log, std::log, 0.01, 20, 4 * epsilon},
    {"sqrt", kernels::sqrt, std::sqrt, 0, 20, epsilon},
    {"square", kernels::square, [](double x) { return x * x; }, -3, 3, epsilon},
    {"relu", kernels::relu, [](double x) { return x > 0 ? x : 0; }, -3, 3, 0},
    {"negate", kernels::negate, [](double x) { return -x; }, -3, 3, 0},
    {"absolute", kernels::absolute, [](double x) { return std::abs(x); }, -3, 3, 0},
};

struct UnaryBackward {
    std::string name;
    void (*kernel)(const real*, const real*, Destination, int64_t);
    double (*slope)(double);  // dy/dx in terms of what is saved
    double low, high;
};
const UnaryBackward unary_backward_kernels[] = {
    {"tanh", kernels::tanh_backward, [](double y) { return 1 - y * y; }, -1, 1},
    {"sigmoid", kernels::sigmoid_backward, [](double y) { return y * (1 - y); }, 0, 1},
    {"exp", kernels::exp_backward, [](double y) { return y; }, 0, 5},
    {"log", kernels::log_backward, [](double x) { return 1 / x; }, 0.5, 5},
    {"sqrt", kernels::sqrt_backward, [](double y) { return 0.5 / y; }, 0.5, 5},
    {"square", kernels::square_backward, [](double x) { return 2 * x; }, -2, 2},
    {"relu", kernels::relu_backward, [](double y) { return y > 0 ? 1.0 : 0.0; }, -1, 1},
    {"absolute", kernels::absolute_backward, [](double x) { return x > 0   ? 1.0
                                                                   : x < 0 ? -1.0
                                                                           : 0.0; }, -2, 2},
};

struct Binary {
    std::string name;
    void (*kernel)(const real*, kernels::Step, const real*, kernels::Step, Destination, int64_t);
    double (*reference)(double, double);
};
const Binary binary_kernels[] = {
    {"add", kernels::add, [](double a, double b) { return a + b; }},
    {"subtract", kernels::subtract, [](double a, double b) { return a - b; }},
    {"multiply", kernels::multiply, [](double a, double b) { return a * b; }},
    {"divide", kernels::divide, [](double a, double b) { return a / b; }},
};

Values map(const Values& x, double (*f)(double)) {
    Values y(x.size());
    std::transform(x.begin(), x.end(), y.begin(), f);
    return y;
}

}  // namespace

TEST_CASE("unary kernels agree with std:: at every length and alignment") {
    for (const Unary& u : unary_kernels) {
        for (int64_t n = 0; n <= 130; ++n) {
            CAPTURE(u.name);
            const Values x = values(n, static_cast<uint32_t>(n), u.low, u.high);
            const Values expected = map(x, u.reference);
            each_target([&] {
                for (int64_t offset : {0, 3}) {
                    Buffer in(x, offset), out = Buffer::unwritten(n, offset);
                    u.kernel(in, out, n);
                    check_close(out, expected, u.tolerance, 0);
                    u.kernel(in, in, n);  // in place
                    check_close(in, expected, u.tolerance, 0);
                }
            });
        }
    }
}

TEST_CASE("transcendental kernels are accurate over a dense grid of their whole domain") {
    struct Grid {
        std::string name;
        void (*kernel)(const real*, real*, int64_t);
        long double (*reference)(long double);
        double low, high;
    };
    const double largest = std::log(static_cast<double>(std::numeric_limits<real>::max()));
    const Grid grids[] = {
        {"tanh", kernels::tanh, [](long double x) { return std::tanh(x); }, -12, 12},
        {"tanh near 0", kernels::tanh, [](long double x) { return std::tanh(x); }, -1e-3, 1e-3},
        {"sigmoid", kernels::sigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }, -80, 80},
        {"exp", kernels::exp, [](long double x) { return std::exp(x); }, -0.98 * largest, 0.9999 * largest},
        {"exp near 0", kernels::exp, [](long double x) { return std::exp(x); }, -1, 1},
        {"log", kernels::log, [](long double x) { return std::log(x); }, 1e-4, 1e4},
        {"log near 1", kernels::log, [](long double x) { return std::log(x); }, 0.5, 2},
    };
    constexpr int64_t n = 20000;
    for (const Grid& g : grids) {
        CAPTURE(g.name);
        std::vector<real> x(n), y(n);
        for (int64_t i = 0; i < n; ++i) {
            x[static_cast<std::size_t>(i)] = static_cast<real>(g.low + (g.high - g.low) * static_cast<double>(i) / (n - 1));
        }
        each_target([&] {
            g.kernel(x.data(), y.data(), n);
            double worst = 0;
            for (std::size_t i = 0; i < n; ++i) {
                const long double exact = g.reference(x[i]);
                if (exact == 0)
                    continue;
                worst = std::max(worst, static_cast<double>(std::abs((y[i] - exact) / exact)));
            }
            CHECK(worst < 3 * epsilon);
            CHECK(worst > 0);  // or nothing was compared
        });
    }
}

TEST_CASE("special values") {
    const double inf = std::numeric_limits<double>::infinity();
    struct Case {
        void (*kernel)(const real*, real*, int64_t);
        double x, y;
    };
    const Case cases[] = {
        {kernels::tanh, inf, 1},      {kernels::tanh, -inf, -1},     {kernels::tanh, nan, nan},    {kernels::tanh, 0, 0},
        {kernels::tanh, 50, 1},       {kernels::tanh, 1e-30, 1e-30}, {kernels::exp, inf, inf},     {kernels::exp, -inf, 0},
        {kernels::exp, nan, nan},     {kernels::exp, 0, 1},          {kernels::exp, 1e5, inf},     {kernels::exp, -1e5, 0},
        {kernels::sigmoid, inf, 1},   {kernels::sigmoid, -inf, 0},   {kernels::sigmoid, nan, nan}, {kernels::sigmoid, 0, 0.5},
        {kernels::sigmoid, 1e5, 1},   {kernels::sigmoid, -1e5, 0},   {kernels::log, 0, -inf},      {kernels::log, 1, 0},
        {kernels::log, -1, nan},      {kernels::log, inf, inf},      {kernels::log, nan, nan},     {kernels::log, -inf, nan},
        {kernels::relu, nan, nan},    {kernels::relu, -inf, 0},      {kernels::sqrt, -1, nan},     {kernels::sqrt, inf, inf},
        {kernels::absolute, -0.0, 0}, {kernels::negate, nan, nan},
    };
    for (const Case& c : cases) {
        CAPTURE(c.x);
        CAPTURE(c.y);
        each_target([&] {
            for (int64_t n : {1, 16, 17}) {
                Buffer x(Values(static_cast<std::size_t>(n), c.x)), y = Buffer::unwritten(n);
                c.kernel(x, y, n);
                check_close(y, Values(static_cast<std::size_t>(n), c.y), 2 * epsilon, 0);
            }
        });
    }
    // A NaN of any bits stays one: debug builds fill memory with all ones.
    uint32_t ones = 0xFFFFFFFF;
    float odd;
    std::memcpy(&odd, &ones, sizeof(odd));
    each_target([&] {
        Buffer x(Values(5, 0.0)), y = Buffer::unwritten(5);
        for (int i = 0; i < 5; ++i) static_cast<real*>(x)[i] = static_cast<real>(odd);
        for (auto kernel : {kernels::tanh, kernels::exp, kernels::sigmoid, kernels::log, kernels::relu}) {
            kernel(x, y, 5);
            check_close(y, Values(5, nan), 0);
        }
    });
}

TEST_CASE("tanh and sigmoid stay inside their ranges") {
    const Values x = values(5000, 3, -15, 15);
    each_target([&] {
        Buffer in(x), out = Buffer::unwritten(in.size());
        kernels::tanh(in, out, in.size());
        for (int64_t i = 0; i < out.size(); ++i) CHECK(std::abs(out[i]) <= 1);
        kernels::sigmoid(in, out, in.size());
        for (int64_t i = 0; i < out.size(); ++i) CHECK((out[i] > 0 && out[i] <= 1));
    });
}

TEST_CASE("backwards of unary kernels") {
    for (const UnaryBackward& u : unary_backward_kernels) {
        for (int64_t n = 0; n <= 130; ++n) {
            CAPTURE(u.name);
            Values saved = values(n, 5, u.low, u.high);
            if (n > 2 && u.low < 0)
                saved[1] = 0;
            const Values dy = values(n, 6);
            Values expected(saved.size());
            for (std::size_t i = 0; i < saved.size(); ++i) expected[i] = dy[i] * u.slope(saved[i]);
            each_target([&] {
                Buffer s(saved), g(dy, 2);
                check_destination(expected, 4 * epsilon, [&](Destination dx) { u.kernel(s, g, dx, n); });
            });
        }
    }
}

TEST_CASE("binary kernels, each operand advancing or repeated") {
    for (const Binary& k : binary_kernels) {
        for (int64_t n = 0; n <= 130; ++n) {
            CAPTURE(k.name);
            const Values a = values(n, 1), b = values(n, 2, 0.5, 3);
            for (kernels::Step a_step : {kernels::Step::zero, kernels::Step::one}) {
                for (kernels::Step b_step : {kernels::Step::zero, kernels::Step::one}) {
                    Values expected(a.size());
                    for (std::size_t i = 0; i < a.size(); ++i) {
                        expected[i] =
                            k.reference(a[a_step == kernels::Step::one ? i : 0], b[b_step == kernels::Step::one ? i : 0]);
                    }
                    each_target([&] {
                        Buffer x(a_step == kernels::Step::one || n == 0 ? a : Values(1, a[0]));
                        Buffer z(b_step == kernels::Step::one || n == 0 ? b : Values(1, b[0]), 2);
                        check_destination(expected, 2 * epsilon, [&](Destination y) { k.kernel(x, a_step, z, b_step, y, n); });
                    });
                }
            }
        }
    }
}

TEST_CASE("divide_backward_denominator, axpy, shift, fill") {
    for (int64_t n = 0; n <= 130; ++n) {
        const Values y = values(n, 1), b = values(n, 2, 0.5, 3), dy = values(n, 3);
        for (kernels::Step step : {kernels::Step::zero, kernels::Step::one}) {
            Values expected(y.size());
            for (std::size_t i = 0; i < y.size(); ++i) expected[i] = -dy[i] * y[i] / b[step == kernels::Step::one ? i : 0];
            each_target([&] {
                Buffer vy(y), vb(step == kernels::Step::one || n == 0 ? b : Values(1, b[0])), g(dy, 3);
                check_destination(expected, 4 * epsilon,
                                  [&](Destination db) { kernels::divide_backward_denominator(vy, vb, step, g, db, n); });
            });
        }
        Values scaled = y, shifted = y;
        for (double& v : scaled) v *= 1.5;
        for (double& v : shifted) v += 0.25;
        each_target([&] {
            Buffer x(y), out = Buffer::unwritten(n, 3);
            check_destination(scaled, epsilon, [&](Destination to) { kernels::axpy(real(1.5), x, to, n); });
            kernels::shift(x, real(0.25), out, n);
            check_close(out, shifted, epsilon);
            kernels::fill(real(2.5), out, n);
            check_close(out, Values(y.size(), 2.5), 0);
        });
    }
}

TEST_CASE("no kernel touches memory after its arrays") {
    // The arrays end where a page without access begins: a load or store too far is a fault.
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    char* block = static_cast<char*>(mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(block != MAP_FAILED);
    REQUIRE(mprotect(block + page, page, PROT_NONE) == 0);
    REQUIRE(mprotect(block + 3 * page, page, PROT_NONE) == 0);
    real* x_end = reinterpret_cast<real*>(block + page);
    real* y_end = reinterpret_cast<real*>(block + 3 * page);
    each_target([&] {
        for (int64_t n = 0; n <= 70; ++n) {
            real *x = x_end - n, *y = y_end - n;
            kernels::fill(1, x, n);
            kernels::tanh(x, y, n);
            kernels::add(x, kernels::Step::one, x, kernels::Step::one, {y, Write::add}, n);
            CHECK(static_cast<double>(kernels::sum(y, n)) ==
                  doctest::Approx(static_cast<double>(n) * (2 + std::tanh(1.0))).epsilon(1e-5));
            CHECK(kernels::sum_double(x, n) == doctest::Approx(static_cast<double>(n)));
            CHECK(kernels::all_finite(x, n));
            CHECK(kernels::argmax(x, n) == 0);
        }
    });
    CHECK(munmap(block, 4 * page) == 0);
}

TEST_CASE("dispatch reaches a scalar and, where the machine has one, a vector target") {
    std::vector<std::size_t> indices;
    each_target([&] { indices.push_back(hwy::GetChosenTarget().GetIndex()); });
    CHECK(indices.size() == hwy::SupportedAndGeneratedTargets().size());
    CHECK(std::adjacent_find(indices.begin(), indices.end()) == indices.end());
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
