#include "core/kernels/fused_attention.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/fused_attention.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/philox-inl.h"
#include "core/kernels/tile-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

constexpr int64_t tile = attention_tile, block = attention_block;
constexpr int64_t row_groups = tile / product_rows;
constexpr int64_t few_queries = 2;  // more go through tiles sooner

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

/// Rows of a head as columns: block n has the rows n width ... (n + 1) width - 1 as [head_size,
/// width].
HWY_INLINE void pack_columns(const Attention& a, const real* from, int64_t width, real* to) {
    for (int64_t s = 0; s < a.keys; s += width)
        pack_transposed(from + s * a.kv_stride, a.kv_stride, std::min(width, a.keys - s), a.head_size, to + s * a.head_size,
                        width);
}

/// Softmax over the keys met so far, for each query of a tile: the largest score, sums of e^(score
/// - maximum) a lane, and the values weighted alike, [tile, columns].
struct Running {
    real maximum[tile];
    HWY_ALIGN real sums[tile * lanes];
    real* context;
};

/// Turns the scores of product_rows queries, [product_rows, block], into weights relative to their
/// new maximum; what was summed before is brought down to it.
HWY_INLINE void running_softmax(const Attention& a, const Head& h, const Window& w, int64_t first_row, int64_t first_key,
                                const Span& s, int64_t columns, real* scores, Running& state) {
    real largest[product_rows];
    for (int64_t r = 0; r < product_rows; ++r) {
        V most = set(-infinity);
        real* const row = scores + r * block;
        masked_scores(a, h, w, first_row + r, first_key, s, row, [&](V score, int64_t j) HWY_ATTR {
            hn::Store(score, d, row + j);
            most = hn::IfThenElse(score > most, score, most);
        });
        largest[r] = lane_max(most);
    }
    for (int64_t r = 0; r < product_rows; ++r) {
        const int64_t i = first_row + r;
        real* const row = scores + r * block;
        if (!sees(w, i, first_key, s)) {
            clear(row, s.first_column, s.last_column);
            continue;
        }
        const real before = state.maximum[i], now = std::max(before, largest[r]);
        V sum = hn::Load(d, state.sums + i * lanes);
        if (before != now && before != -infinity) {
            const V factor = exp_of_negative(set(before - now));
            sum = sum * factor;
            for (int64_t j = 0; j < columns; j += lanes)
                hn::Store(factor * hn::Load(d, state.context + i * columns + j), d, state.context + i * columns + j);
        }
        state.maximum[i] = now;
        for (int64_t j = s.first_column; j < s.last_column; j += lanes) {
            const V e = exp_of_negative(hn::Load(d, row + j) - set(now));
            hn::Store(e, d, row + j);
            sum = sum + e;
        }
        hn::Store(sum, d, state.sums + i * lanes);
    }
}

/// Scores of one query against `count` keys, rows of `stride` from k on.
template <int count>
HWY_INLINE void dot_keys(const real* q, const real* k, int64_t stride, int64_t size, real* scores) {
    V sums[count];
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) sums[i] = hn::Zero(d);
    vectors(size, [&](auto part, int64_t j) HWY_ATTR {
        const V left = part.load(q + j);
#pragma GCC unroll 4
        for (int i = 0; i < count; ++i) sums[i] = hn::MulAdd(left, part.load(k + i * stride + j), sums[i]);
    });
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) scores[i] = lane_sum(sums[i]);
}

/// Few queries, as when a text is continued: packing would cost more than the products, so keys and
/// values are read where they lie, once. scores [keys].
HWY_INLINE void attend_one(const Attention& a, const Head& h, int64_t query, Range range, real* y, real* log_sums,
                           real* scores) {
    real* const out = y + h.y_offset + query * a.heads * a.head_size;
    const int64_t n = range.end - range.begin, size = a.head_size;
    log_sums[h.sums_offset + query] = 0;
    if (n == 0)
        return write_zero({out, Write::set}, size);
    const real *const q = h.q + query * a.q_stride, *const k = h.k + range.begin * a.kv_stride;
    const real* const v = h.v + range.begin * a.kv_stride;
    int64_t s = 0;
    for (; s + 4 <= n; s += 4) dot_keys<4>(q, k + s * a.kv_stride, a.kv_stride, size, scores + s);
    for (; s < n; ++s) dot_keys<1>(q, k + s * a.kv_stride, a.kv_stride, size, scores + s);
    const V scale = set(a.scale), slope = set(h.slope);
    const real shift = static_cast<real>(range.begin - a.first_position - query);
    const auto score = [=](auto part, int64_t i) HWY_ATTR {
        const V bias = slope * hn::Iota(d, shift + static_cast<real>(i));
        return part.or_else(hn::MulAdd(scale, part.load(scores + i), bias), set(-infinity));
    };
    const real maximum = max_of(n, score);
    const V m = set(maximum);
    const real sum = sum_of(n, [=](auto part, int64_t i) HWY_ATTR {
        const V e = exp_of_negative(score(part, i) - m);
        part.store(e, scores + i);
        return e;
    });
    const V inverse = set(1 / sum);
    int64_t j = 0;
    for (; j + 4 * lanes <= size; j += 4 * lanes) {
        V c[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
        for (int64_t i = 0; i < n; ++i) {
            const V weight = set(scores[i]);
#pragma GCC unroll 4
            for (int r = 0; r < 4; ++r) c[r] = hn::MulAdd(weight, hn::LoadU(d, v + i * a.kv_stride + j + r * lanes), c[r]);
        }
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) hn::StoreU(inverse * c[r], d, out + j + r * lanes);
    }
    vectors(size - j, [=](auto part, int64_t rest) HWY_ATTR {
        V c = hn::Zero(d);
        for (int64_t i = 0; i < n; ++i) c = hn::MulAdd(set(scores[i]), part.load(v + i * a.kv_stride + j + rest), c);
        part.store(inverse * c, out + j + rest);
    });
    log_sums[h.sums_offset + query] = maximum + std::log(sum);
}

void attention(const Attention& a, real* y, real* log_sums, real* workspace) {
    const int64_t columns = attention_columns(a.head_size), padded = (a.keys + block - 1) / block * block;
    Arena arena{workspace};
    real* const keys = arena.take(padded * a.head_size);
    real* const values = arena.take(padded * columns);
    real* const q = arena.take(tile * columns);
    real* const scores = arena.take(product_rows * block);
    Running state;
    state.context = arena.take(tile * columns);
    const Dropping dropping(a.dropout);
    HWY_ALIGN uint32_t words[block];
    Window w;
    for (int64_t number = 0; number < a.batch * a.heads; ++number) {
        const Head h = head_of(a, number / a.heads, number % a.heads);
        if (a.queries <= few_queries && a.dropout == 0) {
            const Range all{0, static_cast<int32_t>(a.keys)};
            for (int64_t t = 0; t < a.queries; ++t)
                attend_one(a, h, t, a.ranges == nullptr ? all : a.ranges[h.example * a.queries + t], y, log_sums, workspace);
            continue;
        }
        if (h.number % (a.heads / a.key_heads) == 0) {
            pack_columns(a, h.k, block, keys);
            pack_rows(h.v, a.kv_stride, a.keys, a.head_size, 1, values, a.keys, columns);
        }
        for (int64_t first = 0; first < a.queries; first += tile) {
            look(a, h.example, first, w);
            const int64_t filled = (w.rows + product_rows - 1) / product_rows * product_rows;
            pack_rows(h.q + first * a.q_stride, a.q_stride, w.rows, a.head_size, a.scale, q, filled, columns);
            write_zero({state.context, Write::set}, filled * columns);
            write_zero({state.sums, Write::set}, filled * lanes);
            std::fill(state.maximum, state.maximum + filled, -infinity);
            for (int64_t first_key = w.least / block * block; first_key < w.most; first_key += block)
                for (int64_t row = 0; row < w.rows; row += product_rows) {
                    const Span s = span_of(w, row / product_rows, first_key, block);
                    if (s.empty())
                        continue;
                    product_of_rows({q + row * columns, columns, 1}, keys + first_key * a.head_size + s.first_column, block,
                                    a.head_size, s.last_column - s.first_column, scores + s.first_column, block, Write::set);
                    running_softmax(a, h, w, row, first_key, s, columns, scores, state);
                    for (int64_t r = 0; r < product_rows && a.dropout > 0; ++r) {
                        draw_row(a, h, first + row + r, first_key, s, words);
                        real* const weights = scores + r * block;
                        for (int64_t j = s.first_column; j < s.last_column; j += lanes)
                            hn::Store(dropping.of(hn::Load(d, weights + j), words + j), d, weights + j);
                    }
                    product_of_rows({scores + s.begin, block, 1}, values + (first_key + s.begin) * columns, columns,
                                    s.end - s.begin, columns, state.context + row * columns, columns, Write::add);
                }
            for (int64_t i = 0; i < w.rows; ++i) {
                const bool empty = w.begin[i] >= w.end[i];
                const real sum = lane_sum(hn::Load(d, state.sums + i * lanes));
                const V inverse = set(empty ? 0 : 1 / sum);
                const real* from = state.context + i * columns;
                write({y + h.y_offset + (first + i) * a.heads * a.head_size, Write::set}, a.head_size,
                      [=](auto part, int64_t j) HWY_ATTR { return inverse * part.load(from + j); });
                log_sums[h.sums_offset + first + i] = empty ? 0 : state.maximum[i] + std::log(sum);
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
HWY_INLINE void backward_block(const Attention& a, const Head& h, const Window& w, int64_t first_key, const real* log_sums,
                               const real* products, const Dropping& dropping, const BackwardArena& m, bool want_queries,
                               bool want_keys) {
    const int64_t columns = attention_columns(a.head_size);
    const bool drops = a.dropout > 0;
    HWY_ALIGN uint32_t words[tile];
    int64_t first_group[row_groups], last_group[row_groups];  // queries that see the keys of a group
    std::fill(first_group, first_group + row_groups, row_groups);
    std::fill(last_group, last_group + row_groups, 0);
    for (int64_t group = 0; group * product_rows < w.rows; ++group) {
        const Span s = span_of(w, group, first_key, tile);
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
            if (!sees(w, i, first_key, s)) {
                clear(p, 0, tile);
                clear(e, 0, tile);
                continue;
            }
            for (real* x : {p, e}) {
                clear(x, 0, s.first_column);
                clear(x, s.last_column, tile);
            }
            if (a.dropout > 0)
                draw_row(a, h, w.first + i, first_key, s, words);
            const V log_sum = set(log_sums[i]), product = set(products[i]);
            masked_scores(a, h, w, i, first_key, s, p, [=, &words](V score, int64_t j) HWY_ATTR {
                const V weight = exp_of_negative(score - log_sum);
                V read = weight, up = hn::Load(d, e + j);
                if (drops) {
                    read = dropping.of(read, words + j);
                    up = dropping.of(up, words + j);
                }
                hn::Store(read, d, p + j);
                hn::Store(weight * (up - product), d, e + j);
            });
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
    const int64_t columns = attention_columns(a.head_size), padded = (a.keys + tile - 1) / tile * tile;
    const bool want_queries = dq.data != nullptr, want_keys = dk.data != nullptr || dv.data != nullptr;
    Arena arena{workspace};
    BackwardArena m;
    for (real** part : {&m.key_columns, &m.value_columns}) *part = arena.take(padded * a.head_size);
    for (real** part : {&m.keys, &m.dkeys, &m.dvalues}) *part = arena.take(padded * columns);
    for (real** part : {&m.q, &m.dy, &m.dq}) *part = arena.take(tile * columns);
    for (real** part : {&m.weights, &m.slopes}) *part = arena.take(tile * tile);
    const Dropping dropping(a.dropout);
    const V scale = set(a.scale);
    const int64_t shared = a.heads / a.key_heads, y_stride = a.heads * a.head_size;
    Window w;
    for (int64_t number = 0; number < a.batch * a.heads; ++number) {
        const Head h = head_of(a, number / a.heads, number % a.heads);
        if (h.number % shared == 0) {
            pack_columns(a, h.k, tile, m.key_columns);
            pack_columns(a, h.v, tile, m.value_columns);
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
            for (int64_t first_key = w.least / tile * tile; first_key < w.most; first_key += tile)
                backward_block(a, h, w, first_key, log_sums + h.sums_offset + first, products, dropping, m, want_queries,
                               want_keys);
            for (int64_t i = 0; i < w.rows && want_queries; ++i) {
                const real* from = m.dq + i * columns;
                write(at(dq, h.q_offset + (first + i) * a.q_stride), a.head_size,
                      [=](auto part, int64_t j) HWY_ATTR { return scale * part.load(from + j); });
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

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

namespace {
int64_t up_to(int64_t keys, int64_t multiple) { return (keys + multiple - 1) / multiple * multiple; }
}  // namespace

int64_t attention_workspace(int64_t keys, int64_t head_size) {
    const int64_t columns = attention_columns(head_size), tile = attention_tile, most_product_rows = 8;
    return up_to(keys, attention_block) * (head_size + columns) + tile * 2 * columns + most_product_rows * attention_block;
}
int64_t attention_backward_workspace(int64_t keys, int64_t head_size) {
    const int64_t columns = attention_columns(head_size), tile = attention_tile;
    return up_to(keys, tile) * (2 * head_size + 3 * columns) + tile * (3 * columns + 2 * tile);
}

ATTEND_KERNEL(attention);
ATTEND_KERNEL(attention_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
