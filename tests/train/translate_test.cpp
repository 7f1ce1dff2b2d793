// The commands translate and eval: order, columns, bounds, and the same bits for any number of
// threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/cli/cli.h"
#include "train/cli/input_lines.h"

namespace translate_test {

TEST_SUITE_BEGIN("train: translate");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::Outcome;
using attend::testing::SmallRun;
using attend::testing::Typist;
using Strings = std::vector<std::string>;

namespace {

Strings cut(const std::string& text, char at) {
    Strings parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, at);) parts.push_back(part);
    return parts;
}

// A run whose outputs end at different lengths and differ from line to line.
struct Trained {
    SmallRun runs;
    std::string path;
    explicit Trained(const Strings& further = {}) : path((runs / "r").string()) {
        Strings set = {"train.steps=60", "optimizer.learning_rate=0.03", "model.dropout=0", "train.evaluate_every=60",
                       "decode.batch=4"};
        set.insert(set.end(), further.begin(), further.end());
        runs.run("r", set);
    }
    Outcome translate(Strings arguments, const std::string& input, Typist from = Typist::stream) const {
        arguments.insert(arguments.begin(), {"translate", path});
        return attend_command(arguments, input, from);
    }
    Outcome evaluate(Strings arguments) const {
        arguments.insert(arguments.begin(), {"eval", path});
        return attend_command(arguments);
    }
};

std::string random_lines(int count) {
    std::mt19937 random(7);
    std::string text;
    for (int i = 0; i < count; ++i) {
        for (auto n = random() % 7; n > 0; --n) text += std::to_string(random() % 4) + " ";
        text += "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("lines come out in the order they went in, with the same bits for any number of threads") {
    const Trained run;
    const std::string input = random_lines(150);  // chunks of 64, batches of 4, some lines empty
    for (const Strings& arguments : {Strings{}, Strings{"--beam", "3", "--nbest", "2", "--scores"}, Strings{"--attention"}}) {
        const Outcome one = run.translate(arguments, input);
        REQUIRE(one.code == 0);
        CHECK(!contains(one.error, "source symbols"));  // nothing is unknown, nothing left out
        CHECK(!contains(one.error, "lines cut"));
        for (const char* threads : {"2", "5"}) {
            Strings more = arguments;
            more.insert(more.end(), {"--threads", threads});
            CHECK(run.translate(more, input).out == one.out);
        }
    }
    const Strings sources = cut(input, '\n'), outputs = cut(run.translate({"--threads", "1"}, input).out, '\n');
    REQUIRE(outputs.size() == 150);
    CHECK(std::set<std::string>(outputs.begin(), outputs.end()).size() > 10);
    for (std::size_t i = 0; i < 150; ++i) {
        CHECK((sources[i].empty() ? outputs[i].empty() : true));
        if (i % 10 == 0)
            CHECK(run.translate({}, sources[i] + "\n").out == outputs[i] + "\n");
    }
    CHECK(run.translate({"--chunk", "1"}, input).out == run.translate({"--chunk", "1000"}, input).out);
}

TEST_CASE("what a line may look like") {
    const Trained run;
    const std::string plain = run.translate({}, "1 2\n3\n").out;
    CHECK(cut(plain, '\n').size() == 2);
    CHECK(run.translate({},
                        "\xEF\xBB\xBF"
                        "1 2\r\n3")
              .out == plain);
    CHECK(run.translate({}, "\n1 2\n   \n3\n\n").out == "\n" + cut(plain, '\n')[0] + "\n\n" + cut(plain, '\n')[1] + "\n\n");
    CHECK(run.translate({}, "").out.empty());
    CHECK(run.translate({}, "\n\n").out == "\n\n");
    CHECK(run.translate({"--nbest", "1", "--scores", "--attention"}, "\n").out == "\n");
}

TEST_CASE("lines that are empty or blank, for both units: an answer a line, and no symbols, no words") {
    const SmallRun runs;
    for (const char* split : {"train", "valid"}) {
        std::ofstream source(runs / (std::string(split) + ".src")), target(runs / (std::string(split) + ".trg"));
        for (const char* line : {"a b", "b c", "c a a", "b"}) {
            source << line << '\n';
            target << line << '\n';
        }
    }
    for (const char* unit : {"word", "char"}) {
        CAPTURE(unit);
        const auto pair = [&](const std::string& split) {
            return "[\"" + (runs / (split + ".src")).string() + "\", \"" + (runs / (split + ".trg")).string() + "\"]";
        };
        const std::string config = std::string(R"({"data": {"task": "parallel", "unit": ")") + unit + R"(", "train": )" +
                                   pair("train") + R"(, "valid": )" + pair("valid") +
                                   R"(}, "model": {"type": "rnn_seq2seq", "embedding": 4, "hidden": 4},
            "train": {"steps": 2, "batch": 4, "shards": 1}})";
        std::ofstream(runs / "blank.json") << config;
        const std::string run = (runs / unit).string();
        REQUIRE(attend_command({"train", (runs / "blank.json").string(), "--out", run}).code == 0);
        const std::string blank = "\n \n\t\n \t \n\xC2\xA0\n\r\na\n\n";
        for (const Strings& further : {Strings{}, Strings{"--beam", "3"}, Strings{"--attention"}, Strings{"--chunk", "1"}}) {
            Strings arguments = {"translate", run};
            arguments.insert(arguments.end(), further.begin(), further.end());
            const Outcome outcome = attend_command(arguments, blank);
            CHECK(outcome.code == 0);
            CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') >= 8);
            CHECK(outcome.out.starts_with("\n"));  // the empty line
            CHECK(outcome.out.ends_with("\n\n"));  // and the last
            // A blank is a symbol of its own where the unit is the character, and none where it is
            // the word.
            if (unit == std::string("word"))
                CHECK(outcome.out.starts_with("\n\n\n\n"));
            // U+00A0 is no white space to either unit: a symbol nobody has seen. The tabs are that
            // to the characters.
            const bool words = unit == std::string("word");
            CHECK(contains(outcome.error, words ? "1 of 2 source symbols are not in the vocabulary, the first in line 5"
                                                : "3 of 7 source symbols are not in the vocabulary, the first in line 3"));
        }
    }
}

TEST_CASE("columns of --nbest and --scores") {
    const Trained run;
    const Strings best = cut(run.translate({"--beam", "4", "--length-penalty", "1"}, "1 2 0\n\n3 3\n").out, '\n');
    const Outcome listed =
        run.translate({"--beam", "4", "--length-penalty", "1", "--nbest", "3", "--scores"}, "1 2 0\n\n3 3\n");
    const Strings lines = cut(listed.out, '\n');
    REQUIRE(lines.size() == 7);
    CHECK(lines[3].empty());
    double before = 0;
    for (const std::size_t i : {0, 1, 2, 4, 5, 6}) {
        const Strings columns = cut(lines[i] + "\t", '\t');
        REQUIRE(columns.size() == 6);
        CHECK(columns[0] == (i < 3 ? "1" : "3"));
        CHECK(columns[1] == std::to_string(i % 4 + 1));
        const double score = std::stod(columns[2]), log_likelihood = std::stod(columns[3]);
        double sum = 0;
        const Strings symbols = cut(columns[4], ' ');
        for (const std::string& s : symbols) sum += std::stod(s);
        CHECK(sum == doctest::Approx(log_likelihood).epsilon(1e-4));
        CHECK(score == doctest::Approx(log_likelihood * 6 / (5.0 + static_cast<double>(symbols.size()))).epsilon(1e-4));
        CHECK((columns[1] == "1" || score <= before));
        before = score;
        if (columns[1] == "1")
            CHECK(columns[5] == best[i < 3 ? 0 : 2]);
    }
    const Strings three = cut(cut(run.translate({"--scores"}, "1\n").out, '\n')[0] + "\t", '\t');
    REQUIRE(three.size() == 4);
    CHECK(three[0] == three[1]);  // no length penalty
    CHECK(three[3] + "\n" == run.translate({}, "1\n").out);
    const Outcome many = run.translate({"--nbest", "3"}, "1\n");
    CHECK(many.code == 2);
    CHECK(many.error == "attend: --nbest: more outputs than the beam holds: nbest 3, beam 1; give --beam 3\n");
    CHECK(run.translate({"--beam", "0"}, "1\n").code == 2);
    CHECK(run.translate({"--length-penalty", "11"}, "1\n").code == 2);
}

TEST_CASE("what is not known and what is cut is counted and said") {
    const Trained run({"decode.max_source=4"});
    const Outcome unknown = run.translate({}, "1 2\n7 1 x\n\nx\n");
    CHECK(unknown.code == 0);
    CHECK(cut(unknown.out, '\n').size() == 4);
    CHECK(unknown.error == "attend: warning: 3 of 6 source symbols are not in the vocabulary, the first in line 2\n");
    const Outcome long_lines = run.translate({}, "1\n0 1 2 3 0 0 0\n1 1 1 1 1\n");
    CHECK(long_lines.code == 0);
    CHECK(
        long_lines.error.starts_with("attend: warning: lines cut to 4 symbols (decode.max_source, or the model's own limit): "
                                     "2, the first line 2; symbols left out 4\n"));
    CHECK(cut(long_lines.out, '\n')[1] + "\n" == run.translate({}, "0 1 2 3\n").out);
}

TEST_CASE("a line that cannot be read ends the work, what stood before it is written") {
    const Trained run;
    const std::string first = run.translate({}, "1 2\n0\n").out;
    const Outcome broken = run.translate({"--threads", "2"}, "1 2\n0\n1 \xff 2\n3\n");
    CHECK(broken.code == 2);
    CHECK(broken.out == first);
    CHECK(broken.error == "attend: standard input:3: text is not valid UTF-8: byte 3 of the line, value 0xff\n");
    const std::string longest(cli::InputLines::longest, ' ');
    CHECK(run.translate({}, longest + "\n").out == "\n");
    const Outcome too_long = run.translate({}, "1 2\n0\n" + longest + " \n3\n");
    CHECK(too_long.code == 2);
    CHECK(too_long.out == first);
    CHECK(too_long.error == "attend: standard input:3: line too long: at least 1048577 bytes, at most 1048576\n");
}

TEST_CASE("a person is prompted, and may go on after a mistake") {
    const Trained run;
    const std::string first = run.translate({}, "1 2\n0\n").out;
    const Outcome o =
        run.translate({}, "1 2\n\xff\n" + std::string(cli::InputLines::longest + 9, '1') + "\n0\n", Typist::person);
    CHECK(o.code == 0);
    CHECK(o.out == first);
    CHECK(o.error ==
          "> > attend: standard input:2: text is not valid UTF-8: byte 1 of the line, value 0xff\n"
          "> attend: standard input:3: line too long: at least 1048577 bytes, at most 1048576\n"
          "> > \n");
    CHECK(contains(run.translate({}, "x\n", Typist::person).error, "warning: 1 of 1 source symbols"));
}

TEST_CASE("a chunk is written before more is read, and no more is read than that") {
    // Knows what it was told to pass on.
    class Passed final : public std::stringbuf {
      public:
        std::string text;

      protected:
        int sync() override {
            text = str();
            return 0;
        }
    };
    // Gives "1\n" again and again and looks at what was passed on by then.
    class Slow final : public std::streambuf {
      public:
        Slow(const Passed& out, int lines) : out_(out), lines_(lines) {}
        Strings seen;

      protected:
        int underflow() override {
            seen.push_back(out_.text);
            if (lines_-- == 0)
                return traits_type::eof();
            setg(line_, line_, line_ + 2);
            return '1';
        }

      private:
        const Passed& out_;
        int lines_;
        char line_[2] = {'1', '\n'};
    };
    const Trained run;
    Passed passed;
    std::ostringstream error;
    Slow slow(passed, 7);
    std::istream in(&slow);
    std::ostream out(&passed);
    CHECK(cli::run({"translate", run.path, "--chunk", "3"}, {in, out, error, false}) == 0);
    REQUIRE(slow.seen.size() == 8);
    for (std::size_t i = 0; i < 8; ++i)
        CHECK(std::count(slow.seen[i].begin(), slow.seen[i].end(), '\n') == std::ptrdiff_t(i / 3 * 3));
    CHECK(std::ranges::count(passed.text, '\n') == 7);
}

TEST_CASE("a stream that breaks is the machine's failure") {
    class Broken final : public std::streambuf {
      protected:
        int underflow() override { throw std::ios_base::failure("broken"); }
    };
    Broken broken;
    std::istream in(&broken);
    cli::InputLines lines(in, "here");
    std::string line;
    CHECK_THROWS_WITH_AS(lines.next(line), "here: cannot be read: lines read 0, line 1 is broken", MachineError);
}

TEST_CASE("eval searches as it is told, and writes its examples") {
    const Trained run({"decode.beam=3", "decode.length_penalty=0.5"});
    const Outcome config = run.evaluate({"--json"});
    REQUIRE(config.code == 0);
    CHECK(run.evaluate({"--json", "--beam", "3", "--length-penalty", "0.5", "--threads", "3"}).out == config.out);
    const Json test = run.runs.metrics("r").back();
    CHECK(Json::parse(config.out)["exact_match"] == test["exact_match"]);

    const std::string file = (run.runs / "examples.jsonl").string();
    const Outcome greedy = run.evaluate({"--json", "--beam", "1", "--length-penalty", "0", "--examples", file});
    REQUIRE(greedy.code == 0);
    const Strings lines = cut(run.runs.text("examples.jsonl"), '\n');
    REQUIRE(lines.size() == 10);
    double right = 0;
    std::string sources, decoded;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const Json line = Json::parse(lines[i]);
        CHECK(line["example"] == i);
        CHECK(line["score"] == line["log_likelihood"]);
        CHECK(line["score"].get<double>() < 0);
        right += line["decoded"] == line["reference"] ? 1 : 0;
        sources += line["source"].get<std::string>() + "\n";
        decoded += line["decoded"].get<std::string>() + "\n";
    }
    CHECK(right / 10 == doctest::Approx(Json::parse(greedy.out)["exact_match"].get<double>()));
    CHECK(run.translate({"--beam", "1"}, sources).out == decoded);
    // the search is the same in both commands
    REQUIRE(run.evaluate({"--beam", "4", "--length-penalty", "3", "--examples", file}).code == 0);
    const Strings searched = cut(run.runs.text("examples.jsonl"), '\n'),
                  translated = cut(run.translate({"--beam", "4", "--length-penalty", "3", "--scores"}, sources).out, '\n');
    REQUIRE(translated.size() == 10);
    int penalised = 0;
    for (std::size_t i = 0; i < 10; ++i) {
        const Json line = Json::parse(searched[i]);
        const Strings columns = cut(translated[i] + "\t", '\t');
        CHECK(line["decoded"] == columns[3]);
        CHECK(line["score"].get<double>() == doctest::Approx(std::stod(columns[0])).epsilon(1e-4));
        CHECK(line["log_likelihood"].get<double>() == doctest::Approx(std::stod(columns[1])).epsilon(1e-4));
        penalised += line["score"] != line["log_likelihood"] ? 1 : 0;
    }
    CHECK(penalised > 5);
    CHECK(run.evaluate({"--beam", "many"}).code == 2);
    CHECK(run.evaluate({"--examples", (run.runs / "no/such/folder").string()}).code == 2);
}

TEST_CASE("eval gives an interval with every metric") {
    const Trained run;
    const Json line = Json::parse(run.evaluate({"--json"}).out);
    REQUIRE(line["intervals"].size() >= 4);
    for (const auto& [name, interval] : line["intervals"].items()) {
        CAPTURE(name);
        const double value = line[name].get<double>(), low = interval[0].get<double>(), high = interval[1].get<double>();
        CHECK(low <= value);
        CHECK(value <= high);
        if (name == "loss" || name == "accuracy")
            CHECK(low < high);
    }
    for (const auto& [name, value] : line.items())
        if (name != "step" && name != "split" && name != "intervals")
            CHECK(line["intervals"].contains(name));
    CHECK(run.evaluate({"--json", "--threads", "3"}).out == run.evaluate({"--json", "--threads", "1"}).out);
    CHECK(!Json::parse(run.evaluate({"--json", "--resamples", "0"}).out).contains("intervals"));
    CHECK(contains(run.evaluate({}).out, "95 %, this model on new examples: of shares exact, others from 1000 resamples"));
    CHECK(!contains(run.evaluate({"--resamples", "0"}).out, "95 %"));
    const std::string plain = run.evaluate({}).out, tables = run.evaluate({"--tables"}).out;
    CHECK(tables.starts_with(plain));
    for (const char* symbol : {"'0'", "'1'", "'2'", "'3'"}) CHECK(contains(tables.substr(plain.size()), symbol));
    CHECK(run.evaluate({"--tables", "--json"}).code == 2);
    const Trained wide({"data.symbols=101", "train.steps=1"});
    CHECK(wide.evaluate({"--tables"}).error ==
          "attend: --tables: too many target symbols for a table: symbols 101, most 100\n");
}

TEST_SUITE_END();

}  // namespace translate_test
