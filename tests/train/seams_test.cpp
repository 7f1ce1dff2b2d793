/// All seams are known from the program's start: `attend list`, help and the schema ask for them
/// before any has been used.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/options.h"

namespace seams_test {

using namespace attend;

TEST_SUITE_BEGIN("seams");

TEST_CASE("every table is registered before main") {
    std::vector<std::string> kinds;
    for (const Seam* seam : all_seams()) kinds.emplace_back(seam->kind());
    for (const char* kind : {"align", "bias", "metric", "model", "objective", "optimizer", "positions", "schedule", "score",
                             "select", "task", "tokenizer", "window"})
        CHECK_MESSAGE(std::count(kinds.begin(), kinds.end(), kind) == 1, kind);
}

TEST_CASE("every row has a name of its own, a line of help and options that can be listed") {
    for (const Seam* seam : all_seams()) {
        std::vector<std::string> names = seam->names();
        CHECK_FALSE(names.empty());
        for (const std::string& name : names) {
            CAPTURE(seam->kind());
            CAPTURE(name);
            CHECK(std::count(names.begin(), names.end(), name) == 1);
            CHECK_FALSE(std::string(seam->help(name)).empty());
            CHECK(seam->defaults(name) != nullptr);
        }
    }
}

}  // namespace seams_test
