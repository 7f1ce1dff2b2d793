#include "core/kernels/fused_attention.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/fused_attention.cpp"
#include "hwy/foreach_target.h"
// Behind foreach_target.h.
#include "core/kernels/philox-inl.h"
#include "core/kernels/tile-inl.h"
#include "core/kernels/vector-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace attend::inline ATTEND_PRECISION::kernels::HWY_NAMESPACE {

constexpr int64_t tile = attention_tile;
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

/// The keys each query of a tile sees; rows behind the last query see none.
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

/// The part of a block of keys that product_rows queries see: keys begin ... end of the block, and the columns that whole
/// vectors over them take.
struct Span {
    int64_t begin = tile, end = 0, first_column = 0, last_column = 0;
    bool whole = true;  // every query sees every one of these columns
    bool empty() const { return begin >= end; }
};
HWY_INLINE Span span_of(const Window& w, int64_t group, int64_t first_key) {
    Span s;
    int64_t inner_begin = 0, inner_end = tile;
    for (int64_t i = group * product_rows; i < (group + 1) * product_rows; ++i) {
        const int64_t begin = std::clamp<int64_t>(w.begin[i] - first_key, 0, tile);
        const int64_t end = std::clamp<int64_t>(w.end[i] - first_key, 0, tile);
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

/// Scores of one query against the columns of a span, in place: the position bias is added and what the query does not see
/// becomes -infinity.
HWY_INLINE void mask_row(const Attention& a, const Head& h, const Window& w, int64_t row, int64_t first_key, const Span& s,
                         real* scores) {
    const V begin = set(static_cast<real>(w.begin[row] - first_key)), end = set(static_cast<real>(w.end[row] - first_key));
    const V slope = set(h.slope), shift = set(static_cast<real>(first_key - a.first_position - w.first - row));
    for (int64_t j = s.first_column; j < s.last_column; j += lanes) {
        const V column = hn::Iota(d, static_cast<real>(j));
        const V score = hn::MulAdd(slope, column + shift, hn::Load(d, scores + j));
        const auto seen = hn::And(column >= begin, column < end);
        hn::Store(hn::IfThenElse(seen, score, set(-infinity)), d, scores + j);
    }
}

/// weights[j] = keep(weights[j]) / (1 - p) over the columns of a span.
HWY_INLINE void drop_row(const Attention& a, const Head& h, int64_t query, int64_t first_key, const Span& s,
                         const Dropping& dropping, real* weights) {
    constexpr int64_t block = 4 * groups;
    // Every head draws from a stream of its own.
    const Key key{a.draws.key.a + 0x85EBCA6B * static_cast<uint32_t>(h.number), a.draws.key.b};
    HWY_ALIGN uint32_t words[block];
    for (int64_t j = s.first_column / block * block; j < s.last_column; j += block) {
        philox_words(a.draws.counter(h.example, (query << 16) + (first_key + j) / 4), key, words);
        for (int64_t i = 0; i < block; i += lanes)
            hn::Store(keep(hn::Load(d, weights + j + i) * set(dropping.scale), words + i, dropping.threshold), d,
                      weights + j + i);
    }
}

HWY_INLINE real exp_one(real x) { return hn::GetLane(exp_of_negative(set(x))); }

/// Working memory of one key head: keys as columns in blocks [head_size, tile], values as rows [keys, columns].
struct Arena {
    real* next;
    HWY_INLINE real* take(int64_t n) {
        real* p = next;
        next += n;
        return p;
    }
};
HWY_INLINE int64_t blocks_of(const Attention& a) { return (a.keys + tile - 1) / tile; }

/// Rows of a head as columns: block n holds rows n tile ... (n + 1) tile - 1 as [head_size, tile].
HWY_INLINE void pack_columns(const Attention& a, const real* from, real* to) {
    for (int64_t n = 0; n < blocks_of(a); ++n)
        pack_transposed(from + n * tile * a.kv_stride, a.kv_stride, std::min(tile, a.keys - n * tile), a.head_size,
                        to + n * tile * a.head_size, tile);
}

/// Softmax of one query's scores over a span, against what came before: scores become weights relative to the new maximum.
/// Returns the factor of what was summed before.
HWY_INLINE real running_softmax(const Span& s, real* scores, real& maximum, real& sum) {
    const int64_t n = s.last_column - s.first_column;
    real* x = scores + s.first_column;
    const real here = max_of(n, [=](auto part, int64_t i) HWY_ATTR { return part.load(x + i); });
    const real before = maximum;
    maximum = std::max(before, here);
    const V m = set(maximum);
    const real added = sum_of(n, [=](auto part, int64_t i) HWY_ATTR {
        const V e = exp_of_negative(part.load(x + i) - m);
        part.store(e, x + i);
        return e;
    });
    const real factor = before == maximum || before == -infinity ? 1 : exp_one(before - maximum);
    sum = sum * factor + added;
    return factor;
}

void attention(const Attention& a, real* y, real* log_sums, real* workspace) {
    const int64_t columns = attention_columns(a.head_size);
    Arena arena{workspace};
    real* const keys = arena.take(blocks_of(a) * tile * a.head_size);
    real* const values = arena.take(blocks_of(a) * tile * columns);
    real* const q = arena.take(tile * columns);
    real* const context = arena.take(tile * columns);
    real* const scores = arena.take(tile * tile);
    const Dropping dropping(a.dropout);
    Window w;
    for (int64_t number = 0; number < a.batch * a.heads; ++number) {
        const Head h = head_of(a, number / a.heads, number % a.heads);
        if (h.number % (a.heads / a.key_heads) == 0) {
            pack_columns(a, h.k, keys);
            pack_rows(h.v, a.kv_stride, a.keys, a.head_size, 1, values, blocks_of(a) * tile, columns);
        }
        for (int64_t first = 0; first < a.queries; first += tile) {
            look(a, h.example, first, w);
            const int64_t filled = (w.rows + product_rows - 1) / product_rows * product_rows;
            pack_rows(h.q + first * a.q_stride, a.q_stride, w.rows, a.head_size, a.scale, q, filled, columns);
            write_zero({context, Write::set}, filled * columns);
            real maximum[tile], sum[tile];
            std::fill(maximum, maximum + tile, -infinity);
            std::fill(sum, sum + tile, real{0});
            for (int64_t block = w.least / tile; block * tile < w.most; ++block) {
                const int64_t first_key = block * tile;
                for (int64_t group = 0; group * product_rows < w.rows; ++group) {
                    const Span s = span_of(w, group, first_key);
                    if (s.empty())
                        continue;
                    const int64_t row = group * product_rows, wide = s.last_column - s.first_column;
                    product_of_rows({q + row * columns, columns, 1}, keys + first_key * a.head_size + s.first_column, tile,
                                    a.head_size, wide, scores + row * tile + s.first_column, tile, Write::set);
                    for (int64_t i = row; i < row + product_rows; ++i) {
                        real* const at_row = scores + i * tile;
                        if (w.begin[i] >= first_key + s.end || w.end[i] <= first_key + s.begin || w.begin[i] >= w.end[i]) {
                            write_zero({at_row + s.first_column, Write::set}, wide);
                            continue;
                        }
                        if (!s.whole || a.alibi != nullptr)
                            mask_row(a, h, w, i, first_key, s, at_row);
                        const real factor = running_softmax(s, at_row, maximum[i], sum[i]);
                        if (factor != 1)
                            for (int64_t j = 0; j < columns; j += lanes)
                                hn::Store(set(factor) * hn::Load(d, context + i * columns + j), d, context + i * columns + j);
                        if (a.dropout > 0)
                            drop_row(a, h, first + i, first_key, s, dropping, at_row);
                    }
                    product_of_rows({scores + row * tile + s.begin, tile, 1}, values + (first_key + s.begin) * columns, columns,
                                    s.end - s.begin, columns, context + row * columns, columns, Write::add);
                }
            }
            for (int64_t i = 0; i < w.rows; ++i) {
                const bool empty = w.begin[i] >= w.end[i];
                const V inverse = set(empty ? 0 : 1 / sum[i]);
                const real* from = context + i * columns;
                write({y + h.y_offset + (first + i) * a.heads * a.head_size, Write::set}, a.head_size,
                      [=](auto part, int64_t j) HWY_ATTR { return inverse * part.load(from + j); });
                if (log_sums != nullptr)
                    log_sums[h.sums_offset + first + i] = empty ? 0 : maximum[i] + std::log(sum[i]);
            }
        }
    }
}

/// Working memory of the backward.
struct BackwardArena {
    real *key_columns, *value_columns;  // as the forward's keys
    real *keys, *dkeys, *dvalues;       // rows [keys, columns]
    real *q, *dy, *dq;                  // rows of the tile
    real *weights, *slopes;             // [tile, tile]: p, then with dropout p'; and de
};

/// One block of keys of one tile of queries.
HWY_INLINE void backward_block(const Attention& a, const Head& h, const Window& w, int64_t block, const real* log_sums,
                               const real* products, const Dropping& dropping, const BackwardArena& m, bool want_queries,
                               bool want_keys) {
    const int64_t columns = attention_columns(a.head_size), first_key = block * tile;
    int64_t first_group[row_groups], last_group[row_groups];  // queries that see the keys of a group
    std::fill(first_group, first_group + row_groups, row_groups);
    std::fill(last_group, last_group + row_groups, 0);
    for (int64_t group = 0; group * product_rows < w.rows; ++group) {
        const Span s = span_of(w, group, first_key);
        const int64_t row = group * product_rows, wide = s.last_column - s.first_column;
        if (!s.empty()) {
            const real* const k = m.key_columns + first_key * a.head_size + s.first_column;
            const real* const v = m.value_columns + first_key * a.head_size + s.first_column;
            product_of_rows({m.q + row * columns, columns, 1}, k, tile, a.head_size, wide,
                            m.weights + row * tile + s.first_column, tile, Write::set);
            product_of_rows({m.dy + row * columns, columns, 1}, v, tile, a.head_size, wide,
                            m.slopes + row * tile + s.first_column, tile, Write::set);
        }
        for (int64_t i = row; i < row + product_rows; ++i) {
            real *const p = m.weights + i * tile, *const e = m.slopes + i * tile;
            if (s.empty() || w.begin[i] >= first_key + s.end || w.end[i] <= first_key + s.begin || w.begin[i] >= w.end[i]) {
                write_zero({p, Write::set}, tile);
                write_zero({e, Write::set}, tile);
                continue;
            }
            for (real* x : {p, e}) {
                write_zero({x, Write::set}, s.first_column);
                write_zero({x + s.last_column, Write::set}, tile - s.last_column);
            }
            if (!s.whole || a.alibi != nullptr)
                mask_row(a, h, w, i, first_key, s, p);
            if (a.dropout > 0)
                drop_row(a, h, w.first + i, first_key, s, dropping, e);
            const V log_sum = set(log_sums[i]), product = set(products[i]);
            for (int64_t j = s.first_column; j < s.last_column; j += lanes) {
                const V weight = exp_of_negative(hn::Load(d, p + j) - log_sum);
                hn::Store(weight, d, p + j);
                hn::Store(weight * (hn::Load(d, e + j) - product), d, e + j);
            }
            if (a.dropout > 0)
                drop_row(a, h, w.first + i, first_key, s, dropping, p);
        }
        if (s.empty())
            continue;
        if (want_queries)
            product_of_rows({m.slopes + row * tile + s.begin, tile, 1}, m.keys + (first_key + s.begin) * columns, columns,
                            s.end - s.begin, columns, m.dq + row * columns, columns, Write::add);
        for (int64_t g = s.begin / product_rows; g * product_rows < s.end; ++g) {
            first_group[g] = std::min(first_group[g], group);
            last_group[g] = group + 1;
        }
    }
    if (!want_keys)
        return;
    for (int64_t g = 0; g < row_groups; ++g) {
        const int64_t from = first_group[g] * product_rows, n = std::min(last_group[g] * product_rows, w.rows) - from;
        if (n <= 0)
            continue;
        const int64_t key = g * product_rows, to = (first_key + key) * columns;
        product_of_rows({m.weights + from * tile + key, 1, tile}, m.dy + from * columns, columns, n, columns, m.dvalues + to,
                        columns, Write::add);
        product_of_rows({m.slopes + from * tile + key, 1, tile}, m.q + from * columns, columns, n, columns, m.dkeys + to,
                        columns, Write::add);
    }
}

void attention_backward(const Attention& a, const real* y, const real* log_sums, const real* dy, Destination dq, Destination dk,
                        Destination dv, real* workspace) {
    const int64_t columns = attention_columns(a.head_size), padded = blocks_of(a) * tile;
    const bool want_queries = dq.data != nullptr, want_keys = dk.data != nullptr || dv.data != nullptr;
    Arena arena{workspace};
    BackwardArena m;
    for (real** part : {&m.key_columns, &m.value_columns}) *part = arena.take(padded * a.head_size);
    for (real** part : {&m.keys, &m.dkeys, &m.dvalues}) *part = arena.take(padded * columns);
    for (real** part : {&m.q, &m.dy, &m.dq}) *part = arena.take(tile * columns);
    for (real** part : {&m.weights, &m.slopes}) *part = arena.take(tile * tile);
    const Dropping dropping(a.dropout);
    const int64_t shared = a.heads / a.key_heads, y_stride = a.heads * a.head_size;
    Window w;
    for (int64_t number = 0; number < a.batch * a.heads; ++number) {
        const Head h = head_of(a, number / a.heads, number % a.heads);
        if (h.number % shared == 0) {
            pack_columns(a, h.k, m.key_columns);
            pack_columns(a, h.v, m.value_columns);
            pack_rows(h.k, a.kv_stride, a.keys, a.head_size, 1, m.keys, padded, columns);
            write_zero({m.dkeys, Write::set}, padded * columns);
            write_zero({m.dvalues, Write::set}, padded * columns);
        }
        for (int64_t first = 0; first < a.queries; first += tile) {
            look(a, h.example, first, w);
            const int64_t filled = (w.rows + product_rows - 1) / product_rows * product_rows;
            const real* const up = dy + h.y_offset + first * y_stride;
            const real* const out = y + h.y_offset + first * y_stride;
            pack_rows(h.q + first * a.q_stride, a.q_stride, w.rows, a.head_size, a.scale, m.q, filled, columns);
            pack_rows(up, y_stride, w.rows, a.head_size, 1, m.dy, filled, columns);
            write_zero({m.dq, Write::set}, filled * columns);
            real products[tile];
            for (int64_t i = 0; i < w.rows; ++i)
                products[i] = sum_of(a.head_size, [=](auto part, int64_t j) HWY_ATTR {
                    return part.load(up + i * y_stride + j) * part.load(out + i * y_stride + j);
                });
            for (int64_t block = w.least / tile; block * tile < w.most; ++block)
                backward_block(a, h, w, block, log_sums + h.sums_offset + first, products, dropping, m, want_queries,
                               want_keys);
            for (int64_t i = 0; i < w.rows && want_queries; ++i) {
                const real* from = m.dq + i * columns;
                write(at(dq, h.q_offset + (first + i) * a.q_stride), a.head_size,
                      [=](auto part, int64_t j) HWY_ATTR { return set(a.scale) * part.load(from + j); });
            }
        }
        if (h.number % shared != shared - 1)
            continue;
        for (int64_t s = 0; s < a.keys; ++s) {
            const int64_t to = h.kv_offset + s * a.kv_stride;
            const real *from_k = m.dkeys + s * columns, *from_v = m.dvalues + s * columns;
            write(at(dk, to), a.head_size, [=](auto part, int64_t j) HWY_ATTR { return part.load(from_k + j); });
            write(at(dv, to), a.head_size, [=](auto part, int64_t j) HWY_ATTR { return part.load(from_v + j); });
        }
    }
}

}  // namespace attend::inline ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::inline ATTEND_PRECISION::kernels {

namespace {
int64_t padded_keys(int64_t keys) { return (keys + attention_tile - 1) / attention_tile * attention_tile; }
}  // namespace

int64_t attention_workspace(int64_t keys, int64_t head_size) {
    const int64_t columns = attention_columns(head_size), tile = attention_tile;
    return padded_keys(keys) * (head_size + columns) + tile * (2 * columns + tile);
}
int64_t attention_backward_workspace(int64_t keys, int64_t head_size) {
    const int64_t columns = attention_columns(head_size), tile = attention_tile;
    return padded_keys(keys) * (2 * head_size + 3 * columns) + tile * (3 * columns + 2 * tile);
}

HWY_EXPORT(attention);
HWY_EXPORT(attention_backward);
void attention(const Attention& call, real* y, real* log_sums, real* workspace) {
    HWY_DYNAMIC_DISPATCH(attention)(call, y, log_sums, workspace);
}
void attention_backward(const Attention& call, const real* y, const real* log_sums, const real* dy, Destination dq,
                        Destination dk, Destination dv, real* workspace) {
    HWY_DYNAMIC_DISPATCH(attention_backward)(call, y, log_sums, dy, dq, dk, dv, workspace);
}

}  // namespace attend::inline ATTEND_PRECISION::kernels
#endif
