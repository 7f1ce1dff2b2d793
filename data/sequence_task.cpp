#include "data/sequence_task.h"

#include <algorithm>

#include "data/batching.h"

namespace attend {

namespace {

bool is_predicted(int32_t id) { return id != id_ignored; }

class TaskOfSequences final : public Task {
  public:
    explicit TaskOfSequences(SequenceTask sequences) : t_(std::move(sequences)) {}

    int64_t source_vocabulary_size() const override { return 0; }
    int64_t target_vocabulary_size() const override { return t_.symbols->size(); }
    int64_t size(Split s) const override { return split(s).input.size(); }
    std::unique_ptr<Batches> batches(Split s, const BatchOrder& order) const override {
        return row_batches(split(s).input, split(s).target, order);
    }
    std::vector<std::string> metrics() const override { return t_.metrics; }
    LongestExample longest(Split s) const override { return split(s).longest; }

    std::string source_text(Split s, int64_t example) const override {
        require_example(s, example);
        return t_.symbols->decode(split(s).input[example]);
    }
    std::string target_text(Split s, int64_t example) const override {
        require_example(s, example);
        std::vector<int32_t> ids;
        std::ranges::copy_if(split(s).target[example], std::back_inserter(ids), is_predicted);
        return t_.symbols->decode(ids);
    }
    std::vector<std::string> cut_target(std::string_view text) const override {
        require_utf8(text, Place{});
        return t_.symbols->cut(text);
    }
    Ids encode_sources(std::span<const std::string> lines) const override {
        fail("{}: its rows have no sources: lines {}, sources 0", t_.name, lines.size());
    }
    // The end of a line that was typed is no symbol.
    std::vector<int32_t> encode_prompt(std::string_view text, const Place& place) const override {
        while (text.ends_with('\n')) text.remove_suffix(1);
        return t_.symbols->encode(text, place);
    }
    std::string decode_target(std::span<const int32_t> ids) const override { return t_.symbols->decode(ids); }
    std::vector<std::string> source_symbols(std::span<const int32_t> ids) const override {
        fail("{}: its rows have no sources: ids {}, sources 0", t_.name, ids.size());
    }
    std::vector<std::string> target_symbols(std::span<const int32_t> ids) const override { return t_.symbols->symbols(ids); }

    std::vector<Range> gold_alignment(Split s, int64_t example) const override {
        require_example(s, example);
        const SequenceSplit& rows = split(s);
        if (rows.gold.empty())
            return {};
        std::vector<Range> all;
        auto next = rows.gold[example].begin();
        for (const int32_t id : rows.target[example]) all.push_back(is_predicted(id) ? *next++ : Range{});
        return all;
    }
    int64_t decode_limit(int64_t) const override {
        int64_t longest = 1;
        for (const SequenceSplit& rows : t_.splits) longest = std::max(longest, rows.longest.input.symbols);
        return longest;
    }

    std::vector<std::string> describe() const override {
        std::vector<std::string> lines;
        for (Split s : {Split::train, Split::valid, Split::test}) {
            const SequenceSplit& rows = split(s);
            if (rows.input.empty())
                continue;
            int64_t targets = 0;
            for (int64_t i = 0; i < rows.target.size(); ++i) targets += std::ranges::count_if(rows.target[i], is_predicted);
            const auto each = [&](int64_t n) { return static_cast<double>(n) / static_cast<double>(rows.input.size()); };
            lines.push_back(fmt::format("{}: {} examples, {:.1f} symbols and {:.1f} targets each", split_name(s),
                                        rows.input.size(), each(rows.input.total()), each(targets)));
        }
        lines.push_back(fmt::format("vocabulary: {} ids", t_.symbols->size()));
        lines.insert(lines.end(), t_.notes.begin(), t_.notes.end());
        return lines;
    }
    void save(const std::string&) const override {}

  private:
    void require_example(Split s, int64_t example) const { Task::require_example(t_.name, s, example); }
    const SequenceSplit& split(Split s) const { return t_.splits[static_cast<std::size_t>(s)]; }
    SequenceTask t_;
};

}  // namespace

std::unique_ptr<Task> make_task(SequenceTask sequences) {
    ensure(sequences.symbols != nullptr, "{}: a task of rows needs a tokenizer: tokenizers {}", sequences.name, 0);
    return std::make_unique<TaskOfSequences>(std::move(sequences));
}

}  // namespace attend
