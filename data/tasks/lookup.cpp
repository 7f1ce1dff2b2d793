#include "data/tasks/lookup.h"

#include <numeric>

#include "data/tasks/symbols.h"

namespace attend {

namespace {

std::string bit_string(int32_t value, int64_t bits) { return fmt::format("{:0{}b}", value, bits); }

}  // namespace

std::vector<int32_t> lookup_table(const LookupOptions& options, int64_t number) {
    std::vector<int32_t> table(std::size_t{1} << options.bits);
    std::iota(table.begin(), table.end(), 0);
    Stream(static_cast<uint64_t>(options.table_seed), fmt::format("lookup.table.{}", number)).shuffle(table);
    return table;
}

std::unique_ptr<Task> lookup_task(const LookupOptions& options, const TaskSetup& setup) {
    // A single table is for training alone (below), so that the test has two at the least.
    const SplitLengths tables_each =
        split_lengths("lookup", "tables", {1, options.max_tables}, {options.test_min_tables, options.test_max_tables});
    require_amount("lookup", options.examples, tables_each.training.most + 1, tables_each.test.most + 1);
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
    task.metrics = {"accuracy", "exact_match"};
    if (steps)
        task.metrics.emplace_back("alignment_accuracy");
    task.metrics.emplace_back("attention_entropy");
    generate(task, options.examples, setup, [&](Stream& stream, Split split) {
        const int64_t count = tables_each.of(split).draw(stream);
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

}  // namespace attend
