#pragma once
/// Every combination of the factors of attention, read from the tables: a new row is tested without a word here.
#include <functional>
#include <string>

#include "nn/multi_head.h"

namespace attend::ATTEND_PRECISION::combinations {

/// One combination, on sizes that a gradient check of all numbers can afford.
struct Combination {
    std::string score, bias, window, align, select;
    QueryKind kind;

    /// "additive + none + global + softmax + soft, parallel, own positions"
    std::string text() const;
    AttentionOptions options() const;
    /// Whether the declarations of the factors, each built by itself, allow it.
    bool legal() const;
    Attention build(ParameterStore& store) const;
};

inline constexpr int64_t width = 6, sources = 5, queries = 3;

/// Calls f for every combination, legal or not.
void for_each(const std::function<void(const Combination&)>& f);
/// The same for a sample that has every pair of factors: all where at most two factors differ from the first rows, and
/// one of every 40 others.
void for_each_of_sample(const std::function<void(const Combination&)>& f);

/// A combination in multi-head attention, with what its heads do together (nn/attention/head_group.h) and their gate. Two
/// heads read one head of keys and values.
struct HeadsCombination {
    Combination factors = {};  ///< of every head; its queries run in parallel
    std::string gate = "none";
    bool talking = false, differential = false;

    std::string text() const;
    AttentionOptions options() const;
    /// As Combination::legal().
    bool legal() const;
    /// Its parameters are moved from their first values: no matrix is left at 0.
    std::unique_ptr<MultiHead> build(ParameterStore& store) const;
};

inline constexpr int64_t heads_width = 8, heads_memory = 5;

/// Calls f for every combination with talking and with differential heads, and for each gate where no more than one factor
/// differs from the first rows.
void for_each_of_heads(const std::function<void(const HeadsCombination&)>& f);
/// The same for those where no more than one factor differs from the first rows, and for each gate of the first rows.
void for_each_of_heads_of_sample(const std::function<void(const HeadsCombination&)>& f);

/// The attention of queries [B, T, D] to a memory [B, S, D] with these lengths: all queries at once where they run in parallel,
/// else one step after the other. Own positions begin at `first`.
struct Played {
    Tensor contexts;  ///< [B, T, D]
    Tensor weights;   ///< [B, T, S] before any choice
    Tensor penalty;   ///< [B, T], or undefined
};
Played play(const Attention& attention, const Combination& c, const Tensor& query, const Tensor& memory,
            const Array<int32_t>& lengths, int64_t first, const Context& context);

}  // namespace attend::ATTEND_PRECISION::combinations
