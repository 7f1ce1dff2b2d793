/// A library that computes wrongly, crashes or hangs is found at start, and a run then says so and
/// is right.
#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "core/base/files.h"
#include "core/base/library_check.h"
#include "tests/oracles/child_process.h"
#include "tests/oracles/temporary_folder.h"
#include "tests/planted/library.h"

using namespace attend;

TEST_SUITE_BEGIN("planted library");

namespace {

// What the check says of a library with that fault.
LibraryCheck check_of(const char* fault, const std::filesystem::path& memory = {}) {
    ::setenv(planted::variable, fault, 1);
    LibraryCheck found = check_library(memory);
    ::unsetenv(planted::variable);
    return found;
}

int64_t files_in(const std::filesystem::path& folder) {
    return std::filesystem::exists(folder)
               ? std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator())
               : 0;
}

constexpr const char* config = R"({
    "name": "planted", "seed": 3,
    "data": {"task": "copy", "symbols": 4, "min_length": 2, "max_length": 5, "train_examples": 64, "valid_examples": 64,
             "test_examples": 0},
    "model": {"type": "rnn_seq2seq", "embedding": 32, "hidden": 192},
    "train": {"steps": 3, "batch": 64, "shards": 1}})";

}  // namespace

TEST_CASE("a right library is sound") {
    const LibraryCheck right = check_of("");
    CHECK_MESSAGE(right.sound(), right.fault);
    CHECK(!right.remembered);
}

TEST_CASE("wrong sums are found, with shape, place and both numbers") {
    CHECK(check_of("wrong").fault.starts_with("float product of 17 x 600 x 19, transposed no and no: row "));
    CHECK(check_of("wrong_double").fault.starts_with("double product of 9 x 5 x 17, transposed no and yes: row "));
}

TEST_CASE("a product that ends the process, or never ends, is found and ends nothing else") {
    CHECK(check_of("signal").fault == "a product ends the process: Illegal instruction");
    CHECK(check_of("abort").fault == "a product ends the process: Aborted");
    CHECK(check_of("exit").fault == "the check ended without a result");
    const auto began = std::chrono::steady_clock::now();
    CHECK(check_of("hang").fault == "products do not end within 2 s");
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
}

TEST_CASE("the result is remembered for this processor and program, a broken memory is not believed") {
    const oracles::TemporaryFolder folder;
    const std::filesystem::path memory = folder / "cache" / "attend";
    CHECK(check_of("wrong", memory).remembered == false);
    REQUIRE(files_in(memory) == 1);
    const std::filesystem::path file = *std::filesystem::directory_iterator(memory);
    const LibraryCheck again = check_of("", memory);  // not computed again: the file answers
    CHECK(again.remembered);
    CHECK(again.fault.starts_with("float product of 17 x 600 x 19"));

    const std::string whole = read_file(file, 1 << 16);
    for (const std::string& broken : {std::string(), whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1),
                                      "x" + whole, whole.substr(0, whole.find("result: ") + 8) + "\n"}) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << broken;
        const LibraryCheck anew = check_of("", memory);
        CHECK(!anew.remembered);
        CHECK(anew.sound());
        CHECK(check_of("", memory).remembered);  // and mended
    }
}

TEST_CASE("what may be the machine's fault of a moment is not remembered, and neither is anything without a folder") {
    const oracles::TemporaryFolder folder;
    for (const char* fault : {"hang", "exit"}) {
        CHECK(!check_of(fault, folder / "a").sound());
        CHECK(files_in(folder / "a") == 0);
    }
    std::ofstream(folder / "file") << "somebody's";
    CHECK(check_of("", folder / "file").sound());
    CHECK(read_file(folder / "file", 100) == "somebody's");
}

TEST_CASE("a whole run with a library that fails: the log says so, and the results are those of own kernels") {
    const oracles::TemporaryFolder folder;
    std::ofstream(folder / "planted.json") << config;
    const auto train = [&](const char* fault, const char* name) {
        ::setenv(planted::variable, fault, 1);
        ::setenv("XDG_CACHE_HOME", (folder / "cache" / fault).c_str(), 1);
        const oracles::Ended ended =
            oracles::run_process({ATTEND_BINARY_DIR "/attend_planted", "train", (folder / "planted.json").string(), "--out",
                                  (folder / name).string()});
        ::unsetenv(planted::variable);
        ::unsetenv("XDG_CACHE_HOME");
        CHECK_MESSAGE(ended.code == 0, ended.output);
        return read_file(folder / name / "log.txt", 1 << 20);
    };
    const auto model = [&](const char* name) {
        return read_file(folder / name / "checkpoints/last/model.safetensors", 1 << 26);
    };
    CHECK(train("", "right").find("left out") == std::string::npos);
    const std::string log = train("wrong", "wrong");
    CHECK_MESSAGE(log.find("left out: float product of 17 x 600 x 19") != std::string::npos, log);
    CHECK(train("signal", "signal").find("left out: a product ends the process: Illegal instruction") != std::string::npos);
    CHECK(model("wrong") == model("signal"));  // both by own kernels
    CHECK(model("wrong") != model("right"));   // the planted loops add in another order: the library did take part
}

TEST_SUITE_END();
