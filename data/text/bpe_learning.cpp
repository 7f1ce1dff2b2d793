#include <algorithm>
#include <queue>

#include "core/base/error.h"
#include "core/base/interruption.h"
#include "data/text/bpe.h"

namespace attend {

namespace {

constexpr std::size_t longest_word = 1024;
using Pair = std::pair<int32_t, int32_t>;

struct PairHash {
    std::size_t operator()(const Pair& p) const {
        const uint64_t key = (uint64_t{static_cast<uint32_t>(p.first)} << 32) | static_cast<uint32_t>(p.second);
        return static_cast<std::size_t>((key ^ (key >> 29)) * 0xbf58476d1ce4e5b9ull);
    }
};

// The words as symbols, and how often two symbols are neighbours in them. A merge changes only the
// words that contain it.
class Learner {
  public:
    explicit Learner(const WordCounts& words) {
        for (const auto& [word, count] : words)
            for (std::size_t begin = 0; begin < word.size(); begin += longest_word) {
                Word w{.symbols = {}, .count = count};
                for (char c : std::string_view(word).substr(begin, longest_word))
                    w.symbols.push_back(static_cast<unsigned char>(c));
                words_.push_back(std::move(w));
            }
        require(words_.size() < std::size_t{1} << 31, "bpe: too many different words: words {}, allowed below {}",
                words_.size(), std::size_t{1} << 31);
        for (std::size_t i = 0; i < words_.size(); ++i)
            for (std::size_t place = 0; place + 1 < words_[i].symbols.size(); ++place) count(static_cast<int32_t>(i), place, 1);
        for (const auto& [pair, entry] : pairs_) queue_.push({entry.count, pair});
    }

    // The most frequent pair; its count is 0 when there is none any more.
    std::pair<Pair, int64_t> best() {
        while (!queue_.empty()) {
            const Candidate top = queue_.top();
            queue_.pop();
            const int64_t now = pairs_.at(top.pair).count;
            if (now == top.count)
                return {top.pair, now};
            if (now > 0)
                queue_.push({now, top.pair});
        }
        return {{}, 0};
    }

    void merge(const Pair& pair, int32_t id) {
        std::vector<int32_t> holders = std::move(pairs_.at(pair).words);
        std::ranges::sort(holders);
        holders.erase(std::ranges::unique(holders).begin(), holders.end());
        std::vector<Pair> risen;
        for (int32_t w : holders) {
            interruption_point();
            merge_in(w, pair, id, risen);
        }
        // Only pairs with the new symbol can have become more frequent; a lower count is found out
        // when its pair is on top.
        std::ranges::sort(risen);
        risen.erase(std::ranges::unique(risen).begin(), risen.end());
        for (const Pair& p : risen) queue_.push({pairs_.at(p).count, p});
    }

  private:
    struct Word {
        std::vector<int32_t> symbols;
        int64_t count;
    };
    struct Entry {
        int64_t count = 0;
        std::vector<int32_t> words;  // that contained it once, some more than once
    };
    struct Candidate {
        int64_t count;
        Pair pair;
        bool operator<(const Candidate& o) const { return count != o.count ? count < o.count : pair > o.pair; }
    };

    // Adds the pair at a place of a word, or takes it away.
    void count(int32_t word, std::size_t place, int64_t sign) {
        const Word& w = words_[static_cast<std::size_t>(word)];
        Entry& entry = pairs_[{w.symbols[place], w.symbols[place + 1]}];
        entry.count += sign * w.count;
        if (sign > 0 && (entry.words.empty() || entry.words.back() != word))
            entry.words.push_back(word);
    }

    // Only the pairs that touch what is merged are counted anew: a word without spaces can be long.
    void merge_in(int32_t word, const Pair& pair, int32_t id, std::vector<Pair>& risen) {
        std::vector<int32_t>& symbols = words_[static_cast<std::size_t>(word)].symbols;
        merged_.clear();
        for (std::size_t at = 0; at + 1 < symbols.size(); ++at)
            if (Pair(symbols[at], symbols[at + 1]) == pair)
                merged_.push_back(at++);  // what follows is merged, too
        // Counts, each once, the pairs that begin one place before a merge or up to `end` after it.
        const auto count_around = [&](std::size_t end, int64_t sign) {
            std::size_t place = 0;
            for (const std::size_t m : merged_)
                for (place = std::max(place, m - std::min<std::size_t>(m, 1)); place < std::min(m + end, symbols.size() - 1);
                     ++place) {
                    count(word, place, sign);
                    if (sign > 0)
                        risen.push_back({symbols[place], symbols[place + 1]});
                }
        };
        count_around(2, -1);
        std::size_t next = 0, to = 0;  // of merged_, of symbols
        for (std::size_t from = 0; from < symbols.size(); ++to) {
            const bool here = next < merged_.size() && merged_[next] == from;
            symbols[to] = here ? id : symbols[from];
            from += here ? 2 : 1;
            if (here)
                merged_[next++] = to;
        }
        symbols.resize(to);
        count_around(1, 1);
    }

    std::vector<Word> words_;
    std::vector<std::size_t> merged_;  // places in the word at hand
    std::unordered_map<Pair, Entry, PairHash> pairs_;
    std::priority_queue<Candidate> queue_;
};

}  // namespace

BpeModel learn_bpe(const WordCounts& words, int64_t merges) {
    BpeModel model;
    TextMap<int32_t> ids;
    const auto id_of = [&](std::string token) {
        const auto [at, fresh] = ids.emplace(std::move(token), static_cast<int32_t>(model.tokens.size()));
        if (fresh)
            model.tokens.push_back(at->first);
        return at->second;
    };
    for (int b = 0; b < 256; ++b) id_of(std::string(1, static_cast<char>(b)));
    Learner learner(words);
    for (int64_t m = 0; m < merges; ++m) {
        const auto [pair, count] = learner.best();
        if (count < 2)
            break;
        const auto token = [&](int32_t id) { return model.tokens[static_cast<std::size_t>(id)]; };
        model.merges.push_back(pair);
        learner.merge(pair, id_of(token(pair.first) + token(pair.second)));
    }
    return model;
}

}  // namespace attend
