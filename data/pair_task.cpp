#include "data/pair_task.h"

#include <algorithm>

#include "data/batching.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

class TaskOfPairs final : public Task {
  public:
    explicit TaskOfPairs(PairTask pairs) : p_(std::move(pairs)) {}

    int64_t source_vocabulary_size() const override { return p_.source->size(); }
    int64_t target_vocabulary_size() const override { return p_.target->size(); }
    int64_t size(Split s) const override { return split(s).target.size(); }
    std::unique_ptr<Batches> batches(Split s, const BatchOrder& order) const override {
        return bucketed_batches(split(s).source, split(s).target, order);
    }
    std::vector<std::string> metrics() const override { return p_.metrics; }

    std::string source_text(Split s, int64_t example) const override { return std::string(split(s).source_text.text(example)); }
    std::string target_text(Split s, int64_t example) const override { return std::string(split(s).target_text.text(example)); }
    Ids encode_sources(std::span<const std::string> lines) const override {
        std::vector<std::vector<int32_t>> rows;
        rows.reserve(lines.size());
        for (const std::string& line : lines)
            rows.push_back(p_.source->encode(line, Place{"", static_cast<int64_t>(rows.size()) + 1}));
        return pad_sequences(rows);
    }
    std::string decode_target(std::span<const int32_t> ids) const override { return p_.target->decode(ids); }
    std::vector<std::string> source_symbols(std::span<const int32_t> ids) const override { return symbols(*p_.source, ids); }
    std::vector<std::string> target_symbols(std::span<const int32_t> ids) const override { return symbols(*p_.target, ids); }

    std::vector<Range> gold_alignment(Split s, int64_t example) const override {
        const PairSplit& pairs = split(s);
        require(example >= 0 && example < pairs.target.size(), "{}: no such example: asked for {} of {}, there are {}", p_.name,
                example, split_name(s), pairs.target.size());
        if (pairs.gold.empty())
            return {};
        const auto ranges = pairs.gold[example];
        return {ranges.begin(), ranges.end()};
    }
    int64_t decode_limit(int64_t source_length) const override { return p_.limit_factor * source_length + p_.limit_constant; }

    std::vector<std::string> describe() const override {
        std::vector<std::string> lines;
        for (Split s : {Split::train, Split::valid, Split::test}) {
            const PairSplit& pairs = split(s);
            if (pairs.target.empty())
                continue;
            lines.push_back(fmt::format("{}: {} examples, {:.1f} source and {:.1f} target symbols each", split_name(s),
                                        pairs.target.size(), mean(pairs.source), mean(pairs.target)));
            note_unknown(lines, s, "source", pairs.source);
            note_unknown(lines, s, "target", pairs.target);
        }
        lines.push_back(fmt::format("vocabulary: {} source and {} target ids", p_.source->size(), p_.target->size()));
        lines.insert(lines.end(), p_.notes.begin(), p_.notes.end());
        return lines;
    }
    void save(const std::string& folder) const override {
        if (!p_.learned_vocabularies)
            return;
        p_.source->save(folder + "/" + source_vocabulary_file);
        p_.target->save(folder + "/" + target_vocabulary_file);
    }

  private:
    const PairSplit& split(Split s) const { return p_.splits[static_cast<std::size_t>(s)]; }
    static std::vector<std::string> symbols(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
        std::vector<std::string> all;
        for (int32_t id : ids) all.push_back(tokenizer.symbol(id));
        return all;
    }
    static double mean(const Sequences& s) { return static_cast<double>(s.total()) / static_cast<double>(s.size()); }
    static void note_unknown(std::vector<std::string>& lines, Split split, const char* side, const Sequences& sequences) {
        int64_t unknown = 0;
        for (int64_t i = 0; i < sequences.size(); ++i) unknown += std::ranges::count(sequences[i], int32_t{id_unknown});
        if (unknown > 0)
            lines.push_back(fmt::format("{}: {} of {} {} symbols are not in the vocabulary", split_name(split), unknown,
                                        sequences.total(), side));
    }
    PairTask p_;
};

}  // namespace

std::unique_ptr<Task> make_task(PairTask pairs) {
    ensure(pairs.source && pairs.target, "{}: a pair task needs two tokenizers: source {}, target {}", pairs.name,
           pairs.source ? 1 : 0, pairs.target ? 1 : 0);
    return std::make_unique<TaskOfPairs>(std::move(pairs));
}

}  // namespace attend::inline ATTEND_PRECISION
