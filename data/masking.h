#pragma once
/// Corruption of text for masked language models (Devlin 2018, 3.1, task 1).
#include <span>

#include "core/base/random.h"
#include "core/base/range.h"
#include "data/text/tokenizer.h"

namespace attend {

/// The draws of one row: words number 0, 1, ... of counters (i, a, b, c), whatever other rows drew.
class RowDraws {
  public:
    RowDraws(Key key, uint32_t a, uint32_t b, uint32_t c) : key_(key), a_(a), b_(b), c_(c) {}
    uint32_t next() {
        const uint32_t word = position_++;
        if (word % 4 == 0)
            block_ = philox({word / 4, a_, b_, c_}, key_);
        return block_[word % 4];
    }
    /// 0 ... n - 1 of 64 bits modulo n, n >= 1: the bias is below n / 2^64.
    int64_t below(int64_t n) {
        const uint64_t high = next(), low = next();
        return static_cast<int64_t>(((high << 32) | low) % static_cast<uint64_t>(n));
    }

  private:
    Key key_;
    uint32_t a_, b_, c_;
    uint32_t position_ = 0;
    std::array<uint32_t, 4> block_{};
};

struct Masking {
    double share = 0.15;
    bool whole_word = false;
    int32_t mask = 0;  ///< id of the mask token
};

/// Chooses max(1, round(share * n)) of the n positions in `texts` without replacement, writes their
/// ids to `target`, and changes them in `input`: with probability 0.8 to the mask, 0.1 to an id
/// drawn from the whole vocabulary, 0.1 not at all. With `whole_word` the words
/// (Tokenizer::continues_word) are chosen, in random order, each one that does not exceed that
/// count, and the first one where all do. No other element of `target` is written. `input` and
/// `target` have the same length.
void mask_tokens(std::span<int32_t> input, std::span<int32_t> target, std::span<const Range> texts, const Tokenizer& tokenizer,
                 const Masking& masking, RowDraws& draws);

}  // namespace attend
