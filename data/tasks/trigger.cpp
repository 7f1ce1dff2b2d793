#include "data/tasks/trigger.h"

#include "data/tasks/symbols.h"

namespace attend {

std::unique_ptr<Task> trigger_task(const TriggerOptions& options, const TaskSetup& setup) {
    const int64_t test_length = own_or(options.test_length, options.length);
    require_amount("trigger", options.examples, options.length, test_length);
    enum : int32_t { begin, trigger, nothing, first_symbol };
    std::vector<std::string> words = {"^", "?", "-"};
    for (std::string& word : number_words(options.symbols)) words.push_back(std::move(word));
    SequenceTask task;
    task.name = "trigger";
    task.symbols = word_tokenizer(Vocabulary(std::move(words), Specials::own));
    task.metrics = {"accuracy", "row_accuracy", "alignment_best_head"};
    generate(task, options.examples, setup, [&](Stream& stream, Split split) {
        const auto length = static_cast<std::size_t>(split == Split::test ? test_length : options.length);
        GeneratedRow e;
        e.input = {begin};
        bool any = false;
        while (e.input.size() < length) {
            // There is a symbol before a trigger.
            const bool here = e.input.back() >= first_symbol && stream.uniform() < options.triggers;
            any |= here;
            e.input.push_back(here ? trigger
                                   : first_symbol + static_cast<int32_t>(stream.below(static_cast<uint32_t>(options.symbols))));
        }
        if (!any)
            e.input[2 + stream.below(static_cast<uint32_t>(length - 2))] = trigger;
        for (std::size_t t = 0; t < length; ++t) {
            const bool here = e.input[t] == trigger;
            e.target.push_back(here                            ? e.input[t - 1]
                               : options.elsewhere == "itself" ? e.input[t]
                                                               : static_cast<int32_t>(nothing));
            const auto at = static_cast<int32_t>(t);
            e.gold.push_back(here ? Range{at - 1, at} : Range{});
        }
        e.value = value_of(e.input);
        return e;
    });
    return make_task(std::move(task));
}

}  // namespace attend
