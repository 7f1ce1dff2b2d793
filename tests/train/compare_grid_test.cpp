// Variants from lists of values, and the reference with another order of batches.
#include <doctest/doctest.h>

#include "tests/train/compare_processes.h"
#include "train/study/compare/grid.h"
#include "train/study/compare/prepare.h"

namespace compare_grid_test {

TEST_SUITE_BEGIN("train: compare grid");

using namespace attend;
using namespace attend::compare;
using attend::testing::attend_command;
using attend::testing::Compares;
using attend::testing::contains;
using attend::testing::message_of;

namespace {

Comparison read(const Compares& c, const std::string& more, const std::vector<std::string>& set = {}) {
    return read_comparison(c.config(R"({"base": "small.json", )" + more + "}"), set);
}
std::vector<std::string> names(const Comparison& c) {
    std::vector<std::string> all;
    for (const Variant& v : c.variants) all.push_back(v.name);
    return all;
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a grid makes a variant of each combination, and the base among them is the reference") {
    const Compares c;
    Comparison g = read(c, R"("grid": {"optimizer.learning_rate": [0.003, 1e-2], "model.hidden": [8, 6]})");
    CHECK(names(g) == Names{"learning_rate=0.003,hidden=8", "learning_rate=0.003,hidden=6", "learning_rate=1e-2,hidden=8",
                            "learning_rate=1e-2,hidden=6"});
    CHECK(g.reference == 3);  // as small.json has it
    CHECK(names(g)[g.reference] == g.variants[g.reference].experiment.name);
    CHECK(is_comparison(g.path));
    g = read(c, R"("grid": {"model.hidden": [8, 9]})");
    CHECK(g.reference == 0);
    g = read(c, R"("grid": {"model.hidden": [8, 9]}, "compare": {"reference": "hidden=9"})");
    CHECK(g.reference == 1);
    g = read(c, R"("grid": {"model.hidden": [8, 6]}, "variants": {"a": {"train.batch": 8}, "b": {}})");
    CHECK(names(g) == Names{"a,hidden=8", "a,hidden=6", "b,hidden=8", "b,hidden=6"});
    CHECK(g.reference == 1);
    // words of a path as many as needed, and values of all kinds
    g = read(c, R"("grid": {"train.batch": [8], "decode.batch": [7], "model.attention.select":
        ["soft", {"type": "hard", "estimator": "exact"}], "optimizer.betas": [[0.9, 0.99]], "train.evaluate_decode": [true]})");
    CHECK(names(g)[1] == "train.batch=8,decode.batch=7,select=hard+exact,betas=0.9+0.99,evaluate_decode=true");
}

TEST_CASE("a grid that cannot be is refused with its place") {
    const Compares c;
    const auto check = [&](const std::string& grid, const std::string& message) {
        const std::string got = message_of([&] { read(c, R"("grid": )" + grid); });
        CHECK_MESSAGE(contains(got, message), got);
    };
    check("{}", "compare.json:1: grid: expected an object of key paths and lists of values, got an object of 0");
    check("[1]", "grid: expected an object of key paths and lists of values");
    check(R"({"model.hidden": []})", "compare.json:1: grid: model.hidden: an empty list: values 0, least 1");
    check(R"({"model.hidden": 3})", "grid: model.hidden: expected a list of values, got 3");
    check("{\n\"model.hidden\": [8, 9, 8.0]}", "compare.json:2: grid: model.hidden: the same value twice: 8.0");
    check(R"({"data.path": ["a/b", "a:b"]})", "two values that would name one folder: 'a_b'");
    check(R"({"model": ["gpt"], "model.hidden": [1]})", "grid: model.hidden: below model, which is a key of the grid itself");
    check("{\n\"model.hiden\": [8]}", "compare.json:2: model.hiden: unknown key; did you mean 'hidden'?");
    check(R"({"seed": [1, 2]})", "seed: a comparison gives each run its own");
    check(R"({"model.hidden": [8]}, "variants": {"a": {"model.hidden": 9}})", "grid: model.hidden: variant 'a' sets it, too");
    std::string list = "[0";
    for (int i = 1; i < 40; ++i) list += fmt::format(", {}", i);
    check(fmt::format(R"({{"train.samples": {}], "model.hidden": {}]}})", list, list),
          "grid: model.hidden: too many combinations: 1600 with this key, limit 1000");
    check(fmt::format(R"({{"train.batch": ["{}"]}})", std::string(200, 'x')), "neither empty nor longer than 100 bytes");
    const std::string path = c.config(R"({"base": "small.json", "grid": {"model.hidden": [6]}})");
    CHECK(contains(attend_command({"train", path}).error, "it has 'variants' or 'grid'"));
    CHECK(contains(attend_command({"plan", path}).out, "1 variant x 3 seeds"));
}

TEST_CASE("another order of batches has the same data, weights and dropout") {
    const Compares c;
    const auto losses = [&](const std::string& name, const std::vector<std::string>& set) {
        c.files.run(name, set);
        return c.files.metrics(name).front()["loss"].get<double>();
    };
    // all examples in one batch: in either order one sum, but for rounding
    const std::vector<std::string> whole = {"train.batch=60", "train.log_every=1", "model.dropout=0"};
    std::vector<std::string> other = whole;
    other.emplace_back("train.batch_order=1");
    const double first = losses("whole", whole), second = losses("other", other);
    CHECK(first == doctest::Approx(second).epsilon(1e-5));
    const double a = losses("a", {"train.log_every=1"}), b = losses("b", {"train.log_every=1", "train.batch_order=1"}),
                 d = losses("d", {"train.log_every=1", "train.batch_order=2"});
    CHECK(a != b);
    CHECK(b != d);
    TrainRequest r = c.files.request("b", {"train.log_every=1"});
    r.existing = Existing::resume;
    CHECK(contains(message_of([&] { train(r); }), "train.batch_order: before 1, now 0"));
}

TEST_CASE("aa adds the reference with its batches in another order") {
    const Compares c;
    const std::string variants = R"("variants": {"a": {}, "b": {"model.hidden": 8}}, "compare": {"reference": "b"})";
    const Comparison aa = read(c, variants, {"compare.aa=true"});
    CHECK(names(aa) == Names{"a", "b", "aa"});
    CHECK(aa.variants[2].null_variant);
    CHECK(!aa.variants[1].null_variant);
    CHECK(aa.variants[2].experiment.train.batch_order == 1);
    CHECK(text_of(aa.variants[2].experiment.model) == text_of(aa.variants[1].experiment.model));
    CHECK(prepare(aa, "x").other_batches == Names{"", "", "train.batch_order"});
    CHECK(contains(message_of([&] { read(c, R"("variants": {"AA": {}})", {"compare.aa=true"}); }),
                   "compare.aa: there is a variant of that name: 'AA'"));
    // a task whose batches come in one order
    std::ofstream(c.files / "x.txt") << std::string(4000, 'a') << std::string(4000, 'b');
    const std::string text =
        "data={\"task\": \"text\", \"order\": \"sequential\", \"path\": \"" + (c.files / "x.txt").string() + "\"}";
    const std::string gpt = R"(model={"type": "gpt", "layers": 1, "heads": 1, "width": 8, "context": 8})";
    const Comparison fixed = read(c, R"("variants": {"a": {}})", {text, gpt, "compare.aa=true"});
    CHECK(contains(message_of([&] { prepare(fixed, "x"); }),
                   "variants.aa: compare.aa: this task has its training batches in one order"));
}

TEST_SUITE_END();

}  // namespace compare_grid_test
