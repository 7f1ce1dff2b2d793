#include "optim/average.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "core/base/random.h"
#include "tests/optim/options_by_name.h"

namespace average_test_both {

using namespace attend;

namespace {

void fill(ParameterStore& store) {
    store.add("matrix", {101, 403}, Init::normal(1));
    store.add("bias", {103}, Init::normal(1));
}

void disturb(ParameterStore& store, uint64_t seed) {
    Stream stream(seed, "values");
    for (const Parameter& p : store.table())
        for (int64_t i = 0; i < p.shape.size(); ++i) store.values(p)[i] = stream.normal();
}

std::string message(const std::function<void()>& f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "";
}

// A folder of its own, removed at the end.
struct Folder {
    std::filesystem::path path;
    Folder()
        : path(std::filesystem::temp_directory_path() /
               fmt::format("attend_average_{}_{}", precision_name, std::size_t(this))) {
        std::filesystem::create_directories(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_SUITE("averages") {
    TEST_CASE("the moving average is the recurrence in double, starts as a copy, and has equal bits for any threads") {
        for (const bool warmup : {false, true}) {
            CAPTURE(warmup);
            ParameterStore live(1), averaged(2), other(3);
            for (ParameterStore* s : {&live, &averaged, &other}) fill(*s);
            Average average({0.9, warmup}, live, averaged), again({0.9, warmup}, live, other);
            CHECK(std::equal(live.data(), live.data() + live.size(), averaged.data()));
            std::vector<double> expected(live.data(), live.data() + live.size());
            Workers one(1), three(3);
            for (int64_t step = 0; step < 90; step += step < 4 ? 1 : 40) {
                const double s = static_cast<double>(step), d = warmup ? std::min(0.9, (1 + s) / (10 + s)) : 0.9;
                CHECK(average.decay(step) == d);
                disturb(live, static_cast<uint64_t>(step));
                average.update(step, one);
                again.update(step, three);
                for (std::size_t i = 0; i < expected.size(); ++i)
                    expected[i] = d * expected[i] + (1 - d) * static_cast<double>(live.data()[i]);
            }
            double worst = 0;
            for (std::size_t i = 0; i < expected.size(); ++i)
                worst = std::max(worst, std::abs(expected[i] - static_cast<double>(averaged.data()[i])));
            CHECK(worst < (sizeof(real) == 4 ? 1e-6 : 1e-14));
            CHECK(std::equal(averaged.data(), averaged.data() + averaged.size(), other.data()));
        }
    }

    TEST_CASE("weights that never move are averaged to themselves, and padding stays zero") {
        ParameterStore live(1), averaged(2);
        fill(live);
        fill(averaged);
        Average average({0.999, false}, live, averaged);
        Workers workers(2);
        for (int64_t step = 0; step < 50; ++step) average.update(step, workers);
        CHECK(std::equal(live.data(), live.data() + live.size(), averaged.data()));
        CHECK(averaged.size() > averaged.count());
        CHECK(std::count(averaged.data(), averaged.data() + averaged.size(), real{0}) >= averaged.size() - averaged.count());
    }

    TEST_CASE("named state is taken over, with its count of updates") {
        ParameterStore live(1), averaged(2);
        for (ParameterStore* s : {&live, &averaged}) {
            fill(*s);
            s->add_state("baseline", {2}, 0, 0.9);
        }
        Average average({0.5, true}, live, averaged);
        live.state_values(live.states()[0])[1] = 7;
        live.state_updates(live.states()[0]) = 3;
        Workers workers(1);
        average.update(0, workers);
        CHECK(averaged.state_values(averaged.states()[0])[1] == 7);
        CHECK(averaged.state_updates(averaged.states()[0]) == 3);
    }

    TEST_CASE("averages: bad options and stores that differ name both numbers") {
        ParameterStore live(1), fewer(1), renamed(1), reshaped(1);
        fill(live);
        fewer.add("matrix", {101, 403}, Init::zeros());
        renamed.add("matrix", {101, 403}, Init::zeros());
        renamed.add("offset", {103}, Init::zeros());
        reshaped.add("matrix", {403, 101}, Init::zeros());
        reshaped.add("bias", {103}, Init::zeros());
        const auto built = [&](double decay, ParameterStore& to) { return message([&] { Average({decay, true}, live, to); }); };
        CHECK(built(1, live) == "average: decay out of range: decay 1, allowed 0 to 0.9999999");
        CHECK(built(-0.5, live) == "average: decay out of range: decay -0.5, allowed 0 to 0.9999999");
        CHECK(built(0.9, fewer) == fmt::format("average: the stores differ: 2 parameters with {} elements, averaged 1 with {}",
                                               live.size(), fewer.size()));
        CHECK(built(0.9, renamed) == "average: the stores differ: parameter 'bias' [103], averaged 'offset' [103]");
        CHECK(built(0.9, reshaped) ==
              "average: the stores differ: parameter 'matrix' [101, 403], averaged 'matrix' [403, 101]");
        ParameterStore stated(1);
        fill(stated);
        stated.add_state("baseline", {2}, 0, 0.9);
        CHECK(built(0.9, stated).find("0 named states with 0 elements, averaged 1 with ") != std::string::npos);
    }

    TEST_CASE("the mean of files, and what they must have in common") {
        const Folder folder;
        const auto file = [&](const char* name, const std::vector<NamedArray>& arrays) {
            write_safetensors(folder.path / name, arrays, {{"made", name}});
            return folder.path / name;
        };
        const real a[] = {1, 2, 3, 4}, b[] = {3, 0, 5, -4}, c[] = {2, 1, 1, 3};
        const auto one = file("one", {{"w", {2, 2}, a}, {"v", {1}, c}}), two = file("two", {{"v", {1}, a}, {"w", {2, 2}, b}}),
                   three = file("three", {{"w", {2, 2}, c}, {"v", {1}, b}}),
                   shape = file("shape", {{"w", {4}, a}, {"v", {1}, c}}), fewer = file("fewer", {{"w", {2, 2}, a}}),
                   named = file("named", {{"w", {2, 2}, a}, {"u", {1}, c}});
        const auto to = folder.path / "mean";
        const auto mean = [&](const std::vector<std::filesystem::path>& files) { return average_files(files, to); };
        const WrittenFile written = mean({one, two, three});
        CHECK(written.bytes == std::filesystem::file_size(to));
        const SafetensorsFile made(to);
        CHECK(made.tensors().size() == 2);
        CHECK(made.metadata().at("made") == "one");
        CHECK(made.read("w").values() == std::vector<real>{2, 1, 3, 1});
        CHECK(made.read("v").values() == std::vector<real>{2});
        CHECK(made.info("w").shape == Shape{2, 2});
        CHECK(message([&] { mean({}); }) == "average: no files to average: files 0, least 1");
        const std::string first = one.string();
        CHECK(message([&] {
                  mean({one, shape});
              }) == fmt::format("{}: not the shapes of the first file: 'w' is [4], in {} [2, 2]", shape.string(), first));
        CHECK(message([&] {
                  mean({one, fewer});
              }) == fmt::format("{}: not the tensors of the first file: tensors 1, in {} 2", fewer.string(), first));
        CHECK(message([&] {
                  mean({one, named});
              }) ==
              fmt::format("{}: not the tensors of the first file: 'v' is missing, in {} it is [1]", named.string(), first));
        CHECK(message([&] { mean({one, folder.path / "none"}); }).find("none") != std::string::npos);
    }
}

}  // namespace average_test_both
