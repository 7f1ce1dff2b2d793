// attend lab: what is measured of estimators, and that what is measured is right.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <sstream>

#include "tests/train/commands.h"
#include "tests/train/small_folder.h"
#include "train/study/lab/judge.h"
#include "train/study/lab/lab.h"
#include "train/study/lab/measure.h"
#include "train/study/lab/rank.h"
#include "train/study/lab/tail.h"

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
        if (row.label == label)
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
        for (lab::Row& row : m.rows) {
            row.seconds = 1;
            row.seconds_error = 0;
        }
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
        double variance = 0, square = 0;
        for (const lab::Block& b : row.blocks) {
            CHECK(b.name != "lab");
            CHECK(b.name != "estimator");
            REQUIRE(b.scaled);
            variance += b.variance.value * b.gradient * b.gradient;  // back to absolute units
            square += b.gradient * b.gradient;
            CHECK(b.bias.low <= b.bias.value);
            CHECK(b.bias.value <= b.bias.high);
            if (row.unbiased && row.draws > 1)
                CHECK(b.bias.low < 1e-12);  // what sums over all positions has rounding alone
        }
        CHECK(square == doctest::Approx(row.all.gradient * row.all.gradient));
        CHECK(variance == doctest::Approx(row.all.variance.value * square));
        CHECK(row.seconds > 0);
        CHECK(row.all.variance.low <= row.all.variance.value);
        CHECK(row.all.variance.value <= row.all.variance.high);
        if (row.unbiased && row.draws > 1)
            CHECK(row.all.bias.low < 1e-12);
    }
    CHECK(measured_rows >= 13);
    const lab::Row *exact = find(r, "exact"), *none = find(r, "reinforce x4"), *others = find(r, "reinforce leave_one_out x4"),
                   *gumbel = find(r, "gumbel_softmax x4");
    REQUIRE((exact != nullptr && none != nullptr && others != nullptr && gumbel != nullptr));
    CHECK(exact->draws == 1);
    CHECK(exact->all.bias.value < 1e-9);
    CHECK(exact->all.variance.value == 0);
    CHECK(exact->all.cosine == doctest::Approx(1));
    CHECK(others->configured);  // and once in the table
    CHECK(others->all.variance.high < 0.1 * none->all.variance.low);
    CHECK(others->all.cosine > none->all.cosine);
    CHECK(gumbel->all.bias.low > 0);
    for (const lab::Row& row : r.checkpoints[0].rows)
        if (std::ranges::any_of(std::array{"coupled", "reinforce", "gumbel_softmax"},
                                [&](const char* name) { return row.estimator == name; }))
            CHECK_MESSAGE(contains(row.label, " x"), row.label);
    CHECK(find(r, "unordered_set k 3") != nullptr);
    CHECK(contains(lab::text_of(r), "expected, biased"));
    CHECK(contains(r.recommendation, "has the least variance x time"));
    const std::string text = lab::text_of(r);
    CHECK(contains(text, "block attention, in units of its own gradient; |g|: expected "));
    std::istringstream lines(text.substr(0, text.find(r.recommendation)));
    for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 128, line);
    const Json j = lab::json_of(r).json();
    CHECK(j["format"] == 2);
    CHECK(j["checkpoints"][0]["rows"][0]["blocks"][0]["variance_low"].is_number());
    CHECK(j["checkpoints"][0]["ranking"][0]["cost_ratio"] == 1);
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
    CHECK(critical->all.bias.low == 0);
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
    CHECK(gumbel->all.variance.value > 0);
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

namespace {

// Draws about a mean of length `bias` away from g = (1, 0, ...): 16 groups of `each` draws of `width`
// elements, whose deviations fall by the factor `fall` from one to the next. `noise` has mean 0 and
// variance 1. All elements are one block.
struct Planted {
    int64_t each = 6;
    std::size_t width = 10;
    double fall = 0.8, bias = 0;
    double reference_noise = 0;  // deviation of each element of the reference's groups; 0: it is exact
    std::function<double(Stream&)> noise;

    double variance() const {
        double sum = 0;
        for (std::size_t i = 0; i < width; ++i) sum += 0.04 * std::pow(fall, 2 * static_cast<double>(i));
        return sum;
    }
    lab::Row judged(Stream& stream) const {
        const lab::Blocks blocks{{"one"}, std::vector<int32_t>(width, 0)};
        lab::Groups reference{{std::vector<double>(width)}, {}, {}, 1}, groups;
        reference.means[0][0] = 1;
        if (reference_noise > 0)
            reference.means.resize(16, reference.means[0]);
        if (reference_noise > 0)
            for (std::vector<double>& v : reference.means)
                for (double& x : v) x += reference_noise * noise(stream);
        groups.each = each;
        for (int g = 0; g < 16; ++g) {
            std::vector<double> mean(width), squares, products;
            for (int64_t i = 0; i < each; ++i) {
                double square = 0, deviation = 0.2, first = 0;
                for (std::size_t e = 0; e < width; ++e, deviation *= fall) {
                    const double x = (e == 0 ? 1 : 0) + (e == 1 % width ? bias : 0) + deviation * noise(stream);
                    first = e == 0 ? x : first;
                    mean[e] += x / static_cast<double>(each);
                    square += x * x;
                }
                squares.push_back(square);
                products.push_back(first);
            }
            groups.means.push_back(mean);
            groups.squares.push_back(squares);
            groups.products.push_back(products);
        }
        lab::Row row;
        lab::judge(row, groups, reference, blocks);
        return row;
    }
};

double normal(Stream& s) { return static_cast<double>(s.normal()); }
// A gamma distribution of shape 4 as the sum of four exponential ones: skewness 1, excess kurtosis 1.5.
double skewed(Stream& s) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum -= std::log(1 - static_cast<double>(s.uniform()));
    return (sum - 4) / 2;
}

struct Coverage {
    double bias = 0, variance = 0;  // shares of repeats whose interval holds the planted value
};
Coverage coverage_of(const Planted& planted, int repeats) {
    Stream stream(11, "coverage");
    Coverage held;
    const auto holds = [](const lab::Interval& i, double x) { return i.low <= x && x <= i.high ? 1.0 : 0.0; };
    for (int i = 0; i < repeats; ++i) {
        const lab::Row row = planted.judged(stream);
        held.bias += holds(row.all.bias, planted.bias) / repeats;
        held.variance += holds(row.all.variance, planted.variance()) / repeats;
    }
    return held;
}

}  // namespace

TEST_CASE("the intervals of bias and variance hold what was planted as often as they say") {
    // Of 400 at 95 %: standard deviation 1.1 %. ATTEND_LAB_REPEATS=2000 is the long form.
    const char* longer = std::getenv("ATTEND_LAB_REPEATS");
    const int repeats = longer != nullptr ? std::atoi(longer) : 400;
    struct Noise {
        const char* name;
        double (*draw)(Stream&);
    };
    const auto check = [&](const char* name, const Planted& planted) {
        const Coverage c = coverage_of(planted, repeats);
        CAPTURE(name);
        CAPTURE(planted.bias);
        CAPTURE(planted.width);
        CAPTURE(planted.reference_noise);
        if (longer != nullptr)
            MESSAGE(fmt::format("{}, bias {}, width {}, reference {}: bias held {:.1f} %, variance {:.1f} %", name,
                                planted.bias, planted.width, planted.reference_noise, 100 * c.bias, 100 * c.variance));
        CHECK(c.bias >= 0.93);
        CHECK(c.bias <= 0.99);
        CHECK(c.variance >= 0.93);
        CHECK(c.variance <= 0.99);
    };
    for (const auto& [name, noise] : {Noise{"normal", normal}, Noise{"skewed", skewed}})
        for (const double bias : {0.0, 0.03, 0.1, 0.3})
            for (const std::size_t width : {std::size_t{3}, std::size_t{30}})
                check(name, {.each = 6, .width = width, .bias = bias, .noise = noise});
    for (const double bias : {0.0, 0.1, 0.3})
        check("normal", {.each = 6, .width = 10, .bias = bias, .reference_noise = 0.1, .noise = normal});
}

TEST_CASE("a bias that is there is found") {
    Stream stream(12, "found");
    const lab::Row row = Planted{.bias = 0.5, .noise = normal}.judged(stream);
    CHECK(row.all.bias.low > 0.4);
    CHECK(row.all.bias.high < 0.6);
}

TEST_CASE("a block's bias and variance are in units of its own gradient, and one without gradient has none") {
    // |g|^2 = 100 in block big, 1 in block small, 0 in block none; the estimates are off by 0.5 in
    // small and draw in all.
    const lab::Blocks blocks{{"big", "small", "none"}, {0, 1, 2}};
    const lab::Groups reference{{{10, 1, 0}}, {}, {}, 1};
    lab::Groups groups;
    groups.each = 1;
    for (int g = 0; g < 16; ++g) {
        const double sign = g % 2 == 0 ? 1 : -1, turn = g % 4 < 2 ? 1 : -1;
        const std::vector<double> x = {10 + sign, 1.5 + 0.1 * turn, 0.3 * sign * turn};
        groups.means.push_back(x);
        groups.squares.push_back({x[0] * x[0], x[1] * x[1], x[2] * x[2]});
        groups.products.push_back({10 * x[0], x[1], 0});
    }
    lab::Row row;
    lab::judge(row, groups, reference, blocks);
    const double n = 16.0 / 15;  // variance of +-1 in 16 draws
    REQUIRE(row.blocks.size() == 3);
    const lab::Block &big = row.blocks[0], &small = row.blocks[1], &none = row.blocks[2];
    CHECK(big.gradient == doctest::Approx(10));
    CHECK(small.gradient == doctest::Approx(1));
    CHECK(big.variance.value == doctest::Approx(n / 100));
    CHECK(small.variance.value == doctest::Approx(0.01 * n));
    CHECK(small.bias.value == doctest::Approx(0.5).epsilon(0.01));
    CHECK(small.bias.low > 0.4);
    CHECK(big.bias.low == 0);
    CHECK(row.all.bias.value < 0.06);  // of the whole gradient it is a twentieth
    CHECK_FALSE(none.scaled);
    CHECK(none.variance.value == 0);
    CHECK(none.share == doctest::Approx(0.09 / (1 + 0.01 + 0.09)));
    CHECK(small.cosine == doctest::Approx(1));
    row.label = "planted";
    lab::Report report{.name = "planted",
                       .rows = 1,
                       .targets = 1,
                       .draws = 16,
                       .exact = true,
                       .objective = "expected",
                       .checkpoints = {{0, {row}}},
                       .recommendation = ""};
    CHECK(contains(lab::text_of(report), "block none, in units of its own gradient; |g|: expected 0, or not told from 0"));
    CHECK(contains(lab::text_of(report), "no unit: |g| is 0"));
    const Json j = lab::json_of(report).json()["checkpoints"][0]["rows"][0]["blocks"][2];
    CHECK(j["gradient_is_zero"] == true);
    CHECK_FALSE(j.contains("variance"));
}

TEST_CASE("heavy tails are warned of, and light ones are not") {
    int light = 0, heavy = 0;
    for (int i = 0; i < 20; ++i) {
        Stream stream(static_cast<uint64_t>(i), "tails");
        const Planted plain{.each = 16, .noise = normal};
        // Of Student's distribution with two degrees of freedom: its square has a tail index of 1.
        const Planted wild{.each = 16, .width = 1, .noise = [](Stream& s) {
                               const double u = static_cast<double>(s.uniform()) * 0.999998 + 1e-6;
                               return (2 * u - 1) / std::sqrt(2 * u * (1 - u));
                           }};
        light += plain.judged(stream).all.heavy() ? 1 : 0;
        heavy += wild.judged(stream).all.heavy() ? 1 : 0;
    }
    CHECK(light == 0);
    CHECK(heavy >= 12);
    std::vector<double> pareto;  // quantiles of k = 1
    for (int i = 0; i < 1000; ++i) pareto.push_back(1 / (1 - (i + 0.5) / 1000));
    CHECK(lab::tail_index(pareto) == doctest::Approx(1).epsilon(0.1));
    std::vector<double> uniform;  // and of k = -1
    for (int i = 0; i < 1000; ++i) uniform.push_back((i + 0.5) / 1000);
    CHECK(lab::tail_index(uniform) == doctest::Approx(-1).epsilon(0.15));
    Stream stream(3, "tails");
    lab::Row row = Planted{.each = 16, .noise = normal}.judged(stream);
    row.label = "wild";
    row.blocks[0].tail = 0.9;
    row.blocks[0].largest = 0.4;
    const lab::Report report{.name = "n",
                             .rows = 1,
                             .targets = 1,
                             .draws = 256,
                             .exact = true,
                             .objective = "expected",
                             .checkpoints = {{0, {row}}},
                             .recommendation = ""};
    CHECK(contains(lab::text_of(report), "wild: one (k 0.90, largest draw 40 %)"));
}

TEST_CASE("estimators are compared by common draws, and only differences that draws can tell are spoken of") {
    // The second has the draws of the first, 5 % larger; the third has its own.
    Stream first(5, "rank"), third(6, "rank");
    const Planted planted{.each = 3, .noise = normal};
    Stream again = first;
    const Planted larger{.each = 3, .noise = [](Stream& s) { return 1.05 * normal(s); }};
    lab::Measured m{0, {planted.judged(first), larger.judged(again), planted.judged(third)}};
    const char* labels[] = {"first", "larger", "other"};
    for (std::size_t i = 0; i < 3; ++i) {
        m.rows[i].label = labels[i];
        m.rows[i].seconds = 1;
    }
    const auto paired = lab::cost_ratio(m.rows[1], m.rows[0], 0.05), other = lab::cost_ratio(m.rows[2], m.rows[0], 0.05);
    REQUIRE((paired && other));
    CHECK(paired->value == doctest::Approx(1.1025).epsilon(1e-6));
    CHECK(paired->low > 1.09);  // each variance alone is known to a third of itself
    CHECK(m.rows[0].all.variance.high > 1.15 * m.rows[0].all.variance.value);
    CHECK(other->low < 1);
    CHECK(other->high > 1);
    m.rows[0].configured = true;
    lab::Report report{.name = "n",
                       .rows = 1,
                       .targets = 1,
                       .draws = 48,
                       .exact = true,
                       .objective = "expected",
                       .checkpoints = {m},
                       .recommendation = ""};
    const std::string text = lab::recommend(report);
    CAPTURE(text);
    CHECK(contains(text, "not distinguishable from it"));
    CHECK_FALSE(contains(text, "'larger'"));
    CHECK_FALSE(contains(text, "heavy"));
    report.checkpoints[0].rows[0].blocks[0].largest = 0.4;  // of the best or of one that is told with it
    CHECK(contains(lab::recommend(report), "'first' (heavy tails)"));
    for (lab::Row& row : report.checkpoints[0].rows) row.blocks[0].largest = 0.4;
    CHECK(contains(lab::recommend(report),
                   "(heavy tails) has the least variance x time, but rare draws carry its variance, which "
                   "may be larger than measured"));
    report.checkpoints[0].rows[0].seconds = 5000;  // the configured one's
    CHECK(contains(lab::recommend(report), "; the configured 'first' (heavy tails) costs more than 1,000 times as much"));
    m.rows[0].seconds_error = 1;  // with times like that nothing can be told
    CHECK(lab::cost_ratio(m.rows[1], m.rows[0], 0.05)->low < 1);
}

TEST_CASE("an attention inside another module is a block of its own") {
    lab::Setup setup;
    setup.draws = 48;
    setup.samples = 1;
    setup.estimators = {"straight_through"};
    const lab::Report r = measured({R"(model={"type": "transformer_seq2seq", "layers": 2, "width": 8, "heads": 2,
                                              "cross_attention": {"select": "hard"}})"},
                                   setup);
    Strings names;
    for (const lab::Block& b : r.checkpoints[0].rows[0].blocks) names.push_back(b.name);
    CHECK(std::ranges::count(names, "decoder.*.cross") == 1);
    CHECK(std::ranges::count(names, "decoder") == 1);
    CHECK(std::ranges::count(names, "encoder") == 1);
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

    const Outcome several = attend_command({"lab", config, "--set", luong, "--set", hard, "--draws=48", "--rows=4", "--adapt=5",
                                            "--estimator", "exact", "straight_through", "--out", out});
    CAPTURE(several.error);
    CHECK(several.code == 0);
    CHECK(Json::parse(runs.text("numbers.json"))["checkpoints"][0]["rows"].size() == 3);
    CHECK(contains(attend_command({"lab", config, "exact"}).error, "requires --estimator"));

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
