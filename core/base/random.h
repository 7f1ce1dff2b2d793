#pragma once
/// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
/// easy as 1, 2, 3"). A draw is a function of (seed, name, step, call, sample, row, element) alone:
/// it does not depend on the thread, the shard, or what was drawn before. Draws are made from 32
/// bits and then converted, so both precisions draw the same.
#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include "core/base/integers.h"

namespace attend {

/// 64-bit FNV-1a hash of a name, finished with a mixing step.
uint64_t hash_name(std::string_view name);

/// The Philox key of one named stream under one seed.
struct Key {
    uint32_t a = 0, b = 0;
};
Key stream_key(uint64_t seed, uint64_t name_hash);
inline Key stream_key(uint64_t seed, std::string_view name) { return stream_key(seed, hash_name(name)); }

using Counter = std::array<uint32_t, 4>;

/// Four 32-bit words for one counter value.
std::array<uint32_t, 4> philox(Counter counter, Key key);

/// [0, 1) with 24 bits: exact in float, so both precisions see the same number.
inline double unit_interval(uint32_t bits) { return static_cast<double>(bits >> 8) * 0x1p-24; }
/// (0, 1): as above, moved up half a step, so a logarithm is finite.
inline double open_interval(uint32_t bits) { return (static_cast<double>(bits >> 9) + 0.5) * 0x1p-23; }

/// Where a draw is found: everything but the element. Given to ops that draw (dropout, sampling).
struct Draws {
    Key key;
    uint32_t step = 0;      ///< training step
    uint32_t call = 0;      ///< call or time index, below 65,536
    uint32_t sample = 0;    ///< distinguishes passes over the same rows, below 65,536
    int64_t first_row = 0;  ///< this shard's first row in the whole batch

    /// The counter of element group `group` (four elements) of local row `row`.
    Counter counter(int64_t row, int64_t group) const {
        return {static_cast<uint32_t>(group), static_cast<uint32_t>(first_row + row), step, (call << 16) | sample};
    }
};

/// A sequential view of one named stream, for generating data, shuffling and initial values.
class Stream {
  public:
    Stream(uint64_t seed, std::string_view name) : key_(stream_key(seed, name)) {}
    /// Starts at draw number `position` of the stream `key`.
    explicit Stream(Key key, uint64_t position = 0) : key_(key), position_(position) {}

    uint32_t next();
    /// Uniform over 0 ... n-1 without bias (Lemire 2019). Throws Error unless 1 <= n <= 2^32 - 1.
    uint32_t below(uint32_t n);
    /// [0, 1), of 24 bits: exact in float.
    double uniform() { return unit_interval(next()); }
    /// low + (high - low) uniform(), computed in T.
    template <class T>
    requires(std::is_floating_point_v<T>) T uniform(T low, T high) { return low + (high - low) * static_cast<T>(uniform()); }
    /// Standard normal by Box and Muller.
    double normal();
    /// How many 32-bit words have been drawn.
    uint64_t position() const { return position_; }

    /// Fisher-Yates.
    template <class Container>
    void shuffle(Container& c) {
        for (std::size_t i = c.size(); i > 1; --i) std::swap(c[i - 1], c[below(static_cast<uint32_t>(i))]);
    }

  private:
    Key key_;
    uint64_t position_ = 0;
    std::array<uint32_t, 4> block_{};
    uint64_t block_number_ = ~uint64_t{0};
};

}  // namespace attend
