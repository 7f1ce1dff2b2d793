#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "optim/optimizer.h"
#include "tests/optim/options_by_name.h"

namespace schedule_test_both {

using namespace attend;

namespace {
using Options = std::map<std::string, std::string>;

std::unique_ptr<Schedule> make(const std::string& name, const Options& options, double peak, int64_t steps) {
    return schedule_table().build(oracles::select(schedule_table(), name, options), peak, steps);
}

std::string message(const std::string& name, const Options& options, double peak, int64_t steps) {
    try {
        make(name, options, peak, steps);
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

// The schedules that begin with a warm-up: the others rise by themselves.
const std::vector<std::string> warming = {"constant", "linear", "cosine", "inverse_sqrt", "step", "plateau"};

doctest::Approx near(double x) { return doctest::Approx(x).epsilon(1e-12); }
}  // namespace

TEST_SUITE("schedules") {
    TEST_CASE("schedules: all_seams() knows the table before anyone asks for it") {
        const auto& all = all_seams();
        CHECK(std::any_of(all.begin(), all.end(), [](const Seam* s) { return std::string(s->kind()) == "schedule"; }));
    }

    TEST_CASE("schedules: the table lists them") {
        CHECK(schedule_table().names() == std::vector<std::string>{"constant", "linear", "cosine", "inverse_sqrt", "step",
                                                                   "plateau", "cyclic", "one_cycle"});
    }

    TEST_CASE("warm-up rises from peak / warmup to the peak in every schedule that has one") {
        for (const std::string& name : schedule_table().names()) {
            oracles::OptionsByName lister;
            schedule_table().defaults(name)->fields(lister);
            const bool has = lister.declared().front().name == "warmup";
            CHECK(has == (std::count(warming.begin(), warming.end(), name) == 1));
        }
        for (const std::string& name : warming) {
            CAPTURE(name);
            const auto s = make(name, {{"warmup", "10"}}, 0.5, 100);
            CHECK(s->rate(0) == near(0.05));
            CHECK(s->rate(4) == near(0.25));
            CHECK(s->rate(8) == near(0.45));
            CHECK(s->rate(9) == near(0.5));
        }
    }

    TEST_CASE("constant") {
        CHECK(make("constant", {}, 0.3, 100)->rate(0) == 0.3);
        CHECK(make("constant", {}, 0.3, 100)->rate(99) == 0.3);
        CHECK(make("constant", {{"warmup", "10"}}, 0.3, 100)->rate(10) == 0.3);
    }

    TEST_CASE("linear: at the end of the warm-up, in the middle, at the last step, after the end") {
        const auto s = make("linear", {{"warmup", "20"}, {"final", "0.1"}}, 0.5, 120);
        CHECK(s->rate(20) == near(0.5));
        CHECK(s->rate(45) == near(0.4));
        CHECK(s->rate(70) == near(0.3));
        CHECK(s->rate(119) == near(0.1 + 0.4 * 0.01));
        CHECK(s->rate(120) == near(0.1));
        CHECK(s->rate(100000) == near(0.1));
    }

    TEST_CASE("cosine: at the end of the warm-up, in the middle, at the last step, after the end") {
        const auto s = make("cosine", {{"warmup", "20"}, {"final", "0.1"}}, 0.5, 120);
        CHECK(s->rate(20) == near(0.5));
        CHECK(s->rate(45) == near(0.1 + 0.2 * (1 + std::sqrt(0.5))));
        CHECK(s->rate(70) == near(0.3));
        CHECK(s->rate(119) == near(0.1 + 0.2 * (1 + std::cos(std::numbers::pi * 0.99))));
        CHECK(s->rate(120) == near(0.1));
        CHECK(s->rate(100000) == near(0.1));
    }

    TEST_CASE("final is 0 and warm-up none where nothing is said") {
        for (const char* name : {"linear", "cosine"}) {
            const auto s = make(name, {}, 1, 10);
            CHECK(s->rate(0) == 1);
            CHECK(s->rate(5) == near(0.5));
            CHECK(s->rate(10) == near(0));
        }
    }

    TEST_CASE("inverse_sqrt is Vaswani's rule, continuous at the end of the warm-up") {
        const double peak = 0.7;
        const auto s = make("inverse_sqrt", {{"warmup", "400"}}, peak, 100000);
        for (int64_t step : {0, 1, 398, 399, 400, 401, 1599, 99999}) {
            const double n = static_cast<double>(step) + 1;
            CHECK(s->rate(step) == near(peak * std::sqrt(400.0) * std::min(1 / std::sqrt(n), n / (400 * std::sqrt(400.0)))));
        }
        CHECK(s->rate(1599) == near(peak / 2));
        CHECK(make("inverse_sqrt", {{"warmup", "0"}}, 1, 10)->rate(0) == 1);
        CHECK(make("inverse_sqrt", {{"warmup", "0"}}, 1, 10)->rate(3) == near(0.5));
        CHECK(make("inverse_sqrt", {}, 1, 10)->rate(0) == near(1.0 / 4000));  // the paper's 4000
    }

    TEST_CASE("a warm-up as long as the run, or longer, is the beginning of the long run, no steps at all is legal") {
        for (const char* name : {"cyclic", "one_cycle"})
            for (int64_t steps : {0, 1, 2})
                for (int64_t step : {0, 1, 2, 1000}) CHECK(std::isfinite(make(name, {}, 1, steps)->rate(step)));
        for (const std::string& name : warming) {
            CAPTURE(name);
            const auto cut = make(name, {{"warmup", "100"}}, 1, 50), full = make(name, {{"warmup", "100"}}, 1, 500);
            for (int64_t step : {0, 25, 49, 99}) CHECK(cut->rate(step) == full->rate(step));
            CHECK(make(name, {{"warmup", "50"}}, 1, 50)->rate(49) == 1);
            for (int64_t step : {0, 1, 49, 50, 51, 1000}) {
                CHECK(std::isfinite(make(name, {{"warmup", "50"}}, 1, 50)->rate(step)));
                CHECK(std::isfinite(make(name, {{"warmup", "0"}}, 1, 0)->rate(step)));
            }
        }
    }

    TEST_CASE("rates never fall below 0 or rise above the peak, and after a warm-up only fall") {
        for (const std::string& name : schedule_table().names()) {
            CAPTURE(name);
            const bool warms = std::count(warming.begin(), warming.end(), name) == 1;
            const auto s = make(name, warms ? Options{{"warmup", "7"}} : Options{}, 0.3, 97);
            for (int64_t step = 0; step < 200; ++step) {
                CHECK(s->rate(step) >= 0);
                CHECK(s->rate(step) <= 0.3 * (1 + 1e-12));
                if (warms && step >= 7)
                    CHECK(s->rate(step + 1) <= s->rate(step));
                if (step >= 97)
                    CHECK(s->rate(step) ==
                          s->rate(96 + (name == "linear" || name == "cosine" || name == "inverse_sqrt" ? step - 96 : 0)));
            }
        }
    }

    TEST_CASE("step: falls come every so many steps after the warm-up") {
        const auto s = make("step", {{"warmup", "20"}, {"every", "10"}, {"gamma", "0.5"}}, 0.8, 100);
        CHECK(s->rate(29) == near(0.8));
        CHECK(s->rate(30) == near(0.4));
        CHECK(s->rate(39) == near(0.4));
        CHECK(s->rate(99) == near(0.8 / 128));
        CHECK(s->rate(100) == near(0.8 / 128));  // the run has ended
    }

    TEST_CASE("plateau follows evaluations, and goes on from its state") {
        const Options options = {{"patience", "1"}, {"factor", "0.5"}, {"cooldown", "1"}, {"final", "0.06"}, {"warmup", "4"}};
        const auto s = make("plateau", options, 0.4, 100);
        const double nan = std::numeric_limits<double>::quiet_NaN();
        // Falls with the second evaluation without improvement; then one is not counted.
        const std::vector<std::pair<double, double>> seen = {{3, 0.4},        {2, 0.4},   {2, 0.4}, {2.5, 0.2},
                                                             {4, 0.2},        {nan, 0.2}, {1, 0.2}, {nan, 0.2},
                                                             {INFINITY, 0.1}, {1, 0.1},   {1, 0.1}, {1, 0.06}};
        auto resumed = make("plateau", options, 0.4, 100);
        for (const auto& [metric, rate] : seen) {
            s->evaluated(metric);
            CHECK(s->rate(50) == near(rate));
            // A resumed run at every point.
            resumed->evaluated(metric);
            const std::vector<double> state = resumed->state();
            for (double x : state) CHECK(std::isfinite(x));
            resumed = make("plateau", options, 0.4, 100);
            resumed->restore(state);
            CHECK(resumed->rate(50) == s->rate(50));
        }
        CHECK(s->rate(0) == near(0.1));  // the warm-up does not follow evaluations
    }

    TEST_CASE("plateau: more is better where the metric is negated, and improvements below the threshold are none") {
        const auto falls = [](double first, double second) {
            const auto s = make("plateau", {{"patience", "0"}, {"threshold", "0.1"}}, 1, 100);
            s->evaluated(first);
            s->evaluated(second);
            return s->rate(50) < 1;
        };
        CHECK(falls(2, 1.9));
        CHECK(!falls(2, 1.7));
        CHECK(falls(-2, -2.1));
        CHECK(!falls(-2, -2.3));
        CHECK(falls(-2, -1.9));
    }

    TEST_CASE("schedules that do not follow evaluations have no state") {
        for (const std::string& name : schedule_table().names()) {
            CAPTURE(name);
            const auto s = make(name, {}, 1, 100);
            const double before = s->rate(40);
            for (int i = 0; i < 30; ++i) s->evaluated(1);
            CHECK((s->rate(40) == before) == (name != "plateau"));
            CHECK(s->state().empty() == (name != "plateau"));
            if (name != "plateau")
                s->restore({});
        }
        const auto restored = [](const std::string& name, const std::vector<double>& state) {
            try {
                make(name, {}, 1, 100)->restore(state);
            } catch (const Error& e) {
                return std::string(e.what());
            }
            return std::string();
        };
        CHECK(restored("cosine", {1}) == "schedule: the state is not one of this schedule: numbers 1, needed 0");
        CHECK(restored("plateau", {1, 2}) == "schedule plateau: the state is not one of this schedule: numbers 2, needed 5");
        CHECK(restored("plateau", {1, 2, 0.5, 0, 0}) ==
              "schedule plateau: the state is not one of this schedule: number 2 is 0.5");
        CHECK(restored("plateau", {1, -2, 1, 0, 0}) == "");
    }

    TEST_CASE("cyclic: its ends, its top, and as many steps down as up where nothing is said") {
        const auto s = make("cyclic", {{"low", "0.1"}, {"rise", "10"}}, 0.5, 1000);
        CHECK(s->rate(0) == near(0.1));
        CHECK(s->rate(10) == near(0.5));
        CHECK(s->rate(15) == near(0.3));
        CHECK(s->rate(20) == near(0.1));
        CHECK(s->rate(30) == near(0.5));
        CHECK(make("cyclic", {{"low", "0.1"}, {"rise", "10"}, {"mode", "triangular2"}}, 0.5, 1000)->rate(30) == near(0.3));
    }

    TEST_CASE("one_cycle: its ends and its top") {
        const auto s = make("one_cycle", {}, 0.5, 100);
        CHECK(s->rate(0) == near(0.02));
        CHECK(s->rate(29) == near(0.5));
        CHECK(s->rate(99) == near(0.02e-4));
        CHECK(s->rate(100) == near(0.02e-4));
        CHECK(make("one_cycle", {{"rise", "0"}}, 0.5, 100)->rate(0) == 0.5);
        CHECK(make("one_cycle", {{"rise", "1"}}, 0.5, 100)->rate(99) == 0.5);
    }

    TEST_CASE("bad options name both numbers") {
        CHECK(message("cosine", {{"final", "0.2"}}, 0.1, 10) ==
              "schedule: final must be at most the peak rate: final 0.2, learning_rate 0.1; final is an absolute rate");
        CHECK(message("linear", {{"final", "-1"}}, 0.1, 10) ==
              "schedule linear: final out of range: final -1, allowed 0 to 1000");
        for (const std::string& name : schedule_table().names()) {
            CAPTURE(name);
            if (std::count(warming.begin(), warming.end(), name) == 1)
                CHECK(message(name, {{"warmup", "-3"}}, 1, 10) ==
                      "schedule " + name + ": warmup out of range: warmup -3, allowed 0 to 1000000000000");
            CHECK(message(name, {}, 1, -2) == "schedule: steps out of range: steps -2, allowed 0 to 1000000000000");
            CHECK(message(name, {}, -1, 10) == "schedule: the peak rate must be finite and not negative: learning_rate -1");
            CHECK(message(name, {}, std::numeric_limits<double>::infinity(), 10) ==
                  "schedule: the peak rate must be finite and not negative: learning_rate inf");
            CHECK(message(name, {}, 1, 10) == "");
        }
        CHECK(message("step", {{"every", "0"}}, 1, 10) ==
              "schedule step: every out of range: every 0, allowed 1 to 1000000000000");
        CHECK(message("step", {{"gamma", "2"}}, 1, 10) == "schedule step: gamma out of range: gamma 2, allowed 0 to 1");
        CHECK(message("plateau", {{"factor", "2"}}, 1, 10) ==
              "schedule plateau: factor out of range: factor 2, allowed 0 to 1");
        CHECK(message("plateau", {{"patience", "-1"}}, 1, 10) ==
              "schedule plateau: patience out of range: patience -1, allowed 0 to 1000000000000");
        CHECK(message("plateau", {{"final", "2"}}, 1, 10).find("final 2, learning_rate 1") != std::string::npos);
        CHECK(message("cyclic", {{"low", "2"}}, 1, 10) ==
              "schedule: low must be at most the peak rate: low 2, learning_rate 1; low is an absolute rate");
        CHECK(message("cyclic", {{"rise", "0"}}, 1, 10) ==
              "schedule cyclic: rise out of range: rise 0, allowed 1 to 1000000000000");
        CHECK(message("one_cycle", {{"start_divisor", "0.5"}}, 1, 10) ==
              "schedule one_cycle: start_divisor out of range: start_divisor 0.5, allowed 1 to 1000000000");
        CHECK_THROWS_WITH_AS(make("cosin", {}, 1, 10), doctest::Contains("did you mean 'cosine'?"), Error);
    }
}

}  // namespace schedule_test_both
