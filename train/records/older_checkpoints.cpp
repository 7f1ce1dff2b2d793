#include "train/records/older_checkpoints.h"

#include "train/config/words.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* word_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:=@%,";

// The complete checkpoints named step-N, by their steps. Reads all of them: a hint that fails is
// worse than none.
std::vector<fs::path> complete_steps(const RunFolder& run) {
    std::vector<fs::path> all = run.steps();
    std::erase_if(all, [](const fs::path& step) { return !is_complete_checkpoint(step); });
    return all;
}

std::string names_of(const std::vector<fs::path>& steps) {
    std::vector<std::string> names;
    for (const fs::path& step : steps) names.push_back(step.filename().string());
    return joined(names);
}

[[noreturn]] void fail_with_others(const Error& e, const RunFolder& run) {
    const std::vector<fs::path> complete = complete_steps(run);
    if (complete.empty())
        fail("{}; complete checkpoints left: 0", e.what());
    fail("{}; complete checkpoints: {}; give one in the run's place: {}", e.what(), names_of(complete),
         shell_word(complete.back().string()));
}

// The error of reading `last`, with what can be done where its files are broken.
[[noreturn]] void fail_to_go_on(const Error& e, const RunFolder& run) {
    if (is_complete_checkpoint(run.last()))
        throw;  // it is another model's, or another program's
    const std::vector<fs::path> complete = complete_steps(run);
    if (complete.empty())
        fail("{}; complete checkpoints left: 0; --overwrite starts again", e.what());
    const std::string newest = complete.back().filename().string();
    fail("{}; complete checkpoints: {}; --resume continues from {} after: ln -sfn {} {}", e.what(), names_of(complete), newest,
         newest, shell_word(run.last().string()));
}

}  // namespace

std::string shell_word(const std::string& text) {
    if (!text.empty() && text.find_first_not_of(word_characters) == std::string::npos)
        return text;
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

Progressed load_last(const RunFolder& run, const Checkpointed& trained) {
    try {
        return load_checkpoint(run.last(), trained);
    } catch (const Error& e) {
        fail_to_go_on(e, run);
    }
}

Progressed progressed_of_last(const RunFolder& run) {
    try {
        return read_progressed(run.last());
    } catch (const Error& e) {
        fail_to_go_on(e, run);
    }
}

void check_model_of(const RunAndCheckpoint& found) {
    try {
        check_model_file(found.checkpoint);
    } catch (const Error& e) {
        fail_with_others(e, found.run);
    }
}

}  // namespace attend::ATTEND_PRECISION
