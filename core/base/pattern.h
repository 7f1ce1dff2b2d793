#pragma once
/// A selection for each head of each layer of a stack: one for all, or a list that is repeated.
#include <string>
#include <vector>

#include "core/base/options.h"

namespace attend {

/// Written A, or as a list of layers [A, B], where an element can be a list of heads: [[A, B], C].
/// Layer i takes element i modulo the length of the list, and head j of that layer takes element j
/// modulo the length of its list. A value, stored in its shortest form: [A, A] is A. All selections
/// are of one seam.
class Pattern {
  public:
    /// The heads of one layer.
    using Layer = std::vector<Selection>;

    /// One for all; by the row's name with its defaults (throws Error when there is no such row).
    Pattern(Selection all);
    Pattern(const Seam& seam, const std::string& name);
    /// Throws MachineError for a list that is empty, or of several seams.
    explicit Pattern(std::vector<Layer> layers);

    const Seam& seam() const { return first().seam(); }
    const Selection& at(int64_t layer, int64_t head) const;
    const Selection& first() const { return layers_[0][0]; }
    /// Whether any two layers, or any two heads of one layer, are not the same.
    bool layers_differ() const { return layers_.size() > 1; }
    bool heads_differ() const;
    bool uniform() const { return !layers_differ() && !heads_differ(); }
    /// In the shortest form: no list is a repetition of a shorter one.
    const std::vector<Layer>& layers() const { return layers_; }

    /// Throws Error, beginning with `where`, when a list has more elements than the stack has layers
    /// or than a layer has heads: the rest would not be used.
    void require_used(int64_t layers, int64_t heads, const std::string& where) const;

    /// Equal for every layer and head.
    bool operator==(const Pattern& other) const;

  private:
    std::vector<Layer> layers_;
};

/// In one line, the same for equal patterns alone: "[linear, [dot, none]]".
std::string text_of(const Pattern& pattern);

}  // namespace attend
