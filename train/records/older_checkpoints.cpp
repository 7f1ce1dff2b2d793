#include "train/records/older_checkpoints.h"

#include "core/base/function_ref.h"
#include "train/config/words.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* word_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:=@%,";

// Throws the error of reading a checkpoint with the complete ones named step-N that are left, and
// `how` the newest of them is used, or `else_how` to go on without any. Reads all of them: a hint
// that fails is worse than none.
[[noreturn]] void fail_with_others(const Error& e, const RunFolder& run, const char* else_how,
                                   FunctionRef<std::string(const fs::path&)> how) {
    std::vector<fs::path> complete = run.steps();
    std::erase_if(complete, [](const fs::path& step) { return !is_complete_checkpoint(step); });
    if (complete.empty())
        fail("{}; complete checkpoints left: 0{}", e.what(), else_how);
    std::vector<std::string> names;
    for (const fs::path& step : complete) names.push_back(step.filename().string());
    fail("{}; complete checkpoints: {}; {}", e.what(), joined(names), how(complete.back()));
}

// Reads of the run's last checkpoint; where its files are broken, the error says what can be done.
template <class Read>
Progressed of_last(const RunFolder& run, Read read) {
    try {
        return read();
    } catch (const Error& e) {
        if (is_complete_checkpoint(run.last()))
            throw;  // it is another model's, or another program's
        fail_with_others(e, run, "; --overwrite starts again", [&](const fs::path& newest) {
            const std::string name = newest.filename().string();
            return fmt::format("--resume continues from {} after: ln -sfn {} {}", name, name, shell_word(run.last().string()));
        });
    }
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
    return of_last(run, [&] { return load_checkpoint(run.last(), trained); });
}

Progressed progressed_of_last(const RunFolder& run) {
    return of_last(run, [&] { return read_progressed(run.last()); });
}

void check_model_of(const RunAndCheckpoint& found) {
    try {
        check_model_file(found.checkpoint);
    } catch (const Error& e) {
        fail_with_others(e, found.run, "",
                         [](const fs::path& newest) { return "give one in the run's place: " + shell_word(newest.string()); });
    }
}

}  // namespace attend::ATTEND_PRECISION
