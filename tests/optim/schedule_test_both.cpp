#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "optim/optimizer.h"
#include "tests/optim/options_by_name.h"

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

doctest::Approx near(double x) { return doctest::Approx(x).epsilon(1e-12); }
}  // namespace

TEST_SUITE("schedules") {
    TEST_CASE("schedules: all_seams() knows the table before anyone asks for it") {
        const auto& all = all_seams();
        CHECK(std::any_of(all.begin(), all.end(), [](const Seam* s) { return std::string(s->kind()) == "schedule"; }));
    }

    TEST_CASE("schedules: the table lists them") {
        CHECK(schedule_table().names() == std::vector<std::string>{"constant", "linear", "cosine", "inverse_sqrt"});
    }

    TEST_CASE("warm-up rises from peak / warmup to the peak in every schedule") {
        for (const std::string& name : schedule_table().names()) {
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

    TEST_CASE("linear: at the end of the warm-up, in the middle, at the last step, behind the end") {
        const auto s = make("linear", {{"warmup", "20"}, {"final", "0.1"}}, 0.5, 120);
        CHECK(s->rate(20) == near(0.5));
        CHECK(s->rate(45) == near(0.4));
        CHECK(s->rate(70) == near(0.3));
        CHECK(s->rate(119) == near(0.1 + 0.4 * 0.01));
        CHECK(s->rate(120) == near(0.1));
        CHECK(s->rate(100000) == near(0.1));
    }

    TEST_CASE("cosine: at the end of the warm-up, in the middle, at the last step, behind the end") {
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

    TEST_CASE("a warm-up as long as the run, or longer, is the beginning of the long run; no steps at all is legal") {
        for (const std::string& name : schedule_table().names()) {
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

    TEST_CASE("rates never fall below 0 or rise above the peak") {
        for (const std::string& name : schedule_table().names()) {
            CAPTURE(name);
            const auto s = make(name, {{"warmup", "7"}}, 0.3, 97);
            for (int64_t step = 0; step < 200; ++step) {
                CHECK(s->rate(step) >= 0);
                CHECK(s->rate(step) <= 0.3 * (1 + 1e-12));
                if (step >= 7)
                    CHECK(s->rate(step + 1) <= s->rate(step));
            }
        }
    }

    TEST_CASE("bad options name both numbers") {
        CHECK(message("cosine", {{"final", "0.2"}}, 0.1, 10) ==
              "schedule cosine: the final rate must lie between 0 and the peak: final 0.2, learning_rate 0.1; final is an "
              "absolute "
              "rate");
        CHECK(message("linear", {{"final", "-1"}}, 0.1, 10) ==
              "schedule linear: the final rate must lie between 0 and the peak: final -1, learning_rate 0.1; final is an "
              "absolute "
              "rate");
        for (const std::string& name : schedule_table().names()) {
            CAPTURE(name);
            CHECK(message(name, {{"warmup", "-3"}}, 1, 10) ==
                  "schedule " + name + ": warmup out of range: warmup -3, allowed 0 to 1000000000000");
            CHECK(message(name, {}, 1, -2) ==
                  "schedule " + name + ": steps out of range: steps -2, allowed 0 to 1000000000000");
            CHECK(message(name, {}, -1, 10) ==
                  "schedule " + name + ": the peak rate must be finite and not negative: learning_rate -1, least 0");
            CHECK(message(name, {}, std::numeric_limits<double>::infinity(), 10) ==
                  "schedule " + name + ": the peak rate must be finite and not negative: learning_rate inf, least 0");
            CHECK(message(name, {}, 1, 10) == "");
        }
        CHECK_THROWS_WITH_AS(make("cosin", {}, 1, 10), doctest::Contains("did you mean 'cosine'?"), Error);
    }
}
