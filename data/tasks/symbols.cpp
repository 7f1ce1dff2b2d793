#include "data/tasks/symbols.h"

namespace attend::inline ATTEND_PRECISION {

std::unique_ptr<Task> rearranging_task(const char* name, const SymbolOptions& options, const TaskSetup& setup,
                                       FunctionRef<Rearrangement> positions) {
    require(options.min_length <= options.max_length, "{}: lengths are the wrong way round: min_length {}, max_length {}", name,
            options.min_length, options.max_length);
    const GeneratedOptions& counts = options.examples;
    const int64_t total = (counts.train_examples + counts.valid_examples + counts.test_examples) * options.max_length;
    constexpr int64_t most = int64_t{1} << 30;
    require(total <= most, "{}: too much data: examples times max_length {}, allowed {}", name, total, most);

    std::vector<std::string> words;
    for (int64_t i = 0; i < options.symbols; ++i) words.push_back(std::to_string(i));
    PairTask task;
    task.name = name;
    task.source = task.target = word_tokenizer(Vocabulary(std::move(words)));
    task.metrics = {"accuracy", "exact_match", "alignment_accuracy", "attention_entropy"};
    generate(task, counts, setup, [&](Stream& stream) {
        const auto lengths = static_cast<uint32_t>(options.max_length - options.min_length + 1);
        std::vector<int32_t> source(static_cast<std::size_t>(options.min_length + stream.below(lengths)));
        for (int32_t& s : source) s = static_cast<int32_t>(stream.below(static_cast<uint32_t>(options.symbols)));
        const auto append = [](std::string& text, int32_t symbol) {
            if (!text.empty())
                text += ' ';
            text += std::to_string(symbol);
        };
        GeneratedExample e;
        for (int32_t s : source) append(e.source, s);
        for (int32_t p : positions(source)) {
            append(e.target, source[static_cast<std::size_t>(p)]);
            e.gold.push_back({p, p + 1});
        }
        e.value = e.source;
        return e;
    });
    return make_task(std::move(task));
}

}  // namespace attend::inline ATTEND_PRECISION
