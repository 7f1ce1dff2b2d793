#include "data/tasks/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/base/file_errors.h"
#include "core/base/interruption.h"
#include "data/batching.h"
#include "data/file_pairs.h"
#include "data/text/columns.h"
#include "data/text/lines.h"
#include "data/text/special_tokens.h"

namespace attend {

namespace {

constexpr std::array all_splits = {Split::train, Split::valid, Split::test};

// The rows of a file as they are in it; `text` says where each is.
struct Rows {
    TextFile text;
    Texts second, label;
};

Rows read_rows(Split split, const std::string& file, const ClassificationOptions& o) {
    const TextFile lines = read_split(split, file);
    const std::vector<std::string> names = column_names(lines, o.header);
    const std::size_t text = find_column("text", o.text, names, o.header, file);
    const std::size_t second = o.second.empty() ? text : find_column("second", o.second, names, o.header, file);
    const std::size_t label = find_column("label", o.label, names, o.header, file);
    const int64_t begin = o.header ? 1 : 0;
    Rows rows{{file, {}, begin + 1}, {}, {}};
    for (int64_t i = begin; i < lines.lines.size(); ++i) {
        const auto columns = columns_of(lines, i, static_cast<int64_t>(names.size()), same_columns);
        require(!columns[label].empty(), "{}: a label is empty: column {}, 0 bytes", lines.place(i).text(), label + 1);
        require_utf8(columns[label], lines.place(i));
        rows.text.lines.add(columns[text]);
        rows.second.add(o.second.empty() ? std::string_view() : columns[second]);
        rows.label.add(columns[label]);
    }
    return rows;
}

Vocabulary labels_of(const Rows& rows) {
    std::set<std::string> names;
    for (int64_t i = 0; i < rows.label.size(); ++i) names.emplace(rows.label.text(i));
    require(names.size() >= 2, "{}: there is nothing to tell apart: classes {}, needed at least 2", rows.text.file,
            names.size());
    return Vocabulary({names.begin(), names.end()}, Specials::own);
}

// Labels are the training rows' own. Where a run's that began elsewhere, or this very one, are kept
// in setup.saved and have all of them, those are taken: a class keeps its number.
Vocabulary labels_for(const Rows& training, const TaskSetup& setup) {
    const std::string saved = setup.saved + "/" + labels_file;
    const bool kept = !setup.saved.empty() && is_there(saved);
    if (kept && !setup.load_data)
        return Vocabulary::load(saved, Specials::own);
    require(!training.label.empty(), "{}/{}: file is missing: rows to take the classes from 0, needed at least 1", setup.saved,
            labels_file);
    Vocabulary own = labels_of(training);
    if (!kept)
        return own;
    Vocabulary before = Vocabulary::load(saved, Specials::own);
    return std::ranges::all_of(own.symbols(), [&](const std::string& s) { return before.id(s) != id_none; }) ? before : own;
}

struct Examples {
    Texts text;                    // the second one after a tab
    Sequences rows;                // with the special tokens
    std::vector<int32_t> first;    // ids up to the first [SEP], it included
    std::vector<int32_t> classes;  // by row
    int64_t cut = 0;
};

// The order of bucketed_batches(), filled with rows, segments and labels.
class LabelledBatches final : public Batches {
  public:
    LabelledBatches(const Examples& examples, bool pairs, const BatchOrder& order)
        : examples_(examples), pairs_(pairs), order_(bucketed_batches(no_sources_, examples.rows, order)) {}

    int64_t per_epoch() const override { return order_->per_epoch(); }
    Batch at(int64_t number) override {
        Batch batch = order_->at(number);
        const int64_t rows = batch.rows(), columns = batch.input.columns - 1;  // without bos
        batch.input = Ids(rows, columns);
        if (pairs_)
            batch.segments = Ids(rows, columns);
        for (int64_t r = 0; r < rows; ++r) {
            const auto place = static_cast<std::size_t>(r);
            const int64_t e = batch.examples[place];
            const auto ids = examples_.rows[e];
            std::ranges::copy(ids, &batch.input.at(r, 0));
            batch.input.lengths[place] = static_cast<int32_t>(ids.size());
            if (pairs_) {
                int32_t* const segments = &batch.segments.at(r, 0);
                std::fill(segments + examples_.first[static_cast<std::size_t>(e)], segments + ids.size(), 1);
                batch.segments.lengths[place] = batch.input.lengths[place];
            }
            batch.labels.push_back(examples_.classes[static_cast<std::size_t>(e)]);
        }
        batch.target = batch.input;
        std::fill(batch.target.values.begin(), batch.target.values.end(), id_ignored);
        return batch;
    }

  private:
    const Examples& examples_;
    bool pairs_;
    Sequences no_sources_;
    std::unique_ptr<Batches> order_;
};

class ClassificationTask final : public Task {
  public:
    ClassificationTask(const ClassificationOptions& o, const TaskSetup& setup)
        : pairs_(!o.second.empty()), context_(o.context > 0 ? o.context : setup.context) {
        require(setup.context == 0 || o.context <= setup.context,
                "data.context: rows are longer than the model's context: data.context {}, model's context {}", o.context,
                setup.context);
        require(context_ > 0 || !setup.load_data,
                "data.context: the length of a row is needed: data.context {}, model's context {}", o.context, setup.context);
        require(context_ == 0 || context_ >= least(),
                "data.context: a row has no room for text: context {}, needed at least {}", context_, least());
        const bool from_saved = !setup.saved.empty();
        std::array<Rows, 3> rows;
        if (setup.load_data || !from_saved)
            for (Split s : all_splits)
                if (s == Split::train || !o.of(s).empty())
                    rows[static_cast<std::size_t>(s)] = read_rows(s, o.of(s), o);
        TokenizerSetup tokenizer;
        tokenizer.specials = Specials::own;
        tokenizer.limits = {o.min_count, o.max_vocabulary};
        tokenizer.saved = from_saved ? saved_tokenizer(setup.saved) : std::string();
        const auto hand_out = [&](const Rows& of, auto take) {
            for (const Texts* column : {&of.text.lines, &of.second})
                for (int64_t i = 0; i < column->size(); ++i) take(column->text(i), of.text.place(i));
        };
        tokenizer.pieces = [&](auto take) { hand_out(rows[0], take); };
        tokenizer.held_out = [&](auto take) {
            hand_out(rows[1], take);
            hand_out(rows[2], take);
        };
        tokenizer_ = with_special_tokens(tokenizer_table().build(o.tokenizer, tokenizer), encoder_tokens);
        labels_ = labels_for(rows[0], setup);
        if (setup.load_data)
            for (Split s : all_splits) encode(rows[static_cast<std::size_t>(s)], splits_[static_cast<std::size_t>(s)]);
    }

    int64_t source_vocabulary_size() const override { return 0; }
    int64_t target_vocabulary_size() const override { return tokenizer_->size(); }
    int64_t size(Split s) const override { return split(s).rows.size(); }
    TargetKind targets() const override { return TargetKind::none; }
    int64_t classes() const override { return labels_.size(); }
    int64_t segments() const override { return pairs_ ? 2 : 0; }
    std::string class_name(int32_t label) const override {
        require(label >= 0 && label < classes(), "classification: no such class: asked for {}, classes {}", label, classes());
        return labels_.symbol(label);
    }
    std::unique_ptr<Batches> batches(Split s, const BatchOrder& order) const override {
        return std::make_unique<LabelledBatches>(split(s), pairs_, order);
    }
    std::vector<std::string> metrics() const override { return {"label_accuracy"}; }

    std::string source_text(Split s, int64_t example) const override {
        require_example(s, example);
        return std::string(split(s).text.text(example));
    }
    std::string target_text(Split s, int64_t example) const override {
        require_example(s, example);
        return class_name(split(s).classes[static_cast<std::size_t>(example)]);
    }
    std::vector<std::string> cut_target(std::string_view text) const override { return {std::string(text)}; }
    Ids encode_sources(std::span<const std::string> lines) const override {
        std::vector<std::vector<int32_t>> rows;
        for (const std::string& line : lines) {
            const Place place{"", static_cast<int64_t>(rows.size()) + 1};
            const std::vector<std::string_view> columns = split_columns(line);
            const std::size_t needed = pairs_ ? 2 : 1;
            require(columns.size() == needed, "{}: wrong number of texts: columns {}, needed {}", place.text(), columns.size(),
                    needed);
            rows.push_back(row_of(columns.front(), pairs_ ? columns.back() : std::string_view(), place).ids);
        }
        return pad_sequences(rows);
    }
    std::string decode_target(std::span<const int32_t> ids) const override {
        return fmt::format("{}", fmt::join(target_symbols(ids), " "));
    }
    std::vector<std::string> source_symbols(std::span<const int32_t> ids) const override { return tokenizer_->symbols(ids); }
    std::vector<std::string> target_symbols(std::span<const int32_t> ids) const override {
        std::vector<std::string> all;
        for (int32_t id : ids) all.push_back(class_name(id));
        return all;
    }
    std::vector<std::string> input_symbols(std::span<const int32_t> ids) const override { return source_symbols(ids); }
    std::vector<Range> gold_alignment(Split s, int64_t example) const override {
        require_example(s, example);
        return {};
    }
    int64_t decode_limit(int64_t) const override { return 1; }

    std::vector<std::string> describe() const override {
        std::vector<std::string> lines;
        for (Split s : all_splits) {
            const Examples& e = split(s);
            if (e.rows.empty())
                continue;
            lines.push_back(fmt::format("{}: {} rows, {:.1f} tokens each", split_name(s), e.rows.size(),
                                        static_cast<double>(e.rows.total()) / static_cast<double>(e.rows.size())));
            if (e.cut > 0)
                lines.push_back(
                    fmt::format("{}: {} of {} rows cut to {} tokens", split_name(s), e.cut, e.rows.size(), context_));
        }
        lines.push_back(fmt::format("vocabulary: {} ids", tokenizer_->size()));
        lines.push_back(fmt::format("classes: {}", classes()));
        return lines;
    }
    std::vector<std::string> publish(const std::string& folder) const override { return tokenizer_->publish(folder, {}); }
    void save(const std::string& folder) const override {
        tokenizer_->save(folder + "/" + tokenizer_file);
        labels_.save(folder + "/" + labels_file);
    }

  private:
    struct Row {
        std::vector<int32_t> ids;
        int32_t first = 0;
        bool cut = false;
    };
    const Examples& split(Split s) const { return splits_[static_cast<std::size_t>(s)]; }
    int64_t least() const { return pairs_ ? 5 : 3; }
    void require_example(Split s, int64_t example) const { Task::require_example("classification", s, example); }
    Row row_of(std::string_view text, std::string_view second, const Place& place) const {
        std::vector<int32_t> a = tokenizer_->encode(text, place), b;
        if (pairs_)
            b = tokenizer_->encode(second, place);
        const std::size_t room = context_ == 0 ? a.size() + b.size() : static_cast<std::size_t>(context_ - (pairs_ ? 3 : 2));
        Row row;
        while (a.size() + b.size() > room) {
            (a.size() > b.size() ? a : b).pop_back();
            row.cut = true;
        }
        row.ids.push_back(*tokenizer_->special(begin_name));
        row.ids.insert(row.ids.end(), a.begin(), a.end());
        row.ids.push_back(*tokenizer_->special(end_name));
        row.first = static_cast<int32_t>(row.ids.size());
        if (pairs_) {
            row.ids.insert(row.ids.end(), b.begin(), b.end());
            row.ids.push_back(*tokenizer_->special(end_name));
        }
        return row;
    }

    void encode(const Rows& rows, Examples& into) const {
        for (int64_t i = 0; i < rows.text.lines.size(); ++i) {
            interruption_point();
            const std::string_view text = rows.text.lines.text(i), second = rows.second.text(i), label = rows.label.text(i);
            const Place place = rows.text.place(i);
            const int32_t known = labels_.id(label);
            require(known != id_none && labels_.symbol(known) == label,
                    "{}: a label that no training row has: '{}', classes {}", place.text(), label, labels_.size());
            const Row row = row_of(text, second, place);
            into.text.add(pairs_ ? fmt::format("{}\t{}", text, second) : std::string(text));
            into.rows.add(row.ids);
            into.first.push_back(row.first);
            into.classes.push_back(known);
            into.cut += row.cut ? 1 : 0;
        }
    }

    bool pairs_;
    int64_t context_;
    std::unique_ptr<const Tokenizer> tokenizer_;
    Vocabulary labels_;
    std::array<Examples, 3> splits_;
};

}  // namespace

std::unique_ptr<Task> classification_task(const ClassificationOptions& options, const TaskSetup& setup) {
    return std::make_unique<ClassificationTask>(options, setup);
}

}  // namespace attend
