/// What the forward and the backward of fused attention share: where a head lies, which keys the queries of a tile see, scores
/// under masks, and blocks of keys packed as tiles reach them; compiled once per instruction set.
#if defined(ATTEND_KERNELS_ATTENTION_TILES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTEND_KERNELS_ATTENTION_TILES_INL_H
#undef ATTEND_KERNELS_ATTENTION_TILES_INL_H
#else
#define ATTEND_KERNELS_ATTENTION_TILES_INL_H
#endif

#include <algorithm>

#include "core/kernels/fused_attention.h"
#include "core/kernels/philox-inl.h"
#include "core/kernels/tile-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

constexpr int64_t tile = attention_tile, block = attention_block;
constexpr int64_t row_groups = tile / product_rows;

/// Where one head of one example lies.
struct Head {
    const real *q, *k, *v;
    int64_t q_offset, kv_offset, y_offset, sums_offset;
    int64_t example, number;
    real slope;
};
HWY_INLINE Head head_of(const Attention& a, int64_t example, int64_t number) {
    Head h;
    h.q_offset = example * a.queries * a.q_stride + number * a.head_size;
    h.kv_offset = example * a.keys * a.kv_stride + number / (a.heads / a.key_heads) * a.head_size;
    h.y_offset = (example * a.queries * a.heads + number) * a.head_size;
    h.sums_offset = (example * a.heads + number) * a.queries;
    h.q = a.q + h.q_offset;
    h.k = a.k + h.kv_offset;
    h.v = a.v + h.kv_offset;
    h.example = example;
    h.number = number;
    h.slope = a.alibi == nullptr ? 0 : a.alibi[number];
    return h;
}

/// The keys each query of a tile sees; rows after the last query see none.
struct Window {
    int64_t first = 0, rows = 0;  // queries of the tile
    int32_t begin[tile], end[tile];
    int64_t least = 0, most = 0;  // keys any of them sees
};
HWY_INLINE void look(const Attention& a, int64_t example, int64_t first, Window& w) {
    w.first = first;
    w.rows = std::min(tile, a.queries - first);
    int32_t least = static_cast<int32_t>(a.keys), most = 0;
    for (int64_t i = 0; i < tile; ++i) {
        Range r{0, static_cast<int32_t>(i < w.rows ? a.keys : 0)};
        if (a.ranges != nullptr && i < w.rows)
            r = a.ranges[example * a.queries + first + i];
        w.begin[i] = r.begin;
        w.end[i] = r.end;
        if (r.begin < r.end) {
            least = std::min(least, r.begin);
            most = std::max(most, r.end);
        }
    }
    w.least = least;
    w.most = std::max(least, most);
}

/// The part of a block of keys that product_rows queries see: keys begin ... end of the block, and
/// the columns that whole vectors over them take.
struct Span {
    int64_t begin, end, first_column = 0, last_column = 0;
    bool whole = true;  // every query sees every one of these columns
    bool empty() const { return begin >= end; }
};
HWY_INLINE Span span_of(const Window& w, int64_t group, int64_t first_key, int64_t keys) {
    Span s{keys, 0};
    int64_t inner_begin = 0, inner_end = keys;
    for (int64_t i = group * product_rows; i < (group + 1) * product_rows; ++i) {
        const int64_t begin = std::clamp<int64_t>(w.begin[i] - first_key, 0, keys);
        const int64_t end = std::clamp<int64_t>(w.end[i] - first_key, 0, keys);
        inner_begin = std::max(inner_begin, begin);
        inner_end = std::min(inner_end, begin < end ? end : 0);
        if (begin < end) {
            s.begin = std::min(s.begin, begin);
            s.end = std::max(s.end, end);
        }
    }
    if (!s.empty()) {
        s.first_column = s.begin / lanes * lanes;
        s.last_column = (s.end + lanes - 1) / lanes * lanes;
        s.whole = inner_begin <= s.first_column && inner_end >= s.last_column;
    }
    return s;
}

/// Columns [from, to) become 0; whole vectors.
HWY_INLINE void clear(real* row, int64_t from, int64_t to) {
    for (int64_t j = from; j < to; j += lanes) hn::Store(hn::Zero(d), d, row + j);
}

/// Whether a query sees any key of a span.
HWY_INLINE bool sees(const Window& w, int64_t row, int64_t first_key, const Span& s) {
    return w.begin[row] < w.end[row] && w.begin[row] < first_key + s.end && w.end[row] > first_key + s.begin;
}

/// score(column, j) of one query over the columns of a span: what the query does not see is
/// -infinity, the position bias is added. body(score, j) takes them.
template <class Body>
HWY_INLINE void masked_scores(const Attention& a, const Head& h, const Window& w, int64_t row, int64_t first_key, const Span& s,
                              const real* scores, Body body) {
    if (s.whole && a.alibi == nullptr) {
        for (int64_t j = s.first_column; j < s.last_column; j += lanes) body(hn::Load(d, scores + j), j);
        return;
    }
    const V begin = set(static_cast<real>(w.begin[row] - first_key)), end = set(static_cast<real>(w.end[row] - first_key));
    const V slope = set(h.slope), shift = set(static_cast<real>(first_key - a.first_position - w.first - row));
    for (int64_t j = s.first_column; j < s.last_column; j += lanes) {
        const V column = hn::Iota(d, static_cast<real>(j));
        const V score = hn::MulAdd(slope, column + shift, hn::Load(d, scores + j));
        const auto seen = hn::And(column >= begin, column < end);
        body(hn::IfThenElse(seen, score, set(-infinity)), j);
    }
}

/// The words of a query's weights over the columns of a span: words[j] decides on column j.
HWY_INLINE void draw_row(const Attention& a, const Head& h, int64_t query, int64_t first_key, const Span& s, uint32_t* words) {
    static_assert(tile % drawn == 0);
    // Every head draws from a stream of its own.
    const RoundKeys keys({a.draws.key.a + 0x85EBCA6B * static_cast<uint32_t>(h.number), a.draws.key.b});
    for (int64_t j = s.first_column / drawn * drawn; j < s.last_column; j += drawn)
        philox_words(a.draws.counter(h.example, (query << 16) + (first_key + j) / 4), keys, words + j);
}

/// Working memory, handed out piece by piece.
struct Arena {
    real* next;
    HWY_INLINE real* take(int64_t n) {
        real* p = next;
        next += n;
        return p;
    }
};

/// Blocks of `width` keys, packed one after the other as tiles reach them. They lie in a ring of
/// `slots`: as many as one tile sees, so that what a sliding window works on stays in the caches
/// however long the row is; see attention_slots().
struct KeyBlocks {
    int64_t width, slots, count;  // count: blocks of all keys
    int64_t next = 0;             // the first block that is not packed yet

    bool all_stay() const { return slots == count; }
    /// Which row of the packed arrays the first key of a block has.
    int64_t row_of(int64_t first_key) const { return first_key / width % slots * width; }
    /// Where the tile reaches to, in blocks.
    HWY_INLINE int64_t reached(const Window& w) const { return w.least < w.most ? (w.most + width - 1) / width : 0; }
};

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
