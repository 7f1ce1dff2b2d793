#include "data/pair_task.h"

#include <algorithm>
#include <ranges>
#include <unordered_map>

#include "data/batching.h"

namespace attend {

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
    LongestExample longest(Split s) const override { return split(s).longest; }
    bool same_symbols() const override {
        if (p_.source == p_.target)
            return true;
        bool same = p_.source->size() == p_.target->size();
        for (int64_t i = 0; same && i < p_.source->size(); ++i)
            same = p_.source->symbol(static_cast<int32_t>(i)) == p_.target->symbol(static_cast<int32_t>(i));
        return same;
    }

    std::string source_text(Split s, int64_t example) const override { return std::string(split(s).source_text.text(example)); }
    std::string target_text(Split s, int64_t example) const override { return std::string(split(s).target_text.text(example)); }
    std::vector<std::string> references(Split s, int64_t example) const override {
        const PairSplit& pairs = split(s);
        if (pairs.same_source.empty())
            return {target_text(s, example)};
        require_example(s, example);
        std::vector<std::string> texts;
        for (int32_t same : pairs.same_source[example]) texts.push_back(target_text(s, same));
        return texts;
    }
    std::vector<std::string> cut_target(std::string_view text) const override {
        require_utf8(text, Place{});
        return p_.target->cut(text);
    }
    Ids encode_sources(std::span<const std::string> lines) const override {
        std::vector<std::vector<int32_t>> rows;
        rows.reserve(lines.size());
        for (const std::string& line : lines) {
            const Place place{"", static_cast<int64_t>(rows.size()) + 1};
            rows.push_back(p_.source->encode(p_.source_line ? p_.source_line(line, place) : line, place));
        }
        return pad_sequences(rows);
    }
    std::string decode_target(std::span<const int32_t> ids) const override { return p_.target->decode(ids); }
    std::vector<std::string> source_symbols(std::span<const int32_t> ids) const override { return p_.source->symbols(ids); }
    std::vector<std::string> target_symbols(std::span<const int32_t> ids) const override { return p_.target->symbols(ids); }

    std::vector<Range> gold_alignment(Split s, int64_t example) const override {
        const PairSplit& pairs = split(s);
        require_example(s, example);
        if (pairs.gold.empty())
            return {};
        const auto ranges = pairs.gold[example];
        return {ranges.begin(), ranges.end()};
    }
    std::vector<TargetPart> target_parts() const override { return p_.parts; }
    int64_t decode_limit(int64_t source_length) const override { return p_.limit_factor * source_length + p_.limit_constant; }

    std::vector<std::string> describe() const override {
        std::vector<std::string> lines;
        for (Split s : {Split::train, Split::valid, Split::test}) {
            const PairSplit& pairs = split(s);
            if (pairs.target.empty())
                continue;
            lines.push_back(fmt::format("{}: {} examples, {:.1f} source and {:.1f} target symbols each", split_name(s),
                                        pairs.target.size(), mean(pairs.source), mean(pairs.target)));
            if (!pairs.same_source.empty())
                lines.push_back(fmt::format("{}: {} different sources; decoded text is scored once a source", split_name(s),
                                            std::ranges::count_if(std::views::iota(int64_t{0}, pairs.same_source.size()),
                                                                  [&](int64_t i) { return pairs.same_source.length(i) > 0; })));
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
    void require_example(Split s, int64_t example) const { Task::require_example(p_.name, s, example); }
    const PairSplit& split(Split s) const { return p_.splits[static_cast<std::size_t>(s)]; }
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

void note_longest(PairSplit& split, int64_t source, int64_t target, FunctionRef<std::string()> source_place,
                  FunctionRef<std::string()> target_place) {
    LongestExample& longest = split.longest;
    if (source > longest.source.symbols)
        longest.source = {source, source_place()};
    if (target + 1 > longest.input.symbols)  // bos comes first
        longest.input = {target + 1, target_place()};
}

void group_by_source(PairSplit& split) {
    std::unordered_map<std::string_view, std::vector<int32_t>> groups;
    for (int32_t i = 0; i < split.target.size(); ++i) groups[split.source_text.text(i)].push_back(i);
    split.same_source = {};
    for (int32_t i = 0; i < split.target.size(); ++i) {
        const std::vector<int32_t>& group = groups.at(split.source_text.text(i));
        split.same_source.add(group.front() == i ? std::span(group) : std::span<const int32_t>());
    }
}

std::unique_ptr<Task> make_task(PairTask pairs) {
    ensure(pairs.source && pairs.target, "{}: a pair task needs two tokenizers: source {}, target {}", pairs.name,
           pairs.source ? 1 : 0, pairs.target ? 1 : 0);
    return std::make_unique<TaskOfPairs>(std::move(pairs));
}

}  // namespace attend
