#pragma once
/// Byte pair encoding (Sennrich 2016, algorithm 1) over bytes (Radford 2019, 2.2). A word begins as
/// its bytes; the two neighbours whose merge has the lowest rank become one, at all their places
/// from left to right, until no neighbours have a merge.
#include <array>
#include <utility>
#include <vector>

#include "data/text/vocabulary.h"

namespace attend {

/// A vocabulary of byte strings and the merges that make them.
struct BpeModel {
    std::vector<std::string> tokens;                  ///< by id
    std::vector<std::pair<int32_t, int32_t>> merges;  ///< ids of the two neighbours, by rank
};

/// How often each word occurs in a text.
using WordCounts = TextMap<int64_t>;

/// Learns at most `merges` merges from words and their counts: always that of the most frequent
/// neighbours (of equally frequent ones those of the lowest ids), as long as some pair occurs
/// twice. Ids: the 256 bytes, then the merged tokens in the order of their making. Words beyond
/// 1,024 bytes are looked at in parts of that size.
BpeModel learn_bpe(const WordCounts& words, int64_t merges);

class BytePairEncoder {
  public:
    /// `where` is what the model was read from, for messages. Throws Error for a byte without a
    /// token, a merge whose result is no token, and one that appears twice; a token that appears
    /// twice.
    BytePairEncoder(const BpeModel& model, std::string_view where);

    /// Appends the ids of one word to `ids`.
    void encode(std::string_view word, std::vector<int32_t>& ids) const;
    /// The tokens that no word is ever encoded to: neither a byte nor made by a merge.
    /// "<|endoftext|>" is one.
    const TextMap<int32_t>& unreachable() const { return unreachable_; }

  private:
    static constexpr int32_t no_rank = 0x7fffffff;
    struct Merge {
        uint64_t pair = ~uint64_t{0};
        int32_t rank = no_rank, id = 0;
    };
    const Merge& find(int32_t left, int32_t right) const;
    void encode_short(std::span<int32_t> symbols, std::vector<int32_t>& ids) const;
    void encode_long(std::vector<int32_t> symbols, std::vector<int32_t>& ids) const;

    std::array<int32_t, 256> bytes_{};
    std::vector<Merge> table_;  // open addressing; a power of two, at most half full
    TextMap<int32_t> unreachable_;
};

}  // namespace attend
