// Text of other people's files in messages, logs, samples and on terminals: escape codes have no
// power there.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/cli/output.h"
#include "train/config/utf8.h"
#include "train/show/terminal_observer.h"

namespace hostile_text_test {

TEST_SUITE_BEGIN("train: hostile text");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::Outcome;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

// Erases the line, sets the window's title, turns the direction of writing; a byte that is no
// UTF-8.
const std::string evil = "\x1b[2K\x1b]0;title\x07\u202e\u009b31m\xff\r";
const std::string evil_shown = "\\u001b[2K\\u001b]0;title\\u0007\\u202e\\u009b31m\\xff\\u000d";

bool harmless(const std::string& text) {
    for (const char* part : {"\x1b", "\x07", "\u202e", "\u009b", "\r", "\xff"})
        if (contains(text, part))
            return false;
    return true;
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// What `f` writes to the descriptor of a file.
template <class F>
std::string written_by(F&& f) {
    const oracles::TemporaryFolder folder;
    const int file = ::open((folder / "written").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(file >= 0);
    f(file);
    ::close(file);
    return read_file(folder / "written", 1 << 24);
}

}  // namespace

TEST_CASE("text is shown with what a terminal would obey written out") {
    CHECK(utf8::shown(evil) == evil_shown);
    CHECK(utf8::shown(utf8::shown(evil)) == evil_shown);
    CHECK(utf8::shown("a\tb\nc \u00e9\u4e2d") == "a\tb\nc \u00e9\u4e2d");
    CHECK(utf8::shown("a\tb\nc", utf8::LineFeeds::escaped) == "a\tb\\nc");
    CHECK(utf8::shown("\u2028\u2066\u200f\ufeff") == "\\u2028\\u2066\\u200f\\ufeff");
    CHECK(utf8::printable("\u202eabc") == "\\u202eabc");
}

TEST_CASE("messages: names of files, keys, values, symbols") {
    const SmallRun runs;
    const std::string bad_name = (runs / ("none" + evil)).string();
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"eval", bad_name},
                                               {"train", bad_name},
                                               {"report", bad_name},
                                               {"metrics", bad_name},
                                               {evil},
                                               {"list", evil},
                                               {"train", "x.json", "--" + evil},
                                               {"train", (runs / "small.json").string(), "--set", "train." + evil + "=1"}}) {
        const Outcome o = attend_command(command);
        CAPTURE(o.error);
        CHECK(o.code == 2);
        CHECK(harmless(o.error));
    }
    CHECK(contains(attend_command({"eval", bad_name}).error, evil_shown));
    // a key and a value of a config, and one of a published folder
    write(runs / "c.json", "{\"data\": {\"task\": \"copy\"}, \"model\": {\"type\": \"\\u001b[31m\\u202e\"}, \"\\u009b\": 1}");
    const Outcome key = attend_command({"plan", (runs / "c.json").string()});
    CHECK(key.code == 2);
    CHECK(harmless(key.error));
    fs::create_directory(runs / "hf");
    write(runs / "hf/config.json", "{\"model_type\": \"\\u009b31m\\u202e\"}");
    write(runs / "hf/vocab.json", "{\"\\u001b[31m\": 0}");
    write(runs / "a.txt", "text that is long enough\n");
    write(runs / "g.json", R"({"data": {"task": "text", "path": "a.txt", "tokenizer": "bpe"}, "init": {"from": "hf"},
        "model": {"type": "gpt", "layers": 1, "heads": 1, "width": 8, "context": 8}})");
    const Outcome published = attend_command({"train", (runs / "g.json").string(), "--out", (runs / "g").string()});
    CHECK(published.code == 2);
    CHECK(contains(published.error, "\\u001b[31m"));
    CHECK(harmless(published.error));
}

TEST_CASE("samples.txt, log.txt and pictures of a run on hostile data, and what is translated stays byte for byte") {
    const oracles::TemporaryFolder folder;
    std::string x, y;
    for (int i = 0; i < 60; ++i) {
        x += "a \x1b[2K \u202e b\n";
        y += "\x1b[31m c\n";
    }
    write(folder / "x", x);
    write(folder / "y", y);
    const std::string name = "run-\x1b[31m";
    write(folder / "c.json", R"({"data": {"task": "parallel", "train": ["x", "y"], "valid": ["x", "y"], "unit": "word"},
        "model": {"type": "rnn_seq2seq", "embedding": 4, "hidden": 8, "attention": {"score": "general"}},
        "optimizer": {"type": "adam", "learning_rate": 0.05},
        "train": {"steps": 60, "batch": 12, "shards": 1, "evaluate_every": 30}})");
    const std::string run = (folder / name).string();
    const Outcome trained = attend_command({"train", (folder / "c.json").string(), "--out", run});
    CAPTURE(trained.error);
    REQUIRE(trained.code == 0);
    for (const char* file : {"log.txt", "samples.txt"}) {
        const std::string text = read_file(fs::path(run) / file, 1 << 24);
        CHECK(contains(text, "\\u001b[31m"));
        CHECK(harmless(text));
    }
    CHECK(contains(read_file(fs::path(run) / "samples.txt", 1 << 24), "reference  \\u001b[31m c"));
    const Outcome plain = attend_command({"translate", run}, "a \x1b[2K \u202e b\n");
    CHECK(plain.out == "\x1b[31m c\n");  // the product of the command, for the next program
    const Outcome drawn = attend_command({"translate", run, "--attention"}, "a \x1b[2K \u202e b\n");
    CHECK(harmless(drawn.out.substr(drawn.out.find('\n'))));
    CHECK(harmless(attend_command({"eval", run, "--split", "valid", "--tables"}).out));
}

TEST_CASE("standard output that is a terminal is shown, one that is not is written as it is") {
    const auto written = [](cli::Reader reader, const std::vector<std::string>& parts) {
        return written_by([&](int end) {
            cli::OutputBuffer buffer(end, reader);
            std::ostream out(&buffer);
            for (const std::string& part : parts) out << part << std::flush;
        });
    };
    CHECK(written(cli::Reader::program, {evil}) == evil);
    CHECK(written(cli::Reader::person, {evil}) == evil_shown);
    // a character that comes in two parts is whole; one that never ends is told at the end
    CHECK(written(cli::Reader::person, {"a\xe4\xb8", "\xad", "b\n"}) == "a\u4e2db\n");
    CHECK(written(cli::Reader::person, {"a\xe4\xb8"}) == "a\\xe4\\xb8");
    CHECK(written(cli::Reader::person, {std::string(200'000, 'x') + "\x1b"}) == std::string(200'000, 'x') + "\\u001b");
}

TEST_CASE("log lines are one line each, for the terminal and for the file") {
    const oracles::TemporaryFolder folder;
    const std::string seen = written_by([&](int end) {
        const auto terminal = std::make_shared<Terminal>(end);
        TerminalObserver log(terminal);
        log.open_log(folder / "log.txt", LogFile::begin);
        log.info("{}", evil + "\nforged");
        terminal->print(evil);
    });
    CHECK(harmless(seen));
    CHECK(contains(seen, evil_shown + "\\nforged"));
    const std::string kept = read_file(folder / "log.txt", 1 << 20);
    CHECK(contains(kept, evil_shown + "\\nforged"));
    CHECK(harmless(kept));
}

TEST_CASE("what the system says of files is told with the path first and exit code 2") {
    const SmallRun runs;
    const std::string config = (runs / "small.json").string(), long_name = (runs / std::string(300, 'n')).string();
    fs::create_symlink("circle", runs / "circle");
    write(runs / "file", "x");
    const std::string circle = (runs / "circle").string(), below_file = (runs / "file/below").string();
    runs.run("a", {"train.steps=4"});
    for (const std::string& path : {long_name, circle, below_file}) {
        for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
                 {"eval", path},
                 {"translate", path},
                 {"generate", path, "--prompt", "x"},
                 {"metrics", path},
                 {"report", path},
                 {"report", (runs / "a").string(), "--out", path + "/r.html"},
                 {"average", path},
                 {"export", path, "x"},
                 {"train", path},
                 {"train", config, "--out", path},
                 {"train", config, "--out", (runs / "b").string(), "--set", "init.from=" + path},
                 {"plan", path},
                 {"check", path},
                 {"compare", path}}) {
            const Outcome o = attend_command(command);
            CAPTURE(command.front());
            CAPTURE(o.error);
            CHECK(o.code == 2);
            CHECK_FALSE(contains(o.error, "filesystem error"));
            CHECK(contains(o.error, path));
            CHECK_FALSE(contains(o.error, "[" + path));
        }
    }
}

TEST_SUITE_END();

}  // namespace hostile_text_test
