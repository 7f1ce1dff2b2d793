/// The promises of the product seam (DESIGN: bits depend on sizes, transposes and beta, not on
/// addresses or other callers), for the very kernels that run on this machine, ours and OpenBLAS's.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "core/base/library_check.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/gemm.h"
#include "core/kernels/product.h"
#include "core/ops/matmul.h"
#include "tests/oracles/allocation_hooks.h"

namespace gemm_bits_test_both {

using namespace attend;

TEST_SUITE_BEGIN("gemm");

namespace {

struct Case {
    Transpose ta, tb;
    int64_t m, n, k;
    real beta;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const Transpose ta : {Transpose::no, Transpose::yes})
        for (const Transpose tb : {Transpose::no, Transpose::yes})
            for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{
                     {1, 1, 1},       {1, 17, 5},    {2, 3, 4},      {5, 1, 9},     {16, 192, 64}, {32, 100, 33},
                     {7, 65, 130},    {33, 48, 1},   {8, 16, 3},     {9, 33, 300},  {70, 64, 64},  {15, 47, 513},
                     {1100, 34, 130}, {64, 31, 200}, {4, 300, 70},   {6, 20, 1500}, {1, 90, 1100}, {41, 1, 1300},
                     {50, 4, 33},     {96, 112, 97}, {101, 103, 130}})
                for (const real beta : {real{0}, real{1}}) all.push_back({ta, tb, m, n, k, beta});
    return all;
}

struct Operands {
    std::vector<real> a, b, c;
    int64_t lda, ldb, ldc;
};

Operands operands(const Case& s) {
    Stream stream(3, "gemm");
    const bool ta = s.ta == Transpose::yes, tb = s.tb == Transpose::yes;
    Operands o{{}, {}, {}, (ta ? s.m : s.k) + 3, (tb ? s.k : s.n) + 2, s.n + 1};
    o.a.resize(static_cast<std::size_t>((ta ? s.k : s.m) * o.lda));
    o.b.resize(static_cast<std::size_t>((tb ? s.n : s.k) * o.ldb));
    o.c.resize(static_cast<std::size_t>(s.m * o.ldc));
    for (std::vector<real>* v : {&o.a, &o.b, &o.c})
        for (real& x : *v) x = stream.uniform(real{-1}, real{1});
    return o;
}

// Runs the case with every operand `shift` elements after a 64-byte boundary.
std::vector<real> run(const Case& s, const Operands& o, std::size_t shift) {
    Array<real> a(o.a.size() + shift), b(o.b.size() + shift), c(o.c.size() + shift);
    std::copy(o.a.begin(), o.a.end(), a.begin() + static_cast<std::ptrdiff_t>(shift));
    std::copy(o.b.begin(), o.b.end(), b.begin() + static_cast<std::ptrdiff_t>(shift));
    std::copy(o.c.begin(), o.c.end(), c.begin() + static_cast<std::ptrdiff_t>(shift));
    gemm(s.ta, s.tb, s.m, s.n, s.k, real{1.5}, a.data() + shift, o.lda, b.data() + shift, o.ldb, s.beta, c.data() + shift,
         o.ldc);
    return {c.begin() + static_cast<std::ptrdiff_t>(shift), c.end()};
}

bool same_bits(const std::vector<real>& x, const std::vector<real>& y) {
    return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(real)) == 0;
}

}  // namespace

TEST_CASE("products equal plain loops in double, and leave what lies between the rows alone") {
    for (const Case& s : cases()) {
        CAPTURE(s.m);
        CAPTURE(s.n);
        CAPTURE(s.k);
        const Operands o = operands(s);
        const std::vector<real> c = run(s, o, 0);
        for (int64_t i = 0; i < s.m; ++i) {
            for (int64_t j = 0; j < s.n; ++j) {
                double sum = 0;
                for (int64_t p = 0; p < s.k; ++p)
                    sum += static_cast<double>(
                               o.a[static_cast<std::size_t>(s.ta == Transpose::yes ? p * o.lda + i : i * o.lda + p)]) *
                           static_cast<double>(
                               o.b[static_cast<std::size_t>(s.tb == Transpose::yes ? j * o.ldb + p : p * o.ldb + j)]);
                const auto at = static_cast<std::size_t>(i * o.ldc + j);
                const double expected = 1.5 * sum + static_cast<double>(s.beta) * static_cast<double>(o.c[at]);
                CHECK(std::abs(static_cast<double>(c[at]) - expected) <
                      (sizeof(real) == 4 ? 2e-5 : 1e-13) * std::max<double>(1, static_cast<double>(s.k) / 200));
            }
            const auto gap = static_cast<std::size_t>(i * o.ldc + s.n);
            CHECK(c[gap] == o.c[gap]);
        }
    }
}

TEST_CASE("the bits do not depend on addresses") {
    for (const Case& s : cases()) {
        const Operands o = operands(s);
        const std::vector<real> aligned = run(s, o, 0);
        for (const std::size_t shift : {1u, 5u, 8u}) CHECK(same_bits(aligned, run(s, o, shift)));
    }
}

TEST_CASE("the bits do not depend on other callers") {
    const Case s{Transpose::no, Transpose::no, 48, 96, 120, 1};
    const Operands o = operands(s);
    const std::vector<real> alone = run(s, o, 0);
    std::vector<int> wrong(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) wrong[t] += same_bits(alone, run(s, o, t)) ? 0 : 1;
        });
    for (std::thread& t : threads) t.join();
    for (const int n : wrong) CHECK(n == 0);
}

TEST_CASE("beta 0 overwrites, not-a-number included, an empty inner size only scales") {
    const real nan = std::numeric_limits<real>::quiet_NaN();
    const real a[] = {1, 2, 3, 4}, b[] = {1, 0, 0, 1};
    for (const int64_t m : {1, 2}) {
        std::vector<real> c(4, nan);
        gemm(Transpose::no, Transpose::no, m, 2, 2, 1, a, 2, b, 2, 0, c.data(), 2);
        for (std::size_t i = 0; i < static_cast<std::size_t>(2 * m); ++i) CHECK(c[i] == a[i]);
        std::vector<real> d(4, nan);
        gemm(Transpose::no, Transpose::no, m, 2, 0, 1, a, 2, b, 2, 0, d.data(), 2);
        CHECK(d[0] == 0);
        d = {1, 2, 3, 4};
        gemm(Transpose::no, Transpose::no, m, 2, 0, 1, a, 2, b, 2, 1, d.data(), 2);
        CHECK(d[1] == 2);
    }
    std::vector<real> none;
    gemm(Transpose::no, Transpose::no, 0, 0, 3, 1, a, 3, b, 1, 0, none.data(), 1);
}

TEST_CASE("a batch of products is each of them") {
    const Operands o = operands({Transpose::no, Transpose::no, 6, 10, 8, 0});  // room for two of each
    std::vector<real> apart(2 * 3 * 5);
    const Tensor a = Tensor::of({2, 3, 4}, std::span<const real>(o.a.data(), 24));
    const Tensor b = Tensor::of({2, 4, 5}, std::span<const real>(o.b.data(), 40));
    for (std::size_t i = 0; i < 2; ++i)
        gemm(Transpose::no, Transpose::no, 3, 5, 4, 1, o.a.data() + 12 * i, 4, o.b.data() + 20 * i, 5, 0, apart.data() + 15 * i,
             5);
    CHECK(same_bits(matmul(a, b).values(), apart));
}

TEST_CASE("the name says whose kernels compute: OpenBLAS's where those take part, and why where they are left out") {
    const std::string name = gemm_library();
    CHECK(name.starts_with(std::string("own kernels with ") + kernels::vectors_name()));
    CHECK((name.find("OpenBLAS") == std::string::npos) == kernels::product_is_fast());
    const std::string fault = kernels::product_is_fast() ? "" : library_check().fault;
    CHECK((name.find("left out") != std::string::npos) == !fault.empty());
    CHECK(name.find(fault) != std::string::npos);
}

TEST_CASE("a product asks the system for no memory") {
    if (!oracles::AllocationCounter::available())
        return;
    reserve_gemm_buffers(1);
    for (const Case& s : cases()) {
        CAPTURE(s.m);
        CAPTURE(s.n);
        CAPTURE(s.k);
        Operands o = operands(s);
        oracles::AllocationCounter counter;
        counter.start();
        gemm(s.ta, s.tb, s.m, s.n, s.k, 1, o.a.data(), o.lda, o.b.data(), o.ldb, s.beta, o.c.data(), o.ldc);
        const oracles::AllocationCounts counts = counter.stop();
        CHECK(counts.malloc_calls == 0);
        CHECK(counts.mmap_calls == 0);
    }
}

TEST_SUITE_END();

}  // namespace gemm_bits_test_both
