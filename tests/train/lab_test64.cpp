// attend lab: what is measured of estimators, and that what is measured is right.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/train/commands.h"
#include "tests/train/small_folder.h"
#include "train/study/lab/judge.h"
#include "train/study/lab/lab.h"
#include "train/study/lab/measure.h"

namespace lab_test64 {

TEST_SUITE_BEGIN("train: lab");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallFolder;
using Strings = std::vector<std::string>;

namespace {

const std::string luong = "model.form=luong", hard = "model.attention.select=hard";

const lab::Row* find(const lab::Report& r, const std::string& label) {
    for (const lab::Row& row : r.checkpoints.back().rows)
        if (row.label == label && !row.configured)
            return &row;
    return nullptr;
}

lab::Report measured(const Strings& set, lab::Setup setup = {}) {
    const SmallFolder runs;
    if (setup.draws == 256)
        setup.draws = 160;
    setup.rows = 6;
    return measure_estimators(runs.experiment(set), "", {{}}, setup);
}

// All that does not depend on the clock.
std::string timeless(lab::Report r) {
    for (lab::Measured& m : r.checkpoints)
        for (lab::Row& row : m.rows) row.seconds = 1;
    r.recommendation = lab::recommend(r);
    return lab::json_of(r).text();
}

}  // namespace

TEST_CASE("the estimators of a model against the exact gradient of its objective") {
    const lab::Report r = measured({luong, hard});
    CHECK(r.exact);
    CHECK(r.objective == "expected");
    CHECK(r.rows == 6);
    REQUIRE(r.checkpoints.size() == 1);
    CHECK(r.checkpoints[0].rows.front().configured);
    int measured_rows = 0;
    for (const lab::Row& row : r.checkpoints[0].rows) {
        CAPTURE(row.label);
        CHECK(row.skipped == "");
        ++measured_rows;
        double sum = 0;
        for (const lab::Block& b : row.blocks) {
            CHECK(b.name != "lab");
            CHECK(b.name != "estimator");
            sum += b.variance;
        }
        CHECK(sum == doctest::Approx(row.variance));
        CHECK(row.seconds > 0);
        CHECK(row.bias_low <= row.bias);
        CHECK(row.bias <= row.bias_high);
        if (row.unbiased && row.draws > 1)
            CHECK(row.bias_low == 0);
    }
    CHECK(measured_rows >= 14);
    const lab::Row *exact = find(r, "exact"), *none = find(r, "reinforce x4"), *others = find(r, "reinforce leave_one_out x4"),
                   *gumbel = find(r, "gumbel_softmax x4");
    REQUIRE((exact != nullptr && none != nullptr && others != nullptr && gumbel != nullptr));
    CHECK(exact->draws == 1);
    CHECK(exact->bias < 1e-9);
    CHECK(exact->variance == 0);
    CHECK(exact->cosine == doctest::Approx(1));
    CHECK(others->variance < 0.1 * none->variance);
    CHECK(others->cosine > none->cosine);
    CHECK(gumbel->bias_low > 0);
    CHECK(contains(r.recommendation, "costs least for its accuracy"));
    CHECK(contains(lab::text_of(r), "variance by block"));
    const Json j = lab::json_of(r).json();
    CHECK(j["format"] == 1);
    CHECK(j["checkpoints"][0]["rows"].size() == r.checkpoints[0].rows.size());
    CHECK(j["checkpoints"][0]["rows"][0]["configured"] == true);
}

TEST_CASE("where steps reach each other the reference is the mean of many draws, and what needs independence is left out") {
    lab::Setup setup;
    setup.estimators = {"exact", R"({"type": "reinforce", "baseline": "self_critical", "samples": 2})", "straight_through"};
    const lab::Report r = measured({hard}, setup);
    CHECK_FALSE(r.exact);
    const lab::Row* exact = find(r, "exact");
    REQUIRE(exact != nullptr);
    CHECK(contains(exact->skipped, "affects later steps"));
    const lab::Row* critical = find(r, "reinforce self_critical x2");
    REQUIRE(critical != nullptr);
    CHECK(critical->skipped == "");
    CHECK(critical->bias_low == 0);
    CHECK(contains(lab::text_of(r), "mean of many draws"));
}

TEST_CASE("a transformer's estimators, and those that are not for many sites left out") {
    lab::Setup setup;
    setup.draws = 48;
    setup.samples = 2;
    const lab::Report r = measured({R"(model={"type": "transformer_seq2seq", "layers": 1, "width": 8, "heads": 2,
                                              "cross_attention": {"select": "hard"}})"},
                                   setup);
    const lab::Row *relax = find(r, "relax x2"), *gumbel = find(r, "gumbel_softmax x2");
    REQUIRE((relax != nullptr && gumbel != nullptr));
    CHECK(contains(relax->skipped, "one choice in each step"));
    CHECK(gumbel->skipped == "");
    CHECK(gumbel->variance > 0);
}

TEST_CASE("threads change no number of a lab, and seeds do") {
    lab::Setup setup;
    setup.draws = 64;
    setup.estimators = {"relax", R"({"type": "reinforce", "baseline": "learned"})"};
    setup.adapt = 20;
    const lab::Report one = measured({luong, hard}, setup);
    setup.threads = 2;
    CHECK(timeless(one) == timeless(measured({luong, hard}, setup)));
    CHECK(timeless(one) != timeless(measured({luong, hard, "seed=4"}, setup)));
}

TEST_CASE("the bias that is found is the one that was planted, and its interval holds it as often as it says") {
    // Groups of normal vectors about a known bias of length 0.3 in a gradient of length 1; 40
    // elements, one block.
    const auto coverage = [](double size) {
        Stream stream(11, "bias");
        int held = 0;
        for (int repeat = 0; repeat < 200; ++repeat) {
            lab::Blocks blocks{{"all"}, std::vector<int32_t>(40, 0)};
            lab::Groups reference{{std::vector<double>(40)}, {}, {}, 1};
            reference.means[0][0] = 1;
            lab::Groups groups;
            groups.each = 10;
            for (int g = 0; g < 16; ++g) {
                std::vector<double> v(40);
                for (double& x : v) x = 0.2 * static_cast<double>(stream.normal());
                v[0] += 1;
                v[1] += size;
                groups.means.push_back(v);
                groups.squares.push_back({0});
            }
            lab::Row row;
            lab::judge(row, groups, reference, blocks);
            held += row.bias_low <= size && size <= row.bias_high ? 1 : 0;
        }
        return held;
    };
    // Of 200 at 95 %: 190 expected, standard deviation 3.1; the jackknife may be a little cautious.
    CHECK(coverage(0.3) >= 180);
    CHECK(coverage(0) >= 180);
    // That it can fail: an estimate of half the gradient's size away is not held to be unbiased.
    lab::Blocks blocks{{"all"}, {0, 0}};
    lab::Groups reference{{{1, 0}}, {}, {}, 1}, groups;
    groups.each = 1;
    for (int g = 0; g < 16; ++g) {
        groups.means.push_back({1, 0.5 + (g % 2 == 0 ? 0.01 : -0.01)});
        groups.squares.push_back({0});
    }
    lab::Row row;
    lab::judge(row, groups, reference, blocks);
    CHECK(row.bias_low > 0.4);
    CHECK(row.bias_high < 0.6);
}

TEST_CASE("the command: a config, a run at its checkpoints, the file that it leaves, and what it refuses") {
    const SmallFolder runs;
    const Strings few = {"--draws=48", "--rows=4", "--adapt=5", "--estimator=exact"};
    const auto lab = [&](Strings words) {
        words.insert(words.begin(), "lab");
        words.insert(words.end(), few.begin(), few.end());
        return attend_command(words);
    };
    const std::string config = (runs / "small.json").string(), out = (runs / "numbers.json").string();
    const Outcome good = lab({config, "--set", luong, "--set", hard, "--out", out});
    CAPTURE(good.error);
    CHECK(good.code == 0);
    CHECK(contains(good.out, "* reinforce"));
    CHECK(contains(good.out, "exact"));
    CHECK(Json::parse(runs.text("numbers.json"))["checkpoints"][0]["rows"].size() == 2);

    REQUIRE(attend_command({"train", runs.config(), "--set", luong, "--set", hard, "--set", "train.keep=10", "--out",
                            (runs / "run").string()})
                .code == 0);
    const Outcome of_run = lab({(runs / "run").string(), "--json"});
    CAPTURE(of_run.error);
    CHECK(of_run.code == 0);
    CHECK(Json::parse(of_run.out)["checkpoints"].size() >= 2);
    CHECK(runs.text("run/lab.json") == of_run.out);

    CHECK(contains(lab({config}).error, "the model makes no hard choices"));
    CHECK(lab({config}).code == 2);
    const Outcome unknown = attend_command({"lab", config, "--set", hard, "--estimator=reinforse"});
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.error, "reinforce"));
    CHECK(attend_command({"lab", config, "--draws=3"}).code == 2);
    CHECK(attend_command({"lab", (runs / "nowhere").string()}).code == 2);
}

TEST_SUITE_END();

}  // namespace lab_test64
