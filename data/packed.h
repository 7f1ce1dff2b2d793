#pragma once
/// Many short sequences end to end in one block: the lines of a file, the ids of a split.
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace attend {

template <class T>
class Packed {
  public:
    void add(std::span<const T> items) {
        items_.insert(items_.end(), items.begin(), items.end());
        ends_.push_back(items_.size());
    }
    /// Leaves the first `count` of them, of which there must be so many.
    void truncate(int64_t count) {
        items_.resize(begin(count));
        ends_.resize(static_cast<std::size_t>(count));
    }
    int64_t size() const { return static_cast<int64_t>(ends_.size()); }
    bool empty() const { return ends_.empty(); }
    /// Sum of the lengths.
    int64_t total() const { return static_cast<int64_t>(items_.size()); }
    int64_t length(int64_t i) const { return static_cast<int64_t>(end(i) - begin(i)); }
    /// Sequence i. Throws Error when there is none.
    std::span<const T> operator[](int64_t i) const {
        require(i >= 0 && i < size(), "packed sequences: no such sequence: asked for number {}, there are {}", i, size());
        return {items_.data() + begin(i), end(i) - begin(i)};
    }

  private:
    std::size_t begin(int64_t i) const { return i == 0 ? 0 : ends_[static_cast<std::size_t>(i) - 1]; }
    std::size_t end(int64_t i) const { return ends_[static_cast<std::size_t>(i)]; }
    std::vector<T> items_;
    std::vector<std::size_t> ends_;
};

using Sequences = Packed<int32_t>;

/// Texts end to end.
class Texts : public Packed<char> {
  public:
    void add(std::string_view text) { Packed<char>::add(std::span<const char>(text.data(), text.size())); }
    std::string_view text(int64_t i) const {
        const std::span<const char> s = (*this)[i];
        return {s.data(), s.size()};
    }
};

}  // namespace attend
