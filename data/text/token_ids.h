#pragma once
/// The ids of a corpus, two bytes each where the vocabulary allows.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/error.h"

namespace attend::inline ATTEND_PRECISION {

class TokenIds {
  public:
    /// No ids yet, of a vocabulary of that size.
    explicit TokenIds(int64_t vocabulary = 0) : narrow_(vocabulary <= int64_t{1} << 16) {}

    int64_t size() const { return static_cast<int64_t>(narrow_ ? two_bytes_.size() : four_bytes_.size()); }
    void add(std::span<const int32_t> ids) {
        if (narrow_)
            for (int32_t id : ids) two_bytes_.push_back(static_cast<uint16_t>(id));
        else
            four_bytes_.insert(four_bytes_.end(), ids.begin(), ids.end());
    }
    /// Ids [begin, begin + count) to `to`. Throws Error unless they are there.
    void copy(int64_t begin, int64_t count, int32_t* to) const {
        require(begin >= 0 && count >= 0 && begin <= size() - count, "token ids: out of range: ids [{}, {}), there are {}",
                begin, begin + count, size());
        if (narrow_)
            std::copy_n(two_bytes_.begin() + begin, count, to);
        else
            std::copy_n(four_bytes_.begin() + begin, count, to);
    }

  private:
    bool narrow_;
    std::vector<uint16_t> two_bytes_;
    std::vector<int32_t> four_bytes_;
};

}  // namespace attend::inline ATTEND_PRECISION
