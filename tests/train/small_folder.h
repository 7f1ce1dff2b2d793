#pragma once
/// A folder with a small experiment, and commands of the program: for tests in either precision, as
/// nothing here computes.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/files.h"
#include "tests/oracles/temporary_folder.h"
#include "train/experiment/experiment.h"
#include "train/records/numbers.h"

namespace attend::ATTEND_PRECISION::testing {

/// Trains in a second at most: sequences of four symbols, copied.
inline constexpr const char* small_config = R"({
    "seed": 3,
    "data": {"task": "copy", "symbols": 4, "min_length": 2, "max_length": 5,
             "train_examples": 60, "valid_examples": 20, "test_examples": 10},
    "model": {"type": "rnn_seq2seq", "embedding": 5, "hidden": 6, "dropout": 0.1},
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "schedule": {"type": "cosine", "warmup": 3},
    "train": {"steps": 12, "batch": 9, "shards": 4, "clip_norm": 1.0, "log_every": 5, "evaluate_every": 4, "evaluate_batch": 8,
              "best_metric": "loss"}
})";

class SmallFolder {
  public:
    SmallFolder() { std::ofstream(folder_ / "small.json") << small_config; }
    std::filesystem::path operator/(std::string_view name) const { return folder_ / name; }
    std::string config() const { return (folder_ / "small.json").string(); }
    Experiment experiment(const std::vector<std::string>& set = {}) const { return read_experiment(config(), set); }
    std::string text(const std::filesystem::path& name) const { return read_file(folder_.path() / name, 1 << 24); }

  private:
    oracles::TemporaryFolder folder_;
};

/// The message of the Error that `f` throws; "" when it throws none.
template <class E = Error, class F>
std::string message_of(F&& f) {
    try {
        f();
    } catch (const E& e) {
        return e.what();
    }
    return "";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace attend::ATTEND_PRECISION::testing
