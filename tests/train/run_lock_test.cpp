// One process at a time trains in a folder; whoever comes second changes nothing.
#include "train/records/run_lock.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <sstream>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/cli/cli.h"

namespace run_lock_test {

TEST_SUITE_BEGIN("train: run lock");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

// Every file and link below a folder and what is in it.
std::map<std::string, std::string> picture(const fs::path& folder) {
    std::map<std::string, std::string> all;
    for (const fs::directory_entry& e : fs::recursive_directory_iterator(folder)) {
        std::string& text = all[e.path().lexically_relative(folder).string()];
        if (e.is_symlink())
            text = fs::read_symlink(e.path()).string();
        else if (e.is_regular_file())
            text = read_file(e.path(), 1 << 24);
    }
    return all;
}

}  // namespace

TEST_CASE("a second train into the folder of a live run gets code 2 and changes nothing") {
    const SmallRun runs;
    runs.run("whole");
    TrainRequest first = runs.request("a");
    int tried = 0;
    first.after_step = [&](int64_t step) {
        if (step != 5)
            return;
        const auto before = picture(runs / "a");
        CHECK(before.contains(".lock"));
        for (const char* how : {"--resume", "--overwrite"}) {
            CAPTURE(how);
            std::istringstream in;
            std::ostringstream out, error;
            const int code =
                cli::run({"train", (runs / "small.json").string(), "--out", (runs / "a").string(), how}, {in, out, error});
            CHECK(code == 2);
            const std::string expected = fmt::format(
                "attend: {}: another process trains in this folder: process {} has locked .lock, this is process {}; wait for "
                "its end or give another --out\n",
                (runs / "a").string(), ::getpid(), ::getpid());
            CHECK(error.str() == expected);
            CHECK((picture(runs / "a") == before));
            ++tried;
        }
        CHECK(contains(message_of([&] { runs.run("a"); }), "there is a run in this folder"));
        CHECK((picture(runs / "a") == before));
    };
    CHECK(train(first).status == Status::finished);
    CHECK(tried == 2);
    CHECK(runs.model("a") == runs.model("whole"));
    CHECK(!fs::exists(runs / "a/.lock"));
}

TEST_CASE("a new run waits for nobody: a folder that is locked before it holds anything is refused") {
    const SmallRun runs;
    fs::create_directory(runs / "a");
    {
        const RunLock held(runs / "a");
        CHECK(contains(message_of([&] { runs.run("a"); }), "another process trains in this folder"));
        CHECK(picture(runs / "a").size() == 1);
    }
    CHECK(fs::is_empty(runs / "a"));
    std::ofstream(runs / "a/.lock") << "1\n";  // as a killed run leaves it: no run, and nobody holds it
    CHECK(runs.run("a").status == Status::finished);
}

TEST_CASE("a lock moves with its value") {
    const SmallRun runs;
    fs::create_directory(runs / "a");
    RunLock outer;
    {
        RunLock inner(runs / "a");
        outer = std::move(inner);
    }
    CHECK_THROWS_AS(RunLock(runs / "a"), Error);
    outer = RunLock();
    CHECK_NOTHROW(RunLock(runs / "a"));
}

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads
TEST_CASE("the lock of a killed process is gone with it") {
    const SmallRun runs;
    fs::create_directory(runs / "a");
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const RunLock held(runs / "a");
        (void)!::write(ready[1], "x", 1);
        for (;;) ::pause();
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    CHECK(contains(message_of([&] { RunLock(runs / "a"); }), fmt::format("process {} has locked .lock", child)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    CHECK(fs::exists(runs / "a/.lock"));
    CHECK(message_of([&] { RunLock(runs / "a"); }).empty());
    CHECK(!fs::exists(runs / "a/.lock"));
}
#endif

#if !defined(ATTEND_SANITIZED)
TEST_CASE("a folder that was removed cannot be locked, and that is said") {
    const oracles::TemporaryFolder folder;
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20);  // it went on for ever
        const std::filesystem::path gone = folder / "gone";
        std::filesystem::create_directory(gone);
        std::filesystem::current_path(gone);
        std::filesystem::remove(gone);
        ::_exit(contains(message_of([] { RunLock lock("."); }), "No such file or directory") ? 42 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 42));
}
#endif

TEST_SUITE_END();

}  // namespace run_lock_test
