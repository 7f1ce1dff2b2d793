// Comma-separated values that a spreadsheet reads as values alone.
#include "train/cli/csv.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"

namespace csv_test {

TEST_SUITE_BEGIN("train: csv");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::SmallRun;

TEST_CASE("texts that a spreadsheet would run get an apostrophe, numbers stay numbers") {
    using cli::csv_text;
    CHECK(csv_text("accuracy") == "accuracy");
    CHECK(csv_text("") == "");
    CHECK(csv_text("a,b") == "\"a,b\"");
    CHECK(csv_text("say \"a\"\r\n") == "\"say \"\"a\"\"\r\n\"");
    CHECK(csv_text("=1+1") == "\"'=1+1\"");
    CHECK(csv_text("=HYPERLINK(\"x\",\"y\")") == "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
    for (const char* text : {"+1", "-1", "@SUM(A1)", "\tx", "\rx", "-", "-infinite"})
        CHECK(csv_text(text) == "\"'" + std::string(text) + "\"");
    for (const char* number : {"-inf", "inf", "nan"}) CHECK(csv_text(number) == number);
    CHECK(cli::csv_number("-0.5") == "-0.5");
    CHECK(cli::csv_number("[1,2]") == "\"[1,2]\"");
}

TEST_CASE("metrics of a run that somebody wrote formulas into") {
    const SmallRun runs;
    runs.run("a", {"train.steps=4"});
    std::ofstream(runs / "a/metrics.jsonl")
        << R"({"step": 1, "split": "train", "loss": -0.5, "=cmd|' /C calc'!A0": "@x", "worst": "-inf"})"
           "\n";
    const auto csv = attend_command({"metrics", (runs / "a").string()});
    CHECK(csv.code == 0);
    CHECK(csv.out == "step,split,loss,\"'=cmd|' /C calc'!A0\",worst\n1,train,-0.5,\"'@x\",-inf\n");
}

TEST_SUITE_END();

}  // namespace csv_test
