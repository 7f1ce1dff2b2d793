#include "data/tasks/repeat.h"

namespace attend {

std::unique_ptr<Task> repeat_task(const RepeatOptions& options, const TaskSetup& setup) {
    const SymbolOptions& sequence = options.sequence;
    const SplitLengths lengths = sequence_lengths("repeat", sequence, options.max_repeats);
    std::vector<std::string> words = number_words(sequence.symbols);
    PairTask task;
    task.name = "repeat";
    task.target = word_tokenizer(Vocabulary(words));
    for (int64_t k = 1; k <= options.max_repeats; ++k) words.push_back(fmt::format("x{}", k));
    task.source = word_tokenizer(Vocabulary(std::move(words)));
    task.metrics = {"accuracy", "exact_match", "alignment_accuracy", "attention_entropy"};
    task.limit_factor = options.max_repeats;
    generate(task, sequence.examples, setup, [&](Stream& stream, Split split) {
        const int64_t repeats = 1 + stream.below(static_cast<uint32_t>(options.max_repeats));
        const std::vector<int32_t> symbols = draw_symbols(stream, lengths.of(split), sequence.symbols);
        GeneratedExample e;
        for (int32_t s : symbols) append_word(e.value, std::to_string(s));
        e.source = fmt::format("x{} {}", repeats, e.value);
        for (int64_t k = 0; k < repeats; ++k) {
            append_word(e.target, e.value);
            for (int32_t p = 1; p <= static_cast<int32_t>(symbols.size()); ++p) e.gold.push_back({p, p + 1});
        }
        return e;
    });
    return make_task(std::move(task));
}

}  // namespace attend
