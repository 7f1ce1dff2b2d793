#include <doctest/doctest.h>

#include <cmath>

#include "core/engine.h"
#include "tests/core/op_cases.h"

namespace composites_test_both {

using namespace attend;
using namespace attend::oracles;

TEST_SUITE("composites") {
    TEST_CASE("fused ops equal their composites in value and gradient") {
        const double tolerance = sizeof(real) == 8 ? 1e-11 : 2e-5;
        int compared = 0;
        for (const OpCase& c : op_cases()) {
            if (c.composite == nullptr)
                continue;
            std::vector<Tensor> results[2];
            for (const bool fused : {true, false}) {
                std::vector<Tensor> leaves;
                for (const Tensor& x : inputs_of(c)) leaves.push_back(watch(x));
                const Tensor y = fused ? c.function(leaves) : c.composite(leaves);
                const Tensor cotangent = uniform(y.shape(), "composites.cotangent");
                Gradients sink;
                backward({&y, 1}, {&cotangent, 1}, sink);
                results[fused].push_back(y);
                for (const Tensor& leaf : leaves) results[fused].push_back(sink.of(leaf));
            }
            for (std::size_t i = 0; i < results[0].size(); ++i) {
                const Tensor &slow = results[0][i], &fast = results[1][i];
                REQUIRE(slow.shape() == fast.shape());
                for (int64_t k = 0; k < slow.size(); ++k) {
                    const auto a = static_cast<double>(fast.data()[k]), b = static_cast<double>(slow.data()[k]);
                    CHECK_MESSAGE(std::abs(a - b) <= tolerance * (1 + std::abs(b)),
                                  c.name << ", " << (i == 0 ? "value" : "gradient of input " + std::to_string(i - 1))
                                         << ", element " << k << ": fused " << a << ", composite " << b);
                }
            }
            ++compared;
        }
        CHECK(compared > 40);
    }
}

}  // namespace composites_test_both
