#include "data/tasks/symbols.h"

#include <algorithm>
#include <numeric>

namespace attend {

std::vector<int32_t> draw_symbols(Stream& stream, LengthRange lengths, int64_t symbols) {
    std::vector<int32_t> sequence(static_cast<std::size_t>(lengths.draw(stream)));
    for (int32_t& s : sequence) s = static_cast<int32_t>(stream.below(static_cast<uint32_t>(symbols)));
    return sequence;
}

SplitLengths sequence_lengths(const char* name, const SymbolOptions& options, int64_t repeats) {
    const SplitLengths lengths = split_lengths(name, "length", {options.min_length, options.max_length},
                                               {options.test_min_length, options.test_max_length});
    require_amount(name, options.examples, lengths.training.most * repeats, lengths.test.most * repeats);
    return lengths;
}

std::vector<std::string> number_words(int64_t symbols) {
    std::vector<std::string> words;
    for (int64_t i = 0; i < symbols; ++i) words.push_back(std::to_string(i));
    return words;
}

void append_word(std::string& text, std::string_view word) {
    if (!text.empty())
        text += ' ';
    text += word;
}

namespace {

std::unique_ptr<Task> rearranging_task(const char* name, const SymbolOptions& options, const TaskSetup& setup,
                                       FunctionRef<void(std::span<const int32_t>, std::span<int32_t>)> rearrange) {
    const SplitLengths lengths = sequence_lengths(name, options, 1);
    PairTask task;
    task.name = name;
    task.source = task.target = word_tokenizer(Vocabulary(number_words(options.symbols)));
    task.metrics = {"accuracy", "exact_match", "alignment_accuracy", "attention_entropy"};
    generate(task, options.examples, setup, [&](Stream& stream, Split split) {
        const std::vector<int32_t> source = draw_symbols(stream, lengths.of(split), options.symbols);
        GeneratedExample e;
        std::vector<int32_t> positions(source.size());  // of the source, for each target symbol
        std::iota(positions.begin(), positions.end(), 0);
        rearrange(source, positions);
        for (int32_t s : source) append_word(e.source, std::to_string(s));
        for (int32_t p : positions) {
            append_word(e.target, std::to_string(source[static_cast<std::size_t>(p)]));
            e.gold.push_back({p, p + 1});
        }
        e.value = e.source;
        return e;
    });
    return make_task(std::move(task));
}

}  // namespace

std::unique_ptr<Task> copy_task(const SymbolOptions& options, const TaskSetup& setup) {
    return rearranging_task("copy", options, setup, [](auto, auto) {});
}
std::unique_ptr<Task> reverse_task(const SymbolOptions& options, const TaskSetup& setup) {
    return rearranging_task("reverse", options, setup, [](auto, auto positions) { std::ranges::reverse(positions); });
}
std::unique_ptr<Task> sort_task(const SymbolOptions& options, const TaskSetup& setup) {
    return rearranging_task("sort", options, setup, [](auto source, auto positions) {
        std::ranges::stable_sort(positions, {}, [&](int32_t p) { return source[static_cast<std::size_t>(p)]; });
    });
}

}  // namespace attend
