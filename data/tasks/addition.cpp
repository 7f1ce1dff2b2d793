#include "data/tasks/addition.h"

#include <algorithm>

namespace attend {

std::unique_ptr<Task> addition_task(const AdditionOptions& options, const TaskSetup& setup) {
    const SplitLengths all_digits = split_lengths("addition", "digits", {options.min_digits, options.max_digits},
                                                  {options.test_min_digits, options.test_max_digits});
    PairTask task;
    task.name = "addition";
    task.source = char_tokenizer("+0123456789");
    task.target = char_tokenizer("0123456789");
    task.metrics = {"accuracy", "exact_match", "symbol_error_rate", "attention_entropy"};
    generate(task, options.examples, setup, [&](Stream& stream, Split split) {
        const auto number = [&] {
            const int64_t digits = all_digits.of(split).draw(stream);
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
