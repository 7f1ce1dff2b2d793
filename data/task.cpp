#include "data/task.h"

#include <algorithm>

#include "data/tasks/addition.h"
#include "data/tasks/classification.h"
#include "data/tasks/dates.h"
#include "data/tasks/induction.h"
#include "data/tasks/lookup.h"
#include "data/tasks/masked_text.h"
#include "data/tasks/near_diagonal.h"
#include "data/tasks/parallel.h"
#include "data/tasks/recall.h"
#include "data/tasks/repeat.h"
#include "data/tasks/scan.h"
#include "data/tasks/sigmorphon.h"
#include "data/tasks/symbols.h"
#include "data/tasks/text.h"
#include "data/tasks/trigger.h"
#include "data/tasks/tsv.h"

namespace attend {

const char* split_name(Split split) {
    constexpr const char* names[] = {"train", "valid", "test"};
    return names[static_cast<std::size_t>(split)];
}

Split split_named(const std::string& name, const std::string& where) {
    for (const Split s : {Split::train, Split::valid, Split::test})
        if (name == split_name(s))
            return s;
    fail("{}: no such split: '{}', known train, valid, test", where, name);
}

std::vector<int32_t> Task::encode_prompt(std::string_view text, const Place& place) const {
    fail("{}: this task has no running text to go on with: prompt of {} bytes, tasks with running text: text", place.text(),
         text.size());
}

void Task::require_example(std::string_view task, Split split, int64_t example) const {
    require(example >= 0 && example < size(split), "{}: no such example: asked for {} of {}, there are {}", task, example,
            split_name(split), size(split));
}

std::string Task::class_name(int32_t label) const {
    fail("task: this task has no classes: asked for the name of class {}, classes {}", label, classes());
}

int64_t Batch::targets() const {
    return std::ranges::count_if(target.values, [](int32_t id) { return id != id_ignored; });
}

Batch Batch::slice(int64_t begin, int64_t end) const {
    require(0 <= begin && begin <= end && end <= rows(), "batch: rows out of range: slice [{}, {}), rows {}", begin, end,
            rows());
    Batch part;
    if (source.rows > 0)
        part.source = source.slice(begin, end);
    part.input = input.slice(begin, end);
    part.target = target.slice(begin, end);
    if (segments.rows > 0)
        part.segments = segments.slice(begin, end);
    if (!labels.empty())
        part.labels.assign(labels.begin() + begin, labels.begin() + end);
    part.examples.assign(examples.begin() + begin, examples.begin() + end);
    return part;
}

const Table<std::unique_ptr<Task>(const TaskSetup&)>& task_table() {
    using T = Table<std::unique_ptr<Task>(const TaskSetup&)>;
    static const T table(
        "task",
        {
            T::make<GeneratedOptions>("dates", "dates as people write them to ISO 8601", dates_task),
            T::make<SymbolOptions>("copy", "a sequence of numbers to itself", copy_task),
            T::make<SymbolOptions>("reverse", "a sequence of numbers back to front", reverse_task),
            T::make<SymbolOptions>("sort", "a sequence of numbers in ascending order", sort_task),
            T::make<RepeatOptions>("repeat", "a sequence of numbers several times over", repeat_task),
            T::make<LookupOptions>("lookup", "tables applied one after the other to a bit string", lookup_task),
            T::make<AdditionOptions>("addition", "two numbers to their sum, digit by digit", addition_task),
            T::make<NearDiagonalOptions>(
                "near_diagonal", "a long source, each symbol of the target written as a run of variants", near_diagonal_task),
            T::make<RecallOptions>("recall", "keys and values, then the keys again: their values are asked for (Arora 2023)",
                                   recall_task),
            T::make<InductionOptions>("induction", "a random text followed by itself: what comes next is known (Olsson 2022)",
                                      induction_task),
            T::make<TriggerOptions>("trigger", "the symbol before a trigger, else nothing new: softmax grows a sink",
                                    trigger_task),
            T::make<ParallelOptions>("parallel", "two text files, line by line", parallel_task),
            T::make<TsvOptions>("tsv", "columns of one text file", tsv_task),
            T::make<ScanOptions>("scan", "commands to actions, in the format of SCAN (Lake and Baroni 2018)", scan_task),
            T::make<SigmorphonOptions>("sigmorphon", "lemma and tags to inflected form (SIGMORPHON 2017, task 1)",
                                       sigmorphon_task),
            T::make<TextOptions>("text", "running text, cut into windows, for language models", text_task),
            T::make<ClassificationOptions>("classification", "one or two columns of text to a label", classification_task),
            T::make<MaskedTextOptions>("masked_text", "running text with tokens to be guessed from both sides, as BERT's",
                                       masked_text_task),
        },
        "task");
    return table;
}
const registry::AtStart task_listed(task_table());

}  // namespace attend
