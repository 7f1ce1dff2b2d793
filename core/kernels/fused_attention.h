#pragma once
#include "core/base/random.h"
#include "core/base/range.h"
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// One call of multi-head attention over rows read in place: query t of example b and head h at q +
/// (b * queries + t) * q_stride + h * head_size, key s of key head g at k + (b * keys + s) *
/// kv_stride + g * head_size, its value the same from v. Query head h reads key head h / (heads /
/// key_heads).
struct Attention {
    int64_t batch = 0, queries = 0, keys = 0, heads = 0, key_heads = 0, head_size = 0;
    const real* q = nullptr;
    int64_t q_stride = 0;
    const real* k = nullptr;
    const real* v = nullptr;
    int64_t kv_stride = 0;
    real scale = 1;
    const real* alibi = nullptr;    ///< [heads] slopes, or null
    int64_t first_position = 0;     ///< of query 0; key s is at position s
    const Range* ranges = nullptr;  ///< [batch * queries], within [0, keys]; null: all keys
    real dropout = 0;
    Draws draws;  ///< read when dropout > 0
};

/// Queries of one tile, and keys of one in the backward; keys that the forward takes at a time.
constexpr int64_t attention_tile = 64, attention_block = 128;
/// A head's columns in packed arrays: whole lines of memory.
constexpr int64_t attention_columns(int64_t head_size) {
    constexpr int64_t line = 64 / sizeof(real);
    return (head_size + line - 1) / line * line;
}
/// Blocks of `width` keys that have to be packed at the same time: the most that one tile sees, where
/// no tile begins before the one before it and each query head has keys of its own; else all blocks.
int64_t attention_slots(const Attention& call, int64_t width);
/// Elements of working memory: linear in the keys that one tile of queries sees (attention_slots), at
/// least one number for each key; whatever the queries, batch and heads.
int64_t attention_workspace(const Attention& call);
int64_t attention_backward_workspace(const Attention& call);

/// y[b, t, h, :] = sum_s p_ts v_s, p_t = softmax over the range of t of e_ts = scale q_t k_s -
/// alibi_h (first + t - s) (Vaswani et al. 2017, eq. 1; Press et al. 2022, section 3), by tiles
/// with running maximum and sum (Milakov and Gimelshein 2018; Dao et al. 2022, algorithm 1). With
/// dropout the weights that are read are p m / (1 - P), the mask m a function of (example, head, t,
/// s) alone: word s mod 4 of philox at group (t << 16) + s / 4 of row b, under the key of the head.
/// y [batch, queries, heads * head_size]; log_sums [batch, heads, queries]: ln sum_s e^e_ts, for
/// the backward. An empty range gives zeros. workspace: attention_workspace()
/// elements, 64-byte aligned.
extern Kernel<void(const Attention& call, real* y, real* log_sums, real* workspace)> attention;

/// With P recomputed, D_t = dy_t y_t: dv_s (=|+=) sum_t p'_ts dy_t, dp'_ts = dy_t v_s, de_ts = p_ts
/// (m / (1 - P) dp'_ts - D_t), dq_t (=|+=) scale sum_s de_ts k_s, dk_s (=|+=) scale sum_t de_ts q_t
/// (Dao et al. 2022, algorithm 4). dq has q's strides, dk and dv those of k and v; each may be
/// nothing. workspace: attention_backward_workspace() elements.
extern Kernel<void(const Attention& call, const real* y, const real* log_sums, const real* dy, Destination dq, Destination dk,
                   Destination dv, real* workspace)>
    attention_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
