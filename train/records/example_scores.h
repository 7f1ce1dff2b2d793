#pragma once
/// The scores of single examples in a run's folder: valid_scores.jsonl of the last evaluation of
/// the validation split and test_scores.jsonl of the test split. The first line says what follows,
///
///     {"split": "test", "step": 500, "examples": "a1b2...", "metrics": ["loss", "exact_match"]}
///
/// (`examples` is equal where the same examples were scored) and then there is a line an example,
///
///     {"example": 0, "lengths": [4, 5], "loss": [1.25, 0.0, 5.0, 0.0], "exact_match": [1.0, 1.0]}
///
/// `lengths` are the symbols of source and target (ExampleLengths); older programs did not write them. Then, for each metric,
/// the numbers whose sums over the examples give its value. For shares and means over examples these are [part, whole]: the
/// metric is the sum of the parts divided by the sum of the wholes. An example that does not count for a metric has no member
/// of that name.
#include <filesystem>

#include "data/task.h"
#include "train/evaluate/example_scores.h"

namespace attend {

/// A file of scores.
struct KeptScores {
    Split split = Split::test;
    int64_t step = 0;  ///< of the checkpoint
    ExampleScores scores;
};

/// Writes the file, atomically. Throws as write_file_atomically().
void write_scores(const std::filesystem::path& path, const KeptScores& kept);
/// Throws Error naming file and line for what write_scores() does not write.
KeptScores read_scores(const std::filesystem::path& path);
/// The step of the file; none where there is no file, or another file.
std::optional<int64_t> step_of_scores(const std::filesystem::path& path);

}  // namespace attend
