#include "data/tasks/near_diagonal.h"

#include <algorithm>

#include "data/tasks/symbols.h"

namespace attend {

std::unique_ptr<Task> near_diagonal_task(const NearDiagonalOptions& options, const TaskSetup& setup) {
    const SplitLengths lengths = split_lengths("near_diagonal", "length", {options.min_length, options.max_length},
                                               {options.test_min_length, options.test_max_length});
    require_amount("near_diagonal", options.examples, lengths.training.most, lengths.test.most);
    const std::vector<std::string> targets = number_words(options.symbols);
    std::vector<std::string> sources;
    for (const std::string& word : targets)
        for (int64_t k = 0; k < options.variants; ++k) sources.push_back(word + static_cast<char>('a' + k));
    PairTask task;
    task.name = "near_diagonal";
    task.source = word_tokenizer(Vocabulary(sources));
    task.target = word_tokenizer(Vocabulary(targets));
    task.metrics = {"accuracy", "exact_match", "symbol_error_rate", "alignment_accuracy", "attention_entropy"};
    generate(task, options.examples, setup, [&](Stream& stream, Split split) {
        const auto below = [&](int64_t n) { return stream.below(static_cast<uint32_t>(n)); };
        const auto length = static_cast<int32_t>(lengths.of(split).draw(stream));
        GeneratedExample e;
        uint32_t symbol = below(options.symbols);
        for (int32_t begin = 0; begin < length;) {
            const int32_t end = std::min(length, begin + 1 + static_cast<int32_t>(below(options.max_run)));
            for (int32_t p = begin; p < end; ++p)
                append_word(e.source, sources[symbol * static_cast<std::size_t>(options.variants) + below(options.variants)]);
            append_word(e.target, targets[symbol]);
            e.gold.push_back({begin, end});
            begin = end;
            symbol = (symbol + 1 + below(options.symbols - 1)) % static_cast<uint32_t>(options.symbols);  // another one
        }
        e.value = e.target;
        return e;
    });
    return make_task(std::move(task));
}

}  // namespace attend
