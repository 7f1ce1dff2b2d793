#pragma once
/// What the heads of a block's layer do together between scores and values: mix (talking.cpp), or compare two maps each
/// (differential.cpp). Most layers have no group: each head reads by itself.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/attention/attention.h"

namespace attend::ATTEND_PRECISION {

class HeadGroup {
  public:
    virtual ~HeadGroup() = default;
    /// What each head read, of an input a head. Its map, as seen, is what its values were read with.
    virtual std::vector<Attended> operator()(std::span<const Attention> heads, std::span<const HeadInput> inputs,
                                             const Pass& pass) const = 0;
    /// The heads' contexts side by side [B, T, H K] as the gate and the layer `out` get them.
    virtual Tensor finished(const Tensor& contexts) const { return contexts; }
};

/// Into how many parts, each compared by itself, queries and keys of a head of `head_size` columns are divided. Throws Error
/// where they cannot be, or where the heads of the layer at `path` differ in what they do together.
int64_t query_parts(const std::string& path, std::span<const AttentionOptions> each, int64_t head_size);

/// As the options of the heads say, which agree; null: each reads by itself. Parameters in `scope`.`talking` or
/// `scope`.`differential`. Throws Error, with the reason, for factors that do not go with it.
std::unique_ptr<const HeadGroup> head_group(const Scope& scope, std::span<const Attention> heads, int64_t head_size);

/// The groups. `layer` counts from 0.
std::unique_ptr<const HeadGroup> talking_heads(const Scope& scope, std::span<const Attention> heads);
std::unique_ptr<const HeadGroup> differential_heads(const Scope& scope, int64_t heads, int64_t head_size, int64_t layer);

}  // namespace attend::ATTEND_PRECISION
