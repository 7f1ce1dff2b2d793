#include "core/base/trace.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

namespace trace_test {

using namespace attend;

TEST_SUITE("trace") {
    TEST_CASE("the innermost scope names the module, on its own thread") {
        CHECK(std::string(trace::module()).empty());
        {
            const trace::Scope outer("decoder");
            CHECK(std::string(trace::module()) == "decoder");
            {
                const trace::Scope inner("decoder.cell");
                CHECK(std::string(trace::module()) == "decoder.cell");
                std::string other = "unset";
                std::thread([&] { other = trace::module(); }).join();
                CHECK(other.empty());
            }
            CHECK(std::string(trace::module()) == "decoder");
        }
        CHECK(std::string(trace::module()).empty());
    }

    TEST_CASE("checked mode ends with its last scope, on its own thread") {
        CHECK_FALSE(trace::checked());
        {
            const trace::Checked outer;
            {
                const trace::Checked inner;
                CHECK(trace::checked());
            }
            CHECK(trace::checked());
            bool other = true;
            std::thread([&] { other = trace::checked(); }).join();
            CHECK_FALSE(other);
        }
        CHECK_FALSE(trace::checked());
    }
}

}  // namespace trace_test
