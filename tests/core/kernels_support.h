#pragma once
/// What the kernel tests share: buffers with guards, every instruction set in turn, comparison with
/// double references.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/destination.h"
#include "core/kernels/targets.h"
#include "hwy/targets.h"

namespace attend::ATTEND_PRECISION::kernel_test {

using Values = std::vector<double>;

constexpr double epsilon = std::numeric_limits<real>::epsilon();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Reproducible values in [low, high], exact in float.
inline Values values(int64_t n, uint32_t seed, double low = -2, double high = 2) {
    Values v(static_cast<std::size_t>(n));
    uint32_t state = seed * 2654435761u + 12345u;
    for (double& x : v) {
        state = state * 1664525u + 1013904223u;
        x = static_cast<double>(static_cast<float>(low + (high - low) * (state >> 8) / 16777216.0));
    }
    return v;
}

/// A copy of `values` as reals, `offset` elements after a 64-byte boundary, between guards that
/// are NaN: a kernel that reads beyond the ends spoils its result, one that writes there is found
/// by intact().
class Buffer {
  public:
    explicit Buffer(const Values& v, int64_t offset = 1) : size_(static_cast<int64_t>(v.size())) {
        store_.assign(v.size() + 2 * guard + 16, static_cast<real>(nan));
        const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(store_.data()) % 64 / sizeof(real);
        first_ = guard + (64 / sizeof(real) - misaligned) % (64 / sizeof(real)) + static_cast<std::size_t>(offset);
        for (std::size_t i = 0; i < v.size(); ++i) store_[first_ + i] = static_cast<real>(v[i]);
    }
    /// `n` elements of NaN: an output that must be written whole.
    static Buffer unwritten(int64_t n, int64_t offset = 1) { return Buffer(Values(static_cast<std::size_t>(n), nan), offset); }

    operator real*() { return store_.data() + first_; }
    real operator[](int64_t i) const { return store_[first_ + static_cast<std::size_t>(i)]; }
    int64_t size() const { return size_; }
    bool intact() const {
        for (std::size_t i = 0; i < store_.size(); ++i) {
            const bool inside = i >= first_ && i < first_ + static_cast<std::size_t>(size_);
            if (!inside && !std::isnan(store_[i]))
                return false;
        }
        return true;
    }

  private:
    static constexpr std::size_t guard = 32;
    int64_t size_;
    std::size_t first_ = 0;
    std::vector<real> store_;
};

/// Runs body once for each instruction set compiled in that this machine has.
template <class Body>
void each_target(Body body) {
    const auto targets = hwy::SupportedAndGeneratedTargets();
    for (int64_t target : targets) {
        INFO("target ", std::string(hwy::TargetName(target)));
        hwy::SetSupportedTargetsForTest(target);
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
        body();
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// Whether `got` is `expected` element by element within tolerance * (|expected| + scale), and its
/// guards are intact. NaN and infinities must be the same.
inline void check_close(const Buffer& got, const Values& expected, double tolerance, double scale = 1) {
    REQUIRE(got.size() == static_cast<int64_t>(expected.size()));
    CHECK(got.intact());
    for (int64_t i = 0; i < got.size(); ++i) {
        const double g = static_cast<double>(got[i]), e = expected[static_cast<std::size_t>(i)];
        const bool same =
            std::isfinite(e) ? std::abs(g - e) <= tolerance * (std::abs(e) + scale) : (std::isnan(e) ? std::isnan(g) : g == e);
        if (same)
            continue;
        FAIL("element ", i, " of ", got.size(), ": got ", g, ", expected ", e);
    }
}

/// Runs kernel(destination) writing, adding, and asked for nothing, and compares with the gradient
/// expected.
template <class Kernel>
void check_destination(const Values& expected, double tolerance, Kernel kernel, double scale = 1) {
    const int64_t n = static_cast<int64_t>(expected.size());
    Buffer written = Buffer::unwritten(n);
    kernel(Destination{written, Write::set});
    check_close(written, expected, tolerance, scale);

    const Values before = values(n, 77);
    Values sum = expected;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += before[i];
    Buffer added(before);
    kernel(Destination{added, Write::add});
    check_close(added, sum, tolerance, scale + 2);

    kernel(Destination{});
}

/// Gradient of f at x by central differences.
inline Values numeric_gradient(Values x, const std::function<double(const Values&)>& f) {
    Values gradient(x.size());
    constexpr double h = 1e-5;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double at = x[i];
        x[i] = at + h;
        const double up = f(x);
        x[i] = at - h;
        gradient[i] = (up - f(x)) / (2 * h);
        x[i] = at;
    }
    return gradient;
}

inline double inner(const Values& a, const Values& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

/// Tolerance against numeric gradients, whose own error is about 1e-9.
constexpr double gradient_tolerance = sizeof(real) == 4 ? 1e-5 : 1e-8;

}  // namespace attend::ATTEND_PRECISION::kernel_test
