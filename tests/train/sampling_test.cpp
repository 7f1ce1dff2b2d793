// What a language model may write next, and the command that lets it write.
#include "train/evaluate/decode/sampling.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <map>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"

namespace sampling_test {

TEST_SUITE_BEGIN("train: sampling");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::Typist;
namespace fs = std::filesystem;

namespace {

std::vector<int32_t> ids_of(const std::vector<Candidate>& all) {
    std::vector<int32_t> ids;
    for (const Candidate& c : all) ids.push_back(c.id);
    return ids;
}

// Probabilities 0.1, 0.4, 0.2, 0.3 of ids 0 to 3.
const std::vector<real> logits = {std::log(real(0.1)), std::log(real(0.4)), std::log(real(0.2)), std::log(real(0.3))};

// A language model of a text that repeats, trained for a moment.
struct Trained {
    oracles::TemporaryFolder folder;
    std::string run;
    explicit Trained(const std::string& tokenizer = "char") : run((folder / "run").string()) {
        std::ofstream text(folder / "a.txt");
        for (int i = 0; i < 400; ++i) text << "abcdef\n";
        text.close();
        std::ofstream(folder / "c.json") << R"({"data": {"task": "text", "path": "a.txt", "tokenizer": ")" << tokenizer
                                         << R"("},
            "model": {"type": "gpt", "layers": 1, "heads": 2, "width": 16, "context": 16},
            "optimizer": {"type": "adamw", "learning_rate": 0.02}, "train": {"steps": 150, "batch": 8, "shards": 2}})";
        REQUIRE(attend_command({"train", (folder / "c.json").string(), "--out", run}).code == 0);
    }
    Outcome generate(std::vector<std::string> more, const std::string& input = "", Typist from = Typist::stream) const {
        more.insert(more.begin(), {"generate", run});
        return attend_command(more, input, from);
    }
};

}  // namespace

TEST_CASE("candidates: temperature, top-k, top-p and the penalty of what was there") {
    const std::vector<Candidate> all = candidates(logits, {}, {});
    CHECK(ids_of(all) == std::vector<int32_t>{1, 3, 2, 0});
    CHECK(all[0].probability == doctest::Approx(0.4));
    CHECK(all[3].probability == doctest::Approx(0.1));
    CHECK(ids_of(candidates(logits, {}, {.temperature = 0})) == std::vector<int32_t>{1});
    // temperature 1/2 squares the probabilities: 0.01, 0.16, 0.04, 0.09 of 0.30
    CHECK(candidates(logits, {}, {.temperature = 0.5})[0].probability == doctest::Approx(0.16 / 0.30));
    const std::vector<Candidate> two = candidates(logits, {}, {.top_k = 2});
    CHECK(ids_of(two) == std::vector<int32_t>{1, 3});
    CHECK(two[0].probability == doctest::Approx(4.0 / 7));
    CHECK(ids_of(candidates(logits, {}, {.top_p = 0.39})) == std::vector<int32_t>{1});
    CHECK(ids_of(candidates(logits, {}, {.top_p = 0.41})) == std::vector<int32_t>{1, 3});
    CHECK(ids_of(candidates(logits, {}, {.top_p = 0.95})) == std::vector<int32_t>{1, 3, 2, 0});
    CHECK(ids_of(candidates(logits, {}, {.top_k = 3, .top_p = 0.7})) == std::vector<int32_t>{1, 3});
    // Scores below 0 are multiplied, those above divided: both become less likely, and once,
    // however often they were there.
    const std::vector<real> mixed = {2, 1, -1};
    const std::vector<int32_t> text = {0, 2, 0};
    const std::vector<Candidate> penalised = candidates(mixed, text, {.repetition_penalty = 4});
    CHECK(ids_of(penalised) == std::vector<int32_t>{1, 0, 2});
    CHECK(penalised[1].probability / penalised[0].probability == doctest::Approx(std::exp(0.5 - 1)));
    CHECK(penalised[2].probability / penalised[0].probability == doctest::Approx(std::exp(-4.0 - 1)));
    CHECK(ids_of(candidates(std::vector<real>{1, 1, 1}, {}, {.top_k = 2})) == std::vector<int32_t>{0, 1});
    CHECK(contains(message_of([] { candidates(logits, {}, {.temperature = -1}); }), "temperature -1, least 0"));
    CHECK(contains(message_of([] { candidates(std::vector<real>{0, NAN}, {}, {}); }), "not finite: id 1, score nan"));
}

TEST_CASE("draws come with the candidates' probabilities") {
    const std::vector<Candidate> all = candidates(logits, {}, {});
    std::map<int32_t, int> counts;
    for (int i = 0; i < 1000; ++i) ++counts[chosen_from(all, (i + 0.5) / 1000)];
    CHECK(counts[0] == 100);
    CHECK(counts[1] == 400);
    CHECK(counts[2] == 200);
    CHECK(counts[3] == 300);
    CHECK(chosen_from(all, 1.0) == 0);  // beyond the rounded sum: the last
}

TEST_CASE("the command continues a text") {
    const Trained trained;
    const Outcome sure = trained.generate({"--prompt", "abc", "--tokens", "11", "--temperature", "0"});
    CHECK(sure.code == 0);
    CHECK(sure.out == "abcdef\nabcdef\n\n");
    // also beyond the model's context, from an empty prompt, and from standard input
    const Outcome longer = trained.generate({"--prompt", "", "--tokens", "69", "--temperature", "0"});
    std::string lines;
    for (int i = 0; i < 10; ++i) lines += "abcdef\n";
    CHECK(longer.out == lines);
    CHECK(trained.generate({"--tokens", "3", "--temperature", "0"}, "ab").out == "abcde\n");
    CHECK(trained.generate({"--prompt", "abc", "--tokens", "0"}).out == "abc\n");
    // a text to stop at, also where it is written symbol by symbol
    CHECK(trained.generate({"--prompt", "ab", "--temperature", "0", "--stop", "f\na"}).out == "abcde\n");
    CHECK(trained.generate({"--prompt", "ab", "--temperature", "0", "--stop", "c"}).out == "ab\n");
    CHECK(trained.generate({"--prompt", "ab", "--temperature", "0", "--tokens", "3", "--stop", "zz"}).out == "abcde\n");
}

TEST_CASE("words go on after a blank, and what is not in the vocabulary is counted") {
    const oracles::TemporaryFolder folder;
    std::ofstream text(folder / "a.txt");
    for (int i = 0; i < 200; ++i) text << "one two three four\n";
    text.close();
    std::ofstream(folder / "c.json")
        << R"({"data": {"task": "text", "path": "a.txt", "tokenizer": "word", "valid_fraction": 0.1},
        "model": {"type": "gpt", "layers": 1, "heads": 2, "width": 16, "context": 16},
        "optimizer": {"type": "adamw", "learning_rate": 0.02}, "train": {"steps": 100, "batch": 8, "shards": 2}})";
    const std::string run = (folder / "run").string(), config = (folder / "c.json").string();
    REQUIRE(attend_command({"train", config, "--out", run}).code == 0);
    const Outcome o = attend_command({"generate", run, "--prompt", "one two", "--tokens", "2", "--temperature", "0"});
    CHECK(o.out == "one two three four\n");
    std::ofstream(folder / "b.txt") << std::string(2000, 'x') << " one two three\n"
                                    << "and then some words that are not there, one two";
    const Outcome other = attend_command({"train", config, "--out", run + "2", "--set", "init.from=" + run, "--set",
                                          "data.path=" + (folder / "b.txt").string(), "--set", "data.valid_fraction=0", "--set",
                                          "model.context=4", "--set", "init.take=decoder.*", "--set", "train.steps=1"});
    CAPTURE(other.error);
    CHECK(contains(read_file(folder / "run2/log.txt", 1 << 20), " of them not in the vocabulary"));
}

TEST_CASE("samples: the same seed writes the same, each sample has its own draws") {
    const Trained trained;
    const std::vector<std::string> warm = {"--prompt", "abc", "--tokens", "20", "--temperature", "30", "--samples", "3"};
    const Outcome one = trained.generate(warm), again = trained.generate(warm);
    CHECK(one.code == 0);
    CHECK(one.out == again.out);
    std::vector<std::string> other = warm;
    other.insert(other.end(), {"--seed", "77"});
    CHECK(trained.generate(other).out != one.out);
    const std::size_t second = one.out.find("--- 2 of 3\nabc"), third = one.out.find("--- 3 of 3\nabc");
    REQUIRE(one.out.starts_with("--- 1 of 3\nabc"));
    REQUIRE(second != std::string::npos);
    REQUIRE(third != std::string::npos);
    CHECK(one.out.substr(11, second - 11) != one.out.substr(second + 11, third - second - 11));
}

TEST_CASE("a terminal is asked for one prompt after the other, and goes on after a wrong one") {
    const Trained trained;
    const Outcome o = trained.generate({"--tokens", "2", "--temperature", "0"}, "ab\n\xff\ncd\n", Typist::person);
    CHECK(o.code == 0);
    CHECK(o.out == "abcd\ncdef\n");
    CHECK(contains(o.error, "> "));
    CHECK(contains(o.error, "attend: standard input:2: text is not valid UTF-8"));
}

TEST_CASE("what is wrong with a text to continue is said of where it came from") {
    const Trained trained;
    const Outcome stream = trained.generate({}, "abc\nde\xff\n");
    CHECK(stream.code == 2);
    CHECK(contains(stream.error, "attend: standard input:2: text is not valid UTF-8: byte 3 of the line"));
    CHECK(
        contains(trained.generate({}, "abc\nd?").error, "attend: standard input:2: a character is not in the vocabulary: '?'"));
    CHECK(
        contains(trained.generate({"--prompt", "abc\nd?"}).error, "attend: --prompt:2: a character is not in the vocabulary"));
}

TEST_CASE("what generate cannot do is said") {
    const testing::SmallRun runs;
    runs.run("pairs");
    const Outcome o = attend_command({"generate", (runs / "pairs").string(), "--prompt", "a"});
    CHECK(o.code == 2);
    CHECK(contains(o.error, "the task has sources, whose targets 'attend translate' writes"));
    const Outcome stray = attend_command({"generate", (runs / "pairs").string(), "once"});
    CHECK(stray.code == 2);
    CHECK(contains(stray.error, "the text to continue is --prompt 'once'"));
    CHECK(attend_command({"generate", (runs / "pairs").string(), "--temperature", "-1"}).code == 2);
}

TEST_SUITE_END();

}  // namespace sampling_test
