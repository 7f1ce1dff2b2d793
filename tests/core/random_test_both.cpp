#include "core/base/random.h"
#include "core/real.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace random_test_both {

using namespace attend;

TEST_SUITE("random") {
    TEST_CASE("Philox4x32-10 gives the published known answers") {
        // kat_vectors of Random123 (Salmon et al. 2011).
        using Words = std::array<uint32_t, 4>;
        CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
        CHECK(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
        CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
    }

    TEST_CASE("names and seeds give different keys") {
        std::set<std::pair<uint32_t, uint32_t>> keys;
        for (const uint64_t seed : {0u, 1u, 2u, 1337u})
            for (const char* name : {"", "a", "b", "ab", "ba", "encoder.weight", "encoder.weighu"}) {
                const Key k = stream_key(seed, name);
                keys.insert({k.a, k.b});
            }
        CHECK(keys.size() == 4 * 7);
    }

    TEST_CASE("streams stay what they are: runs of old must come out again") {
        CHECK(hash_name("a") == 0x2c0bdbf481420f8u);
        Stream s(1, "a");
        CHECK(s.next() == 0x8cfdc62u);
        CHECK(s.next() == 0x483781e2u);
    }

    TEST_CASE("both precisions draw the same numbers") {
        CHECK(unit_interval(0) == 0);
        CHECK(unit_interval(~0u) == real{16777215} / 16777216);
        CHECK(unit_interval(0x80000000) == real{0.5});
        CHECK(open_interval(0) == static_cast<real>(0x1p-24));
        CHECK(open_interval(~0u) == static_cast<real>(1 - 0x1p-24));
        CHECK(static_cast<double>(Stream(5, "x").uniform()) == 0.63772046566009521);
        CHECK(static_cast<double>(Stream(5, "x").normal()) == doctest::Approx(-0.88433830715105244).epsilon(1e-6));
    }

    TEST_CASE("a stream can start anywhere") {
        Stream s(7, "position");
        std::vector<uint32_t> words(50);
        for (uint32_t& w : words) w = s.next();
        CHECK(s.position() == 50);
        for (std::size_t i = 0; i < words.size(); ++i) {
            Stream later(stream_key(7, "position"), i);
            CHECK(later.next() == words[i]);
            CHECK(later.position() == i + 1);
        }
        CHECK(std::set<uint32_t>(words.begin(), words.end()).size() == words.size());
        Stream far(stream_key(7, "position"), (uint64_t{1} << 34) - 1);
        const uint32_t before = far.next();
        CHECK(before != far.next());  // the counter's second word moves
        CHECK(far.next() != Stream(stream_key(7, "position"), 1).next());
    }

    TEST_CASE("a draw is a function of its place alone") {
        const Key key = stream_key(3, "dropout");
        const Draws whole{key, 10, 2, 1, 0}, shard{key, 10, 2, 1, 8};
        CHECK(whole.counter(11, 5) == shard.counter(3, 5));
        std::set<Counter> seen;
        for (uint32_t step = 0; step < 3; ++step)
            for (uint32_t call = 0; call < 3; ++call)
                for (uint32_t sample = 0; sample < 3; ++sample)
                    for (int64_t row = 0; row < 3; ++row)
                        for (int64_t group = 0; group < 3; ++group)
                            seen.insert(Draws{key, step, call, sample, 0}.counter(row, group));
        CHECK(seen.size() == 243);
    }

    TEST_CASE("below is uniform and within its bound") {
        for (const uint32_t n : {1u, 2u, 3u, 7u, 10u, 64u}) {
            CAPTURE(n);
            Stream s(11, "below");
            std::vector<double> counts(n);
            const int draws = 6400;
            for (int i = 0; i < draws; ++i) {
                const uint32_t k = s.below(n);
                REQUIRE(k < n);
                ++counts[k];
            }
            // Chi-squared: mean n - 1, variance 2 (n - 1).
            double chi = 0;
            const double expected = double(draws) / n;
            for (const double c : counts) chi += (c - expected) * (c - expected) / expected;
            CHECK(chi <= n - 1 + 5 * std::sqrt(2.0 * n));
        }
        Stream s(12, "below");
        CHECK_THROWS_WITH_AS(s.below(0), "random: nothing to choose from: choices 0, least 1", Error);
        // With n = 3 * 2^30 a quarter of all words must be drawn again, or the first third comes
        // twice as often.
        const uint32_t n = 3u << 30;
        int low = 0;
        for (int i = 0; i < 3000; ++i) low += s.below(n) < 1u << 30;
        CHECK(std::abs(low - 1000) < 5 * std::sqrt(3000 * 2.0 / 9));
        CHECK(s.position() > 3700);
    }

    TEST_CASE("uniform and normal have their moments") {
        Stream s(13, "moments");
        const int n = 40000;
        double sum = 0, squares = 0, fourth = 0, uniform = 0;
        for (int i = 0; i < n; ++i) {
            const double x = static_cast<double>(s.normal());
            sum += x;
            squares += x * x;
            fourth += x * x * x * x;
            const real u = s.uniform(real{-2}, real{4});
            REQUIRE((u >= -2 && u < 4));
            uniform += static_cast<double>(u);
        }
        const double deviation = std::sqrt(1.0 / n);
        CHECK(std::abs(sum / n) < 5 * deviation);
        CHECK(std::abs(squares / n - 1) < 5 * deviation * std::sqrt(2));
        CHECK(std::abs(fourth / n - 3) < 5 * deviation * std::sqrt(96));
        CHECK(std::abs(uniform / n - 1) < 5 * deviation * std::sqrt(3));
    }

    TEST_CASE("shuffle gives every order equally often") {
        Stream s(14, "shuffle");
        std::vector<int> counts(24);
        for (int i = 0; i < 4800; ++i) {
            std::string order = "abcd";
            s.shuffle(order);
            std::string sorted = order, at = "abcd";
            std::sort(sorted.begin(), sorted.end());
            REQUIRE(sorted == at);
            int rank = 0;
            while (at != order) {
                std::next_permutation(at.begin(), at.end());
                ++rank;
            }
            ++counts[static_cast<std::size_t>(rank)];
        }
        double chi = 0;
        for (const int c : counts) chi += (c - 200.0) * (c - 200.0) / 200;
        CHECK(chi < 23 + 5 * std::sqrt(46));
    }
}

}  // namespace random_test_both
