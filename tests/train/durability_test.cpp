// What is on the disk before what: fsync is replaced for the whole test program by one that takes
// notes.
#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>

#include "core/base/line_file.h"
#include "core/base/own_files.h"
#include "core/base/system_call.h"
#include "tests/train/run_support.h"

namespace {

struct Notes {
    std::mutex mutex;
    bool taken = false;
    std::vector<std::string> files;  // brought to the disk, in this order
    std::string last;                // where `last` pointed to at the time
    std::filesystem::path link;
};
Notes notes;
std::atomic<int> interruptions{0};  // of the next calls

}  // namespace

extern "C" int fsync(int descriptor) {
    if (interruptions > 0) {
        --interruptions;
        errno = EINTR;
        return -1;
    }
    const std::lock_guard lock(notes.mutex);
    if (notes.taken) {
        std::error_code ignored;
        const auto file = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ignored);
        const auto to = std::filesystem::read_symlink(notes.link, ignored);
        notes.files.push_back(file.filename().string() + (to.empty() ? "" : " " + to.string()));
    }
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

TEST_SUITE_BEGIN("train: durability");

using namespace attend;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

TEST_CASE("a signal in the middle of bringing a file to the disk is no failure") {
    const oracles::TemporaryFolder folder;
    interruptions = 3;
    write_file_atomically(folder / "file", "whole");
    CHECK(interruptions == 0);
    CHECK(read_file(folder / "file", 10) == "whole");
    LineFile lines(folder / "lines");
    lines.append("a\n");
    interruptions = 2;
    lines.synchronise();
    CHECK(interruptions == 0);
    interruptions = 2;
    synchronise_folder(folder.path());
    CHECK(interruptions == 0);
    int calls = 0;
    errno = 0;
    CHECK(uninterrupted([&] { return ++calls < 4 ? (errno = EINTR, -1) : 7; }) == 7);
    CHECK(uninterrupted([&] { return errno = EIO, -1; }) == -1);
}

TEST_CASE("metrics.jsonl and samples.txt are on the disk before last points to a checkpoint that knows of them") {
    const SmallRun runs;
    notes.link = runs / "run/checkpoints/last";
    notes.files.clear();
    notes.taken = true;
    runs.run("run");
    notes.taken = false;
    const auto at = [&](const std::string& what) {
        const auto found = std::find(notes.files.begin(), notes.files.end(), what);
        return found == notes.files.end() ? std::ptrdiff_t{-1} : found - notes.files.begin();
    };
    for (const char* file : {"metrics.jsonl", "samples.txt"}) {
        CAPTURE(file);
        CHECK(at(file) >= 0);  // before the first: no `last` yet
        CHECK(at(file + std::string(" step-4")) > at(file));
        CHECK(at(file + std::string(" step-8")) > at(file + std::string(" step-4")));
    }
    // The names too: of the new files in the run's folder before the first checkpoint, of step-N
    // before `last` leads there.
    CHECK(at("run") >= 0);
    CHECK(at("checkpoints") >= 0);
    CHECK(at("checkpoints step-4") > at("checkpoints"));
    CHECK(at("checkpoints step-8") > at("metrics.jsonl step-4"));
}

TEST_SUITE_END();
