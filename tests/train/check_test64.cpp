// attend check: gradients of a config's own model on its own data.
#include <doctest/doctest.h>

#include <sstream>

#include "tests/train/commands.h"
#include "tests/train/small_folder.h"
#include "train/study/plan/gradient_check.h"

namespace check_test64 {

TEST_SUITE_BEGIN("train: check");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallFolder;
using Verdict = plan::CheckedParameter::Verdict;

namespace {

std::pair<int, std::string> command(const std::vector<std::string>& arguments) {
    const Outcome o = attend_command(arguments);
    return {o.code, o.out + o.error};
}

}  // namespace

TEST_CASE("the gradients of every parameter agree, with dropout, in every form") {
    const SmallFolder runs;
    const std::vector<std::vector<std::string>> forms = {
        {},
        {"objective.label_smoothing=0.1", "model.cell=lstm", "model.form=luong", "model.input_feeding=true"},
        {"model.attention.align=sparsemax", "model.attention.score=general", "model.dropout=0.5"},
    };
    for (const std::vector<std::string>& form : forms) {
        const plan::GradientReport r = check_gradients(runs.experiment(form), {.rows = 3, .elements = 6});
        CAPTURE(plan::text_of(r));
        CHECK(r.passed);
        CHECK(r.parameters.size() > 10);
        CHECK(r.rows == 3);
        CHECK(r.targets > r.rows);
        CHECK(r.loss > 1);
        int shown = 0;
        for (const plan::CheckedParameter& p : r.parameters) {
            CHECK(p.checked == std::min<int64_t>(6, p.shape.size()));
            shown += p.verdict == Verdict::agrees ? 1 : 0;
        }
        CHECK(shown >= static_cast<int>(r.parameters.size()) - 1);  // the bias before a softmax has no gradient
    }
}

TEST_CASE("a gradient that is one per cent off is seen, and its parameter named") {
    const SmallFolder runs;
    const plan::GradientReport r = check_gradients(runs.experiment(), {.elements = 3, .scale = 1.01});
    CHECK_FALSE(r.passed);
    int differing = 0;
    for (const plan::CheckedParameter& p : r.parameters) differing += p.verdict == Verdict::differs ? 1 : 0;
    CHECK(differing >= static_cast<int>(r.parameters.size()) - 1);
    const plan::CheckedParameter& worst = r.parameters[r.worst];
    for (const plan::CheckedParameter& p : r.parameters) CHECK(p.error <= worst.error);
    CHECK(contains(plan::text_of(r), "gradients differ: worst is " + worst.name + " " + worst.shape.text()));
    CHECK(plan::json_of(r).json()["worst"] == worst.name);
    CHECK(plan::json_of(r).json()["passed"] == false);
}

TEST_CASE("the report does not depend on the threads, and elements are drawn by the seed") {
    const SmallFolder runs;
    const auto report = [&](int threads, const char* seed) {
        return plan::json_of(check_gradients(runs.experiment({seed}), {.rows = 2, .elements = 2, .threads = threads})).text();
    };
    CHECK(report(1, "seed=3") == report(3, "seed=3"));
    CHECK(report(1, "seed=3") != report(1, "seed=4"));
}

TEST_CASE("an estimate by drawn choices is refused, and 'exact' is named only where it fits") {
    const SmallFolder runs;
    const std::string hard = "model.attention.select=hard";
    const auto refusal = [&](const std::vector<std::string>& set) {
        return message_of([&] { check_gradients(runs.experiment(set), {.rows = 2, .elements = 1}); });
    };
    CHECK(contains(refusal({hard, "model.form=luong"}), "one without draws 'exact'"));
    const std::string fed = refusal({hard, "model.form=luong", "model.input_feeding=true"});
    CHECK(contains(fed, "differences cannot check"));
    CHECK_FALSE(contains(fed, "exact"));
}

TEST_CASE("the command") {
    const SmallFolder runs;
    const std::string config = (runs / "small.json").string();
    const auto [code, out] = command({"check", config, "--json", "--rows", "2", "--elements", "2"});
    CHECK(code == 0);
    const Json json = Json::parse(out);
    CHECK(json["passed"] == true);
    CHECK(json["rows"] == 2);
    const auto [text_code, text] = command({"check", config, "--rows=2", "--elements=1", "--set=model.hidden=3"});
    CHECK(text_code == 0);
    CHECK(contains(text, "gradients agree: worst is "));
    CHECK(contains(text, "head.weight"));
    CHECK(command({"check", (runs / "none.json").string()}).first == 2);
}

TEST_SUITE_END();

}  // namespace check_test64
