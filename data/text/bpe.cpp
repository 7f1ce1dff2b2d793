#include "data/text/bpe.h"

#include <algorithm>
#include <bit>
#include <queue>

#include "core/base/error.h"
#include "core/base/interruption.h"
#include "data/text/byte_level.h"

namespace attend {

namespace {

constexpr std::size_t short_word = 48;  // bytes

uint64_t key_of(int32_t left, int32_t right) {
    return (uint64_t{static_cast<uint32_t>(left)} << 32) | static_cast<uint32_t>(right);
}

// The finisher of splitmix64.
uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

}  // namespace

BytePairEncoder::BytePairEncoder(const BpeModel& model, std::string_view where) {
    TextMap<int32_t> ids;
    for (std::size_t i = 0; i < model.tokens.size(); ++i) {
        const auto [at, fresh] = ids.emplace(model.tokens[i], static_cast<int32_t>(i));
        require(fresh, "{}: a token appears twice: '{}' has ids {} and {}", where, to_letters(model.tokens[i]), at->second, i);
    }
    unreachable_ = ids;
    for (int b = 0; b < 256; ++b) {
        const std::string byte(1, static_cast<char>(b));
        const auto at = ids.find(byte);
        require(at != ids.end(), "{}: a byte has no token: byte {:#04x}, written '{}', tokens {}", where, b, to_letters(byte),
                ids.size());
        bytes_[static_cast<std::size_t>(b)] = at->second;
        unreachable_.erase(byte);
    }
    table_.resize(std::bit_ceil(model.merges.size() * 2 + 2));
    for (std::size_t rank = 0; rank < model.merges.size(); ++rank) {
        const auto [left, right] = model.merges[rank];
        const std::string &l = model.tokens.at(static_cast<std::size_t>(left)),
                          &r = model.tokens.at(static_cast<std::size_t>(right));
        const auto made = ids.find(l + r);
        require(made != ids.end(), "{}: a merge makes what is no token: merge number {} of '{}' and '{}', tokens {}", where,
                rank + 1, to_letters(l), to_letters(r), ids.size());
        Merge& free = const_cast<Merge&>(find(left, right));
        require(free.rank == no_rank, "{}: a merge appears twice: '{}' and '{}' are merges number {} and {}", where,
                to_letters(l), to_letters(r), int64_t{free.rank} + 1, rank + 1);
        free = {key_of(left, right), static_cast<int32_t>(rank), made->second};
        unreachable_.erase(l + r);
    }
}

// The merge of two neighbours, or the free place where it would stand (whose rank is no_rank).
const BytePairEncoder::Merge& BytePairEncoder::find(int32_t left, int32_t right) const {
    const uint64_t pair = key_of(left, right);
    const std::size_t mask = table_.size() - 1;
    std::size_t at = mixed(pair) & mask;
    while (table_[at].rank != no_rank && table_[at].pair != pair) at = (at + 1) & mask;
    return table_[at];
}

void BytePairEncoder::encode(std::string_view word, std::vector<int32_t>& ids) const {
    const auto id_of = [&](char c) { return bytes_[static_cast<unsigned char>(c)]; };
    if (word.size() <= short_word) {
        std::array<int32_t, short_word> symbols;  // no memory is asked for a word
        std::ranges::transform(word, symbols.begin(), id_of);
        encode_short(std::span(symbols).first(word.size()), ids);
    } else {
        std::vector<int32_t> symbols(word.size());
        std::ranges::transform(word, symbols.begin(), id_of);
        encode_long(std::move(symbols), ids);
    }
}

// Looks at all neighbours in every round: the fastest way for words as they are.
void BytePairEncoder::encode_short(std::span<int32_t> symbols, std::vector<int32_t>& ids) const {
    std::array<const Merge*, short_word> merges;
    std::size_t n = symbols.size();
    for (std::size_t i = 0; i + 1 < n; ++i) merges[i] = &find(symbols[i], symbols[i + 1]);
    while (n > 1) {
        int32_t best = no_rank;
        for (std::size_t i = 0; i + 1 < n; ++i) best = std::min(best, merges[i]->rank);
        if (best == no_rank)
            break;
        for (std::size_t i = 0; i + 1 < n; ++i) {
            if (merges[i]->rank != best)
                continue;
            symbols[i] = merges[i]->id;
            std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 2, symbols.begin() + static_cast<std::ptrdiff_t>(n),
                      symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            std::copy(merges.begin() + i + 1, merges.begin() + n - 1, merges.begin() + i);
            --n;
            if (i > 0)
                merges[i - 1] = &find(symbols[i - 1], symbols[i]);
            if (i + 1 < n)
                merges[i] = &find(symbols[i], symbols[i + 1]);
        }
    }
    ids.insert(ids.end(), symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(n));
}

// The same with a heap of merges by (rank, place), for texts without spaces: n log n.
void BytePairEncoder::encode_long(std::vector<int32_t> symbols, std::vector<int32_t>& ids) const {
    constexpr int32_t gone = -1;
    const auto n = static_cast<int32_t>(symbols.size());
    std::vector<int32_t> next(symbols.size()), before(symbols.size());
    struct Candidate {
        int32_t rank, at, left, right;
        bool operator>(const Candidate& o) const { return rank != o.rank ? rank > o.rank : at > o.at; }
    };
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    const auto symbol = [&](int32_t at) -> int32_t& { return symbols[static_cast<std::size_t>(at)]; };
    const auto follower = [&](int32_t at) -> int32_t& { return next[static_cast<std::size_t>(at)]; };
    const auto offer = [&](int32_t at) {
        if (at < 0 || follower(at) == n)
            return;
        const int32_t left = symbol(at), right = symbol(follower(at));
        if (const Merge& merge = find(left, right); merge.rank != no_rank)
            queue.push({merge.rank, at, left, right});
    };
    for (int32_t i = 0; i < n; ++i) {
        follower(i) = i + 1;
        before[static_cast<std::size_t>(i)] = i - 1;
    }
    for (int32_t i = 0; i < n; ++i) offer(i);
    std::vector<int32_t> touched;
    while (!queue.empty()) {
        interruption_point();
        // One round: all places of one merge before any that it makes possible.
        const int32_t rank = queue.top().rank;
        touched.clear();
        for (; !queue.empty() && queue.top().rank == rank; queue.pop()) {
            const Candidate p = queue.top();
            if (symbol(p.at) != p.left || follower(p.at) == n || symbol(follower(p.at)) != p.right)
                continue;
            const int32_t right = follower(p.at), after = follower(right);
            symbol(p.at) = find(p.left, p.right).id;
            symbol(right) = gone;
            follower(p.at) = after;
            if (after < n)
                before[static_cast<std::size_t>(after)] = p.at;
            touched.push_back(p.at);
        }
        for (int32_t at : touched)
            if (symbol(at) != gone) {
                offer(before[static_cast<std::size_t>(at)]);
                offer(at);
            }
    }
    for (int32_t at = 0; at < n; at = follower(at)) ids.push_back(symbol(at));
}

}  // namespace attend
