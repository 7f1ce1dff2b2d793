#include "data/tasks/symbols.h"

#include <algorithm>
#include <numeric>

namespace attend {

std::vector<int32_t> draw_symbols(Stream& stream, const SymbolOptions& options) {
    const auto lengths = static_cast<uint32_t>(options.max_length - options.min_length + 1);
    std::vector<int32_t> symbols(static_cast<std::size_t>(options.min_length + stream.below(lengths)));
    for (int32_t& s : symbols) s = static_cast<int32_t>(stream.below(static_cast<uint32_t>(options.symbols)));
    return symbols;
}

void require_sizes(const char* name, const SymbolOptions& options, int64_t symbols_each) {
    require(options.min_length <= options.max_length, "{}: lengths are the wrong way round: min_length {}, max_length {}", name,
            options.min_length, options.max_length);
    require_amount(name, options.examples, symbols_each);
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
    require_sizes(name, options, options.max_length);
    PairTask task;
    task.name = name;
    task.source = task.target = word_tokenizer(Vocabulary(number_words(options.symbols)));
    task.metrics = {"accuracy", "exact_match", "alignment_accuracy", "attention_entropy"};
    generate(task, options.examples, setup, [&](Stream& stream) {
        const std::vector<int32_t> source = draw_symbols(stream, options);
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
