#include "core/kernels/fused_attention.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/fused_attention.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/attention_tiles-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

constexpr int64_t few_queries = 2;  // more go through tiles sooner

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
    const int64_t columns = attention_columns(a.head_size);
    KeyBlocks blocks{block, attention_slots(a, block), (a.keys + block - 1) / block};
    Arena arena{workspace};
    real* const keys = arena.take(blocks.slots * block * a.head_size);
    real* const values = arena.take(blocks.slots * block * columns);
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
        if (h.number % (a.heads / a.key_heads) == 0 || !blocks.all_stay())
            blocks.next = 0;
        for (int64_t first = 0; first < a.queries; first += tile) {
            look(a, h.example, first, w);
            for (; blocks.next < blocks.reached(w); ++blocks.next) {
                const int64_t from = blocks.next * block, n = std::min(block, a.keys - from), to = blocks.row_of(from);
                pack_transposed(h.k + from * a.kv_stride, a.kv_stride, n, a.head_size, keys + to * a.head_size, block);
                pack_rows(h.v + from * a.kv_stride, a.kv_stride, n, a.head_size, 1, values + to * columns, n, columns);
            }
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
                    const int64_t slot = blocks.row_of(first_key);
                    product_of_rows({q + row * columns, columns, 1}, keys + slot * a.head_size + s.first_column, block,
                                    a.head_size, s.last_column - s.first_column, scores + s.first_column, block, Write::set);
                    running_softmax(a, h, w, row, first_key, s, columns, scores, state);
                    for (int64_t r = 0; r < product_rows && a.dropout > 0; ++r) {
                        draw_row(a, h, first + row + r, first_key, s, words);
                        real* const weights = scores + r * block;
                        for (int64_t j = s.first_column; j < s.last_column; j += lanes)
                            hn::Store(dropping.of(hn::Load(d, weights + j), words + j), d, weights + j);
                    }
                    product_of_rows({scores + s.begin, block, 1}, values + (slot + s.begin) * columns, columns, s.end - s.begin,
                                    columns, state.context + row * columns, columns, Write::add);
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

/// Packs block `n` of the keys; their gradients begin at zero.
HWY_INLINE void pack_block(const Attention& a, const Head& h, int64_t n, int64_t slot, const BackwardArena& m) {
    const int64_t columns = attention_columns(a.head_size), from = n * tile, rows = std::min(tile, a.keys - from);
    const real *const k = h.k + from * a.kv_stride, *const v = h.v + from * a.kv_stride;
    pack_transposed(k, a.kv_stride, rows, a.head_size, m.key_columns + slot * a.head_size, tile);
    pack_transposed(v, a.kv_stride, rows, a.head_size, m.value_columns + slot * a.head_size, tile);
    pack_rows(k, a.kv_stride, rows, a.head_size, 1, m.keys + slot * columns, tile, columns);
    write_zero({m.dkeys + slot * columns, Write::set}, tile * columns);
    write_zero({m.dvalues + slot * columns, Write::set}, tile * columns);
}

/// Block `n` has its gradients: they go where keys and values came from.
HWY_INLINE void give_block(const Attention& a, const Head& h, int64_t n, int64_t slot, const BackwardArena& m, Destination dk,
                           Destination dv) {
    const int64_t columns = attention_columns(a.head_size);
    for (int64_t i = 0; i < std::min(tile, a.keys - n * tile); ++i) {
        const int64_t to = h.kv_offset + (n * tile + i) * a.kv_stride;
        const real *from_k = m.dkeys + (slot + i) * columns, *from_v = m.dvalues + (slot + i) * columns;
        write(at(dk, to), a.head_size, [=](auto part, int64_t j) HWY_ATTR { return part.load(from_k + j); });
        write(at(dv, to), a.head_size, [=](auto part, int64_t j) HWY_ATTR { return part.load(from_v + j); });
    }
}

/// One block of keys of one tile of queries; it is packed at `slot`.
HWY_INLINE void backward_block(const Attention& a, const Head& h, const Window& w, int64_t first_key, int64_t slot,
                               const real* log_sums, const real* products, const Dropping& dropping, const BackwardArena& m,
                               bool want_queries, bool want_keys) {
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
            const real* const k = m.key_columns + slot * a.head_size + s.first_column;
            const real* const v = m.value_columns + slot * a.head_size + s.first_column;
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
            product_of_rows({m.slopes + row * tile + s.begin, tile, 1}, m.keys + (slot + s.begin) * columns, columns,
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
        const int64_t key = g * product_rows, to = (slot + key) * columns;
        product_of_rows({m.weights + from * tile + key, 1, tile}, m.dy + from * columns, columns, n, columns, m.dvalues + to,
                        columns, Write::add);
        product_of_rows({m.slopes + from * tile + key, 1, tile}, m.q + from * columns, columns, n, columns, m.dkeys + to,
                        columns, Write::add);
    }
}

void attention_backward(const Attention& a, const real* y, const real* log_sums, const real* dy, Destination dq, Destination dk,
                        Destination dv, real* workspace) {
    const int64_t columns = attention_columns(a.head_size);
    const bool want_queries = dq.data != nullptr, want_keys = dk.data != nullptr || dv.data != nullptr;
    KeyBlocks blocks{tile, attention_slots(a, tile), (a.keys + tile - 1) / tile};
    Arena arena{workspace};
    BackwardArena m;
    for (real** part : {&m.key_columns, &m.value_columns}) *part = arena.take(blocks.slots * tile * a.head_size);
    for (real** part : {&m.keys, &m.dkeys, &m.dvalues}) *part = arena.take(blocks.slots * tile * columns);
    for (real** part : {&m.q, &m.dy, &m.dq}) *part = arena.take(tile * columns);
    for (real** part : {&m.weights, &m.slopes}) *part = arena.take(tile * tile);
    const Dropping dropping(a.dropout);
    const V scale = set(a.scale);
    const int64_t shared = a.heads / a.key_heads, y_stride = a.heads * a.head_size;
    Window w;
    for (int64_t number = 0; number < a.batch * a.heads; ++number) {
        const Head h = head_of(a, number / a.heads, number % a.heads);
        if (h.number % shared == 0)
            blocks.next = 0;
        const auto pack_until = [&](int64_t end) HWY_ATTR {
            for (; blocks.next < end; ++blocks.next) {
                const int64_t slot = blocks.row_of(blocks.next * tile), gone = blocks.next - blocks.slots;
                if (gone >= 0)
                    give_block(a, h, gone, slot, m, dk, dv);
                pack_block(a, h, blocks.next, slot, m);
            }
        };
        for (int64_t first = 0; first < a.queries; first += tile) {
            look(a, h.example, first, w);
            pack_until(blocks.reached(w));
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
                backward_block(a, h, w, first_key, blocks.row_of(first_key), log_sums + h.sums_offset + first, products,
                               dropping, m, want_queries, want_keys);
            for (int64_t i = 0; i < w.rows && want_queries; ++i) {
                const real* from = m.dq + i * columns;
                write(at(dq, h.q_offset + (first + i) * a.q_stride), a.head_size,
                      [=](auto part, int64_t j) HWY_ATTR { return scale * part.load(from + j); });
            }
        }
        if (h.number % shared != shared - 1)
            continue;
        pack_until(blocks.count);
        for (int64_t n = blocks.count - blocks.slots; n < blocks.count; ++n)
            give_block(a, h, n, blocks.row_of(n * tile), m, dk, dv);
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

int64_t attention_slots(const Attention& a, int64_t width) {
    const int64_t all = (a.keys + width - 1) / width;
    if (a.ranges == nullptr || a.key_heads != a.heads)
        return all;
    int64_t most = 1;
    for (int64_t example = 0; example < a.batch; ++example) {
        int64_t previous = 0;  // where the tile before begins
        for (int64_t first = 0; first < a.queries; first += attention_tile) {
            int64_t begin = a.keys, end = 0;
            for (int64_t t = first; t < std::min(first + attention_tile, a.queries); ++t) {
                const Range r = a.ranges[example * a.queries + t];
                if (r.begin < r.end) {
                    begin = std::min<int64_t>(begin, r.begin);
                    end = std::max<int64_t>(end, r.end);
                }
            }
            if (begin >= end)
                continue;
            if (begin / width < previous)
                return all;
            previous = begin / width;
            most = std::max(most, (end + width - 1) / width - previous);
        }
    }
    return std::min(most, all);
}

int64_t attention_workspace(const Attention& a) {
    const int64_t columns = attention_columns(a.head_size), keys = attention_slots(a, attention_block) * attention_block;
    constexpr int64_t most_product_rows = 8;
    const int64_t tiles = keys * (a.head_size + columns) + attention_tile * 2 * columns + most_product_rows * attention_block;
    return std::max(tiles, a.keys);  // the scores of one query
}
int64_t attention_backward_workspace(const Attention& a) {
    const int64_t columns = attention_columns(a.head_size), keys = attention_slots(a, attention_tile) * attention_tile;
    return keys * (2 * a.head_size + 3 * columns) + attention_tile * (3 * columns + 2 * attention_tile);
}

ATTEND_KERNEL(attention);
ATTEND_KERNEL(attention_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
