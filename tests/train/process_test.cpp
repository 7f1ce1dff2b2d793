// What the process does about its surroundings, and numbers and words of the command line that are
// not what was meant.
#include "train/cli/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/cli/cli.h"
#include "train/cli/output.h"

namespace process_test {

TEST_SUITE_BEGIN("train: process");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::Outcome;
using attend::testing::SmallRun;

namespace {

// Exit code of a child process that does `what`; 128 + signal where one ended it.
template <class F>
int exit_code_of(F what) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(what());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads
TEST_CASE("standard descriptors that are closed are not given to files") {
    CHECK(exit_code_of([] {
              for (int d = 0; d <= 2; ++d) ::close(d);
              cli::prepare_process();
              return ::dup(2);
          }) > 2);
    CHECK(exit_code_of([] {  // one that is open stays what it is
              ::close(1);
              const int flags = ::fcntl(2, F_GETFL);
              cli::prepare_process();
              return ::fcntl(2, F_GETFL) == flags && ::write(1, "x", 1) < 0 ? 0 : 1;
          }) == 0);
}

TEST_CASE("a file size limit is a failed write") {
    const SmallRun runs;
    const auto train = [&] {
        const rlimit limit{2000, 2000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        cli::prepare_process();
        const Outcome o = attend_command({"train", (runs / "small.json").string(), "--out", (runs / "r").string()});
        return o.code == 1 && contains(o.error, "File too large") ? 42 : o.code;
    };
    CHECK(exit_code_of(train) == 42);
}

TEST_CASE("a limit of addresses (ulimit -v) leaves room to train, the log says so, and what does not fit is refused") {
    const SmallRun runs;
    const auto train = [&](const char* name, const std::vector<std::string>& more) {
        const rlimit limit{std::size_t{2} << 30, std::size_t{2} << 30};
        ::setrlimit(RLIMIT_AS, &limit);
        cli::prepare_process();
        std::vector<std::string> words = {"train", (runs / "small.json").string(), "--threads", "2",
                                          "--out", (runs / name).string()};
        words.insert(words.end(), more.begin(), more.end());
        const Outcome o = attend_command(words);
        const bool hinted = contains(o.error, "parameters: too many for the addresses that were reserved: ") &&
                            contains(o.error, " 268435456 reserved; 'ulimit -v'");
        return o.code == 2 && hinted ? 42 : o.code;
    };
    CHECK(exit_code_of([&] { return train("r", {}); }) == 0);
    CHECK(contains(runs.text("r/log.txt"), "addresses: limited to 2048 MiB (ulimit -v), of which parameters may take 256 MiB"));
    CHECK(exit_code_of([&] { return train("large", {"--set", "model.hidden=8000"}); }) == 42);
}
#endif

TEST_CASE("an output that fails before the last flush says why, and a reader that has gone ends it quietly") {
    const auto handler = ::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    ::close(ends[0]);
    cli::OutputBuffer closed(ends[1]);
    std::ostream out(&closed);
    std::istringstream in;
    std::ostringstream error;
    CHECK(cli::run({"schema"}, {in, out, error, false}) == 0);
    CHECK(error.str().empty());
    ::close(ends[1]);
    ::signal(SIGPIPE, handler);

    cli::OutputBuffer invalid(-1);
    std::ostream nowhere(&invalid);
    nowhere << std::string(200'000, 'x');
    errno = 0;
    CHECK_THROWS_WITH_AS(cli::flush(nowhere), "standard output: cannot be written: Bad file descriptor", MachineError);
}

TEST_CASE("integers are decimal and fit") {
    for (const char* text : {"99999999999999999999", "010", "0x10", "-1", "abc", "1.5", "1e3", "+1"}) {
        const Outcome o = attend_command({"train", "x.json", std::string("--seed=") + text});
        CHECK(o.code == 2);
        CHECK_MESSAGE(contains(o.error, fmt::format("--seed: not an integer from 0 to 9223372036854775807: '{}'", text)),
                      o.error);
    }
    CHECK(contains(attend_command({"train", "x.json", "--seed", "9223372036854775807"}).error, "x.json: "));
    const std::vector<std::vector<std::string>> others = {
        {"train", "x", "--threads"},   {"eval", "x", "--beam"},    {"eval", "x", "--resamples"}, {"translate", "x", "--nbest"},
        {"translate", "x", "--chunk"}, {"average", "x", "--last"}, {"check", "x", "--rows"},     {"check", "x", "--elements"}};
    for (const auto& begin : others)
        for (const char* text : {"010", "0x10", "99999999999999999999"}) {
            std::vector<std::string> arguments = begin;
            arguments.emplace_back(text);
            const Outcome o = attend_command(arguments);
            CHECK(o.code == 2);
            CHECK_MESSAGE(contains(o.error, begin.back() + ": not an integer from "), o.error);
        }
    for (const char* text : {"nan", "inf", "0x1", "11"})
        CHECK(contains(attend_command({"eval", "x", "--length-penalty", text}).error,
                       "--length-penalty: not a number from 0 to 10: '"));
}

TEST_CASE("words that are no command, or one too many") {
    CHECK(attend_command({"trian"}).error.starts_with(
        "attend: no such command: 'trian'; did you mean 'train'?; known: train, eval, "));
    CHECK(attend_command({"bogus"}).error.starts_with("attend: no such command: 'bogus'; known: train, eval, "));
    CHECK(attend_command({"bogus"}).code == 2);
    CHECK(contains(attend_command({"train"}).error, "see 'attend train --help'"));
    CHECK(contains(attend_command({}).error, "see 'attend --help'"));
    const Outcome file = attend_command({"translate", "run", "in.txt"});
    CHECK(file.code == 2);
    CHECK_MESSAGE(contains(file.error,
                           "in.txt; lines come from standard input: echo 'in.txt' | attend translate RUN, or of a file: attend "
                           "translate RUN < in.txt; see 'attend translate --help'"),
                  file.error);
    CHECK(!contains(attend_command({"translate", "run", "--bogus"}).error, "standard input"));
}

TEST_CASE("--set does not undo what was set below its key, metrics of a split that has none") {
    const SmallRun runs;
    const std::string config = (runs / "small.json").string();
    CHECK(contains(attend_command({"plan", config, "--set", "optimizer.learning_rate=0.1", "--set", "optimizer=sgd"}).error,
                   "--set optimizer=sgd: comes after and would undo --set optimizer.learning_rate=0.1: put it first"));
    CHECK(attend_command({"plan", config, "--set", "optimizer=sgd", "--set", "optimizer.learning_rate=0.1"}).code == 0);
    CHECK(attend_command({"plan", config, "--set", "optimizer=sgd", "--set", "optimizer=adam"}).code == 0);
    runs.run("r");
    std::ofstream(runs / "r/metrics.jsonl") << "{\"step\": 1, \"split\": \"train\", \"loss\": 1}\n";
    const Outcome none = attend_command({"metrics", (runs / "r").string(), "--split", "valid"});
    CHECK(none.code == 2);
    CHECK(none.out.empty());
    CHECK(contains(none.error, "metrics.jsonl: no lines of this split: --split valid, splits there are train"));
}

TEST_SUITE_END();

}  // namespace process_test
