#include "data/tasks/induction.h"

#include <algorithm>

#include "data/tasks/symbols.h"

namespace attend {

std::unique_ptr<Task> induction_task(const InductionOptions& options, const TaskSetup& setup) {
    const SplitLengths periods = split_lengths("induction", "period", {options.min_period, options.max_period},
                                               {options.test_min_period, options.test_max_period});
    const int64_t test_length = own_or(options.test_length, options.length);
    const auto check = [&](const char* of, const LengthRange& period, int64_t length) {
        require(period.most < length,
                "induction: a text does not come again within a row{}: longest period {}, length {}, needed {}", of,
                period.most, length, period.most + 1);
        require(period.most <= options.vocabulary,
                "induction: the symbols of a text{} are all different: longest period {}, vocabulary {}", of, period.most,
                options.vocabulary);
    };
    check("", periods.training, options.length);
    check(" of the test", periods.test, test_length);
    require_amount("induction", options.examples, options.length, test_length);
    SequenceTask task;
    task.name = "induction";
    task.symbols = word_tokenizer(Vocabulary(number_words(options.vocabulary), Specials::own));
    task.metrics = {"accuracy", "row_accuracy", "alignment_best_head"};
    generate(task, options.examples, setup, [&](Stream& stream, Split split) {
        const auto period = static_cast<int32_t>(periods.of(split).draw(stream));
        const auto length = static_cast<int32_t>(split == Split::test ? test_length : options.length);
        const std::vector<int32_t> text = draw_different(stream, period, {0, static_cast<int32_t>(options.vocabulary)});
        const auto symbol = [&](int32_t t) { return text[static_cast<std::size_t>(t % period)]; };
        GeneratedRow e;
        for (int32_t t = 0; t < length; ++t) {
            e.input.push_back(symbol(t));
            e.target.push_back(t < period ? id_ignored : symbol(t + 1));
            if (t >= period)
                e.gold.push_back(t < 2 * period ? Range{t - period + 1, t - period + 2} : Range{});
        }
        e.value = value_of(text);
        return e;
    });
    return make_task(std::move(task));
}

}  // namespace attend
