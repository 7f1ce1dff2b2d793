// Every shipped config learns in its short form and passes `attend plan`. A config without a row in the table fails.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "tests/train/run_support.h"
#include "train/cli/cli.h"
#include "train/plan/settings.h"

TEST_SUITE_BEGIN("train: configs learn");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

enum class Reaches { at_least, at_most };

// What makes a config short, and what it must reach on the validation split then. One whose files may be missing learns
// nothing here: it says what to fetch (`fetch`) when they are.
struct Short {
    const char* config;
    Strings set;
    const char* metric;
    Reaches reaches;
    double value;
    const char* fetch = "";
};
const Short table[] = {
    {"bahdanau_dates.json",
     {"data.train_examples=4000", "data.valid_examples=100", "data.test_examples=0", "train.steps=250",
      "train.evaluate_every=250", "schedule.warmup=20"},
     "accuracy",
     Reaches::at_least,
     0.97},
    {"reverse_luong.json", {}, "", Reaches::at_least, 0, "datasets/reverse/train.src.gz"},
};

std::vector<fs::path> shipped() {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(fs::path(ATTEND_SOURCE_DIR) / "configs"))
        if (entry.path().extension() == ".json" && !contains(read_file(entry.path(), 1 << 20), "\"variants\""))
            all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
}

const Short* row_of(const fs::path& config) {
    for (const Short& row : table)
        if (config.filename() == row.config)
            return &row;
    return nullptr;
}

bool needs_files(const fs::path& config) { return !plan::paths_of(read_experiment(config.string(), {})).empty(); }

bool has_files(const fs::path& config) {
    const auto paths = plan::paths_of(read_experiment(config.string(), {}));
    return std::all_of(paths.begin(), paths.end(), [](const std::string& p) { return fs::exists(p); });
}

}  // namespace

TEST_CASE("every shipped config has a row that makes it short, and every row a config") {
    for (const fs::path& config : shipped()) CHECK_MESSAGE(row_of(config) != nullptr, config.filename().string());
    for (const Short& row : table) CHECK_MESSAGE(fs::exists(fs::path(ATTEND_SOURCE_DIR) / "configs" / row.config), row.config);
}

TEST_CASE("every shipped config of a generated task learns in its short form") {
    int learnt = 0;
    for (const fs::path& config : shipped()) {
        const Short* row = row_of(config);
        if (row == nullptr || needs_files(config))
            continue;
        CAPTURE(row->config);
        const oracles::TemporaryFolder folder;
        TrainRequest request;
        request.experiment = read_experiment(config.string(), row->set);
        request.folder = (folder / "run").string();
        request.threads = 2;
        const TrainResult result = train(request);
        REQUIRE(result.progressed.valid.has_value());
        const double value = result.progressed.valid->scores.find(row->metric).value();
        CAPTURE(value);
        CHECK((row->reaches == Reaches::at_least ? value >= row->value : value <= row->value));
        ++learnt;
    }
    CHECK(learnt >= 1);
}

TEST_CASE("every shipped config passes plan, or says what to fetch") {
    for (const fs::path& config : shipped()) {
        CAPTURE(config.string());
        std::istringstream in;
        std::ostringstream out, error;
        Strings command = {"plan", config.string(), "--threads", "1"};
        const Short* row = row_of(config);
        REQUIRE(row != nullptr);
        for (const std::string& s : row->set) command.insert(command.end(), {"--set", s});
        const int code = cli::run(command, {in, out, error});
        CAPTURE(error.str());
        if (has_files(config)) {
            CHECK(code == 0);
            CHECK(contains(out.str(), "parameters"));
        } else {
            CHECK(code == 2);
            CHECK(std::string(row->fetch) != "");
            CHECK(contains(error.str(), row->fetch));
            // and train the same, before it makes a folder
            const oracles::TemporaryFolder folder;
            CHECK(cli::run({"train", config.string(), "--out", (folder / "run").string()}, {in, out, error}) == 2);
            CHECK(!fs::exists(folder / "run"));
        }
    }
}

TEST_SUITE_END();
