#include "data/tasks/symbols.h"

#include <algorithm>
#include <numeric>

namespace attend {

namespace {

// A random sequence: a length, then symbols. The options must have passed require_sizes().
std::vector<int32_t> draw_symbols(Stream& stream, const SymbolOptions& options) {
    const auto lengths = static_cast<uint32_t>(options.max_length - options.min_length + 1);
    std::vector<int32_t> symbols(static_cast<std::size_t>(options.min_length + stream.below(lengths)));
    for (int32_t& s : symbols) s = static_cast<int32_t>(stream.below(static_cast<uint32_t>(options.symbols)));
    return symbols;
}

// Throws Error unless min_length <= max_length and require_amount() does not throw.
void require_sizes(const char* name, const SymbolOptions& options, int64_t symbols_each) {
    require(options.min_length <= options.max_length, "{}: lengths are the wrong way round: min_length {}, max_length {}", name,
            options.min_length, options.max_length);
    require_amount(name, options.examples, symbols_each);
}

// The words "0" ... "symbols - 1".
std::vector<std::string> number_words(int64_t symbols) {
    std::vector<std::string> words;
    for (int64_t i = 0; i < symbols; ++i) words.push_back(std::to_string(i));
    return words;
}

// Appends a word, a blank before it unless it is the first.
void append_word(std::string& text, std::string_view word) {
    if (!text.empty())
        text += ' ';
    text += word;
}

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

std::string bit_string(int32_t value, int64_t bits) { return fmt::format("{:0{}b}", value, bits); }

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

std::unique_ptr<Task> repeat_task(const RepeatOptions& options, const TaskSetup& setup) {
    const SymbolOptions& sequence = options.sequence;
    require_sizes("repeat", sequence, sequence.max_length * options.max_repeats);
    std::vector<std::string> words = number_words(sequence.symbols);
    PairTask task;
    task.name = "repeat";
    task.target = word_tokenizer(Vocabulary(words));
    for (int64_t k = 1; k <= options.max_repeats; ++k) words.push_back(fmt::format("x{}", k));
    task.source = word_tokenizer(Vocabulary(std::move(words)));
    task.metrics = {"accuracy", "exact_match", "alignment_accuracy", "attention_entropy"};
    task.limit_factor = options.max_repeats;
    generate(task, sequence.examples, setup, [&](Stream& stream) {
        const int64_t repeats = 1 + stream.below(static_cast<uint32_t>(options.max_repeats));
        const std::vector<int32_t> symbols = draw_symbols(stream, sequence);
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

std::vector<int32_t> lookup_table(const LookupOptions& options, int64_t number) {
    std::vector<int32_t> table(std::size_t{1} << options.bits);
    std::iota(table.begin(), table.end(), 0);
    Stream(static_cast<uint64_t>(options.table_seed), fmt::format("lookup.table.{}", number)).shuffle(table);
    return table;
}

std::unique_ptr<Task> lookup_task(const LookupOptions& options, const TaskSetup& setup) {
    require_amount("lookup", options.examples, options.max_tables + 1);
    const auto values = int32_t{1} << options.bits;
    std::vector<std::string> words;
    for (int32_t value = 0; value < values; ++value) words.push_back(bit_string(value, options.bits));
    PairTask task;
    task.name = "lookup";
    task.target = word_tokenizer(Vocabulary(words));
    std::vector<std::vector<int32_t>> tables;
    for (int64_t t = 0; t < options.tables; ++t) {
        words.push_back(fmt::format("t{}", t));
        tables.push_back(lookup_table(options, t));
    }
    task.source = word_tokenizer(Vocabulary(std::move(words)));
    const bool steps = options.target == "steps";
    task.metrics = {"accuracy", "exact_match", "attention_entropy"};
    if (steps)
        task.metrics.insert(task.metrics.end() - 1, "alignment_accuracy");
    generate(task, options.examples, setup, [&](Stream& stream) {
        const int64_t count = 1 + stream.below(static_cast<uint32_t>(options.max_tables));
        auto value = static_cast<int32_t>(stream.below(static_cast<uint32_t>(values)));
        GeneratedExample e;
        std::string applied;
        e.source = e.target = bit_string(value, options.bits);
        for (int64_t k = 0; k < count; ++k) {
            const uint32_t table = stream.below(static_cast<uint32_t>(options.tables));
            append_word(applied, fmt::format("t{}", table));
            value = tables[table][static_cast<std::size_t>(value)];
            append_word(e.target, bit_string(value, options.bits));
        }
        append_word(e.source, applied);
        e.value = options.held_out == "compositions" ? applied : e.source;
        if (count == 1)
            e.only = Split::train;
        if (steps)
            for (int32_t p = 0; p <= static_cast<int32_t>(count); ++p) e.gold.push_back({p, p + 1});
        else
            e.target = bit_string(value, options.bits);
        return e;
    });
    task.notes = {fmt::format("{} tables of {} bit strings, up to {} applied one after the other", options.tables, values,
                              options.max_tables)};
    return make_task(std::move(task));
}

std::unique_ptr<Task> addition_task(const AdditionOptions& options, const TaskSetup& setup) {
    require(options.min_digits <= options.max_digits, "addition: digits are the wrong way round: min_digits {}, max_digits {}",
            options.min_digits, options.max_digits);
    PairTask task;
    task.name = "addition";
    task.source = char_tokenizer("+0123456789");
    task.target = char_tokenizer("0123456789");
    task.metrics = {"accuracy", "exact_match", "symbol_error_rate", "attention_entropy"};
    generate(task, options.examples, setup, [&](Stream& stream) {
        const auto number = [&] {
            const int64_t digits =
                options.min_digits + stream.below(static_cast<uint32_t>(options.max_digits - options.min_digits + 1));
            // The first digit of several is not 0.
            int64_t n = digits == 1 ? stream.below(10) : 1 + stream.below(9);
            for (int64_t k = 1; k < digits; ++k) n = 10 * n + stream.below(10);
            return n;
        };
        const int64_t a = number(), b = number();
        GeneratedExample e;
        e.source = fmt::format("{}+{}", a, b);
        e.target = fmt::format("{}", a + b);
        if (options.order == "reversed")
            std::ranges::reverse(e.target);
        e.value = fmt::format("{}+{}", std::min(a, b), std::max(a, b));
        return e;
    });
    return make_task(std::move(task));
}

}  // namespace attend
