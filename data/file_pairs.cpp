#include "data/file_pairs.h"

#include <algorithm>

#include "core/base/files.h"
#include "core/base/interruption.h"
#include "data/text/lines.h"

namespace attend {

namespace {

// The training rows that `first` leaves (0: all).
PairRows read_training(const PairFiles& files, int64_t first) {
    PairRows rows = files.read(Split::train);
    const int64_t count = rows.source.lines.size();
    require(first <= count, "data.first: there are not so many pairs: first {}, lines of {} {}", first, rows.source.file,
            count);
    if (first > 0)
        for (TextFile* side : {&rows.source, &rows.target}) side->lines.truncate(first);
    return rows;
}

// Encodes the rows into `into`; returns how many were longer than `max_length` (0: no limit) and
// left out.
int64_t encode(const PairRows& rows, const Tokenizer& source, const Tokenizer& target, int64_t max_length, PairSplit& into) {
    int64_t left_out = 0;
    const int64_t count = rows.source.lines.size();
    for (int64_t i = 0; i < count; ++i) {
        interruption_point();
        const std::string_view x_text = rows.source.lines.text(i), y_text = rows.target.lines.text(i);
        const Place x_place = rows.source.place(i), y_place = rows.target.place(i);
        const std::vector<int32_t> x = source.encode(x_text, x_place), y = target.encode(y_text, y_place);
        if (x.empty() || y.empty())
            fail("{}: a pair needs symbols on both sides: source {} symbols, target {}:{} {} symbols; remove the pair",
                 x_place.text(), x.size(), y_place.file, y_place.line, y.size());
        const auto longest = static_cast<int64_t>(std::max(x.size(), y.size()));
        if (max_length > 0 && longest > max_length) {
            ++left_out;
            continue;
        }
        note_longest(
            into, static_cast<int64_t>(x.size()), static_cast<int64_t>(y.size()), [&] { return x_place.text(); },
            [&] { return y_place.text(); });
        into.source.add(x);
        into.target.add(y);
        into.source_text.add(source.normal_form(x_text));
        into.target_text.add(target.normal_form(y_text));
    }
    return left_out;
}

// What save() wrote for both sides.
void require_one_vocabulary(const std::string& source, const std::string& target) {
    const WrittenFile x = crc32_of_file(source), y = crc32_of_file(target);
    require(x.bytes == y.bytes && x.crc32 == y.crc32,
            "data.joint_vocabulary: the saved vocabularies are two: {} of {} bytes, {} of {} bytes, CRC-32 {:08x} and {:08x}",
            source, x.bytes, target, y.bytes, x.crc32, y.crc32);
}

}  // namespace

std::vector<std::string> PairScoring::names() const {
    std::vector<std::string> all = {"accuracy", "exact_match"};
    if (metrics != "text")
        all.insert(all.end(), {"word_error_rate", "symbol_error_rate", "edit_distance"});
    if (metrics != "symbols")
        all.insert(all.end(), {"bleu", "chrf"});
    all.emplace_back("attention_entropy");
    return all;
}

void set_tokenizers(PairFiles& files, const PairUnits& units, const PairVocabulary& vocabulary) {
    const auto chosen = [&](const Selection& side) { return side.name() == "same" ? units.unit : side; };
    const Selection source = chosen(units.source_unit), target = chosen(units.target_unit);
    if (vocabulary.joint_vocabulary) {
        require(text_of(source) == text_of(target),
                "data.joint_vocabulary: one vocabulary needs one unit on both sides: source_unit {}, target_unit {}",
                text_of(source), text_of(target));
        files.joint_tokenizers = [source](const TokenizerSetup& setup) {
            const std::shared_ptr<const Tokenizer> both = tokenizer_table().build(source, setup);
            return std::array{both, both};
        };
    }
    files.source_tokenizer = [source](const TokenizerSetup& setup) { return tokenizer_table().build(source, setup); };
    files.target_tokenizer = [target](const TokenizerSetup& setup) { return tokenizer_table().build(target, setup); };
}

std::string missing_file_hint(Split split, std::string_view example) {
    return fmt::format(
        "data.{} names it; configs/README.md says what to fetch and from where, or give the files with --set 'data.{}={}'",
        split_name(split), split_name(split), example);
}

TextFile read_split(Split split, const std::string& file) {
    const std::string hint = missing_file_hint(split, "FILE");
    require(!file.empty(), "data.{}: a file is needed: files 0, needed 1; {}", split_name(split), hint);
    return {file, read_lines(file, {}, hint)};
}

std::unique_ptr<Task> file_pairs_task(PairTask task, const PairFiles& files, const PairLimits& limits,
                                      const std::string& references, const TaskSetup& setup) {
    task.learned_vocabularies = true;
    const bool from_saved = !setup.saved.empty();
    PairRows training;
    if (setup.load_data || !from_saved)
        training = read_training(files, limits.first);
    const auto learn = [&](const char* file, const TextFile& text) {
        return TokenizerSetup{.saved = from_saved ? setup.saved + "/" + file : std::string(),
                              .training = &text,
                              .limits = {limits.min_count, limits.max_vocabulary}};
    };
    if (files.joint_tokenizers) {
        TokenizerSetup both = learn(source_vocabulary_file, training.source);
        both.pieces = [&](auto take) {
            for (const TextFile* side : {&training.source, &training.target})
                for (int64_t i = 0; i < side->lines.size(); ++i) take(side->lines.text(i), side->place(i));
        };
        if (from_saved)
            require_one_vocabulary(both.saved, learn(target_vocabulary_file, training.target).saved);
        const auto [source, target] = files.joint_tokenizers(both);
        task.source = source;
        task.target = target;
        task.notes.emplace_back("one vocabulary for both sides");
    } else {
        task.source = files.source_tokenizer(learn(source_vocabulary_file, training.source));
        task.target = files.target_tokenizer(learn(target_vocabulary_file, training.target));
    }
    if (!setup.load_data)
        return make_task(std::move(task));

    const int64_t pairs = training.source.lines.size();
    const int64_t left_out = encode(training, *task.source, *task.target, limits.max_length, task.split(Split::train));
    require(left_out < pairs, "data.max_length: no training pair is left: max_length {}, longer pairs {} of {}",
            limits.max_length, left_out, pairs);
    if (limits.first > 0)
        task.notes.push_back(fmt::format("train: the first {} pairs", pairs));
    task.split(Split::train).longest.hint = "data.max_length leaves out training pairs that are longer";
    if (left_out > 0)
        task.notes.push_back(fmt::format("train: {} of {} pairs left out, longer than max_length {} on a side", left_out, pairs,
                                         limits.max_length));
    for (const Split split : {Split::valid, Split::test})
        encode(files.read(split), *task.source, *task.target, 0, task.split(split));
    if (references == "grouped")
        for (const Split split : {Split::train, Split::valid, Split::test}) group_by_source(task.split(split));
    return make_task(std::move(task));
}

}  // namespace attend
