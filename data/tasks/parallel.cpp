#include "data/tasks/parallel.h"

#include <algorithm>

#include "data/text/lines.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

struct FilePair {
    TextFile source, target;
};

// The first `first` (0: all) pairs of the two files.
FilePair read_pair(const char* split, const std::vector<std::string>& files, int64_t first) {
    const std::string hint = fmt::format(
        "data.{} names it; configs/README.md says what to fetch and from where, or give the files with "
        "--set 'data.{}=[\"SOURCE\", \"TARGET\"]'",
        split, split);
    require(files.size() == 2, "data.{}: two files are needed, source and target: files {}, needed 2; {}", split, files.size(),
            hint);
    FilePair pair{{files[0], read_lines(files[0], {}, hint)}, {files[1], read_lines(files[1], {}, hint)}};
    const int64_t n = pair.source.lines.size(), m = pair.target.lines.size();
    require(n == m, "data.{}: the two files have different counts of lines: {} {}, {} {}", split, files[0], n, files[1], m);
    require(first <= n, "data.first: there are not so many pairs: first {}, lines of {} {}", first, files[0], n);
    if (first == 0 || first == n)
        return pair;
    FilePair cut{{files[0], {}}, {files[1], {}}};
    for (int64_t i = 0; i < first; ++i) {
        cut.source.lines.add(pair.source.lines.text(i));
        cut.target.lines.add(pair.target.lines.text(i));
    }
    return cut;
}

std::shared_ptr<const Tokenizer> tokenizer(const Selection& unit, const Selection& side, const std::string& saved,
                                           const TextFile* training, const VocabularyLimits& limits) {
    TokenizerSetup setup;
    setup.saved = saved;
    setup.training = training;
    setup.limits = limits;
    return tokenizer_table().build(side.name() == "same" ? unit : side, setup);
}

// Encodes the pairs into `into`; returns how many were longer than `max_length` (0: no limit) and left out.
int64_t encode(const FilePair& pair, const Tokenizer& source, const Tokenizer& target, int64_t max_length, PairSplit& into) {
    int64_t left_out = 0;
    const int64_t count = pair.source.lines.size();
    for (int64_t i = 0; i < count; ++i) {
        const std::string_view x_text = pair.source.lines.text(i), y_text = pair.target.lines.text(i);
        const Place x_place = pair.source.place(i), y_place = pair.target.place(i);
        const std::vector<int32_t> x = source.encode(x_text, x_place), y = target.encode(y_text, y_place);
        if (x.empty() || y.empty())
            fail(
                "{}: a pair needs symbols on both sides: source {} symbols, target {}:{} {} symbols; remove the pair from both "
                "files",
                x_place.text(), x.size(), y_place.file, y_place.line, y.size());
        const auto longest = static_cast<int64_t>(std::max(x.size(), y.size()));
        if (max_length > 0 && longest > max_length) {
            ++left_out;
            continue;
        }
        into.source.add(x);
        into.target.add(y);
        into.source_text.add(source.normal_form(x_text));
        into.target_text.add(target.normal_form(y_text));
    }
    return left_out;
}

}  // namespace

std::unique_ptr<Task> parallel_task(const ParallelOptions& options, const TaskSetup& setup) {
    PairTask task;
    task.name = "parallel";
    task.metrics = {"accuracy", "exact_match", "bleu", "attention_entropy"};
    // Text of twice as many symbols is rare in translation; short sources get room.
    task.limit_factor = 2;
    task.limit_constant = 50;
    task.learned_vocabularies = true;

    const bool from_saved = !setup.saved.empty();
    FilePair training;
    if (setup.load_data || !from_saved)
        training = read_pair("train", options.train, options.first);
    const auto saved = [&](const char* file) { return from_saved ? setup.saved + "/" + file : std::string(); };
    const VocabularyLimits limits{options.min_count, options.max_vocabulary};
    task.source = tokenizer(options.unit, options.source_unit, saved(source_vocabulary_file), &training.source, limits);
    task.target = tokenizer(options.unit, options.target_unit, saved(target_vocabulary_file), &training.target, limits);
    if (!setup.load_data)
        return make_task(std::move(task));

    const int64_t pairs = training.source.lines.size();
    const int64_t left_out = encode(training, *task.source, *task.target, options.max_length, task.split(Split::train));
    require(left_out < pairs, "data.max_length: no training pair is left: max_length {}, longer pairs {} of {}",
            options.max_length, left_out, pairs);
    if (options.first > 0)
        task.notes.push_back(fmt::format("train: the first {} pairs", pairs));
    if (left_out > 0)
        task.notes.push_back(fmt::format("train: {} of {} pairs left out, longer than max_length {} on a side", left_out, pairs,
                                         options.max_length));
    if (!options.valid.empty())
        encode(read_pair("valid", options.valid, 0), *task.source, *task.target, 0, task.split(Split::valid));
    if (!options.test.empty())
        encode(read_pair("test", options.test, 0), *task.source, *task.target, 0, task.split(Split::test));
    return make_task(std::move(task));
}

}  // namespace attend::inline ATTEND_PRECISION
