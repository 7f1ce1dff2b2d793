#include "nn/attention/head_group.h"

namespace attend::ATTEND_PRECISION {

int64_t query_parts(const std::string& path, std::span<const AttentionOptions> each, int64_t head_size) {
    const AttentionOptions& first = each.front();
    for (const AttentionOptions& o : each)
        require(
            o.gate == first.gate && o.talking == first.talking && o.differential == first.differential,
            "{}: all heads of a layer have one gate, and all or none are talking or differential: gate {} and {}, talking {} "
            "and {}, differential {} and {}",
            path, first.gate, o.gate, first.talking, o.talking, first.differential, o.differential);
    require(!first.differential || head_size % 2 == 0,
            "{}: differential attention compares halves of queries and keys, so the head size must be even: head size {}", path,
            head_size);
    return first.differential ? 2 : 1;
}

std::unique_ptr<const HeadGroup> head_group(const Scope& scope, std::span<const Attention> heads, int64_t head_size) {
    const AttentionOptions& all = heads.front().factors;
    const char* name = all.talking ? "talking" : "differential";
    require(!(all.talking && all.differential),
            "{}: talking heads mix one map a head, and differential heads have two: talking {}, differential {}; no paper "
            "defines both together",
            scope.path(), all.talking, all.differential);
    for (const Attention& head : heads)
        require(!(all.talking || all.differential) || head.select->reads_weights(),
                "{}: select '{}' draws from the weights, and those of {} heads are no distribution: heads {}", scope.path(),
                head.factors.select.name(), name, heads.size());
    if (all.talking)
        return talking_heads(scope.in(name), heads);
    if (all.differential)
        return differential_heads(scope.in(name), static_cast<int64_t>(heads.size()), head_size, heads.front().site.layer);
    return nullptr;
}

}  // namespace attend::ATTEND_PRECISION
