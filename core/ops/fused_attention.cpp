#include <cmath>

#include "core/kernels/fused_attention.h"
#include "core/ops/attention.h"

namespace attend::ATTEND_PRECISION {

namespace {

constexpr int64_t most_queries_drawn = 65'536, most_keys_drawn = 262'144;  // what a counter of 32 bits tells apart

int64_t key_heads_of(const char* op, const FusedAttentionOptions& o) {
    const int64_t key_heads = o.key_heads == 0 ? o.heads : o.key_heads;
    require(o.heads >= 1 && key_heads >= 1 && o.heads % key_heads == 0,
            "{}: heads must be a multiple of key heads: heads {}, key heads {}", op, o.heads, key_heads);
    return key_heads;
}

// What the kernels read of the inputs: values saved, the arrays the call points into.
struct Operands {
    Saved q, kv;
    int64_t k_offset = 0, v_offset = 0;
    Array<real> alibi;
    Ranges ranges;
    kernels::Attention call;

    kernels::Attention pointing() const {
        kernels::Attention a = call;
        a.q = q.data();
        a.k = kv.data() + k_offset;
        a.v = kv.data() + v_offset;
        a.alibi = alibi.empty() ? nullptr : alibi.data();
        a.ranges = first_of(ranges);
        return a;
    }
};

// What does not fit is refused; options that follow from others are filled in. In a row of kv the
// keys begin at `k_offset`, and the values follow them.
Operands prepare(const char* op, const Tensor& q, const Tensor& kv, int64_t k_offset, int64_t key_heads, int64_t head_size,
                 const FusedAttentionOptions& o, const Ranges& ranges) {
    const int64_t batch = q.dim(0), queries = q.dim(1), keys = kv.dim(1);
    check_ranges(op, ranges, batch * queries, keys, "keys and values", kv.shape());
    require(o.alibi.empty() || static_cast<int64_t>(o.alibi.size()) == o.heads, "{}: one slope a head: {} slopes, {} heads", op,
            o.alibi.size(), o.heads);
    require(std::isfinite(o.scale), "{}: scale must be finite: scale {}, heads {}", op, o.scale, o.heads);
    require(o.dropout >= 0 && o.dropout < 1, "{}: dropout out of range: dropout {}, at least 0 and below {}", op, o.dropout, 1);
    require(o.dropout == 0 || (queries <= most_queries_drawn && keys <= most_keys_drawn),
            "{}: too long for dropout of weights: {} queries of at most {}, {} keys of at most {}", op, queries,
            most_queries_drawn, keys, most_keys_drawn);
    kernels::Attention a;
    a.batch = batch;
    a.queries = queries;
    a.keys = keys;
    a.heads = o.heads;
    a.key_heads = key_heads;
    a.head_size = head_size;
    a.q_stride = q.dim(2);
    a.kv_stride = kv.dim(2);
    a.scale = o.scale == 0 ? 1 / std::sqrt(static_cast<real>(head_size)) : o.scale;
    a.first_position = o.first_position;
    a.dropout = o.dropout;
    a.draws = o.draws;
    return {Saved(q), Saved(kv), k_offset, k_offset + key_heads * head_size, o.alibi, ranges, a};
}

struct Forward {
    Tensor y, log_sums;
};
Forward run_forward(const Operands& in) {
    const kernels::Attention a = in.pointing();
    Forward f{Tensor::empty({a.batch, a.queries, a.heads * a.head_size}), Tensor::empty({a.batch, a.heads, a.queries})};
    Tensor workspace = Tensor::empty({kernels::attention_workspace(a)});
    kernels::attention(a, f.y.writable(), f.log_sums.writable(), workspace.writable());
    return f;
}

void run_backward(const Operands& in, const Saved& y, const Saved& log_sums, const real* dy, Destination dq, Destination dk,
                  Destination dv) {
    if (dq.data == nullptr && dk.data == nullptr && dv.data == nullptr)
        return;
    const kernels::Attention a = in.pointing();
    Tensor workspace = Tensor::empty({kernels::attention_backward_workspace(a)});
    kernels::attention_backward(a, y.data(), log_sums.data(), dy, dq, dk, dv, workspace.writable());
}

Destination moved(Destination d, int64_t offset) { return {d.data == nullptr ? nullptr : d.data + offset, d.write}; }

}  // namespace

// y_t = sum_s p_ts v_s, p_t = softmax of scale q_t k_s - slope (t - s) over the range; the
// backward's formulas stand at the kernel
Tensor self_attention(const Tensor& qkv, const FusedAttentionOptions& options, const Ranges& ranges) {
    constexpr const char* op = "self_attention";
    require(qkv.rank() == 3, "{}: three axes are needed: qkv {}, rank {}", op, qkv, qkv.rank());
    const int64_t key_heads = key_heads_of(op, options), blocks = options.heads + 2 * key_heads, columns = qkv.dim(2);
    require(columns > 0 && columns % blocks == 0,
            "{}: columns do not divide into {} heads of queries, {} of keys and {} of values: qkv {}, {} columns", op,
            options.heads, key_heads, key_heads, qkv, columns);
    const int64_t head_size = columns / blocks;
    Operands in = prepare(op, qkv, qkv, options.heads * head_size, key_heads, head_size, options, ranges);
    const Forward f = run_forward(in);
    return record(op, f.y, {qkv}, [in = std::move(in), y = Saved(f.y), log_sums = Saved(f.log_sums)](Backward& b) {
        const Destination dx = b.into(0);
        run_backward(in, y, log_sums, b.gradient(), dx, moved(dx, in.k_offset), moved(dx, in.v_offset));
    });
}

Tensor cross_attention(const Tensor& q, const Tensor& kv, const FusedAttentionOptions& options, const Ranges& ranges) {
    constexpr const char* op = "cross_attention";
    require(q.rank() == 3 && kv.rank() == 3 && q.dim(0) == kv.dim(0), "{}: shapes do not fit: q {}, kv {}", op, q, kv);
    const int64_t key_heads = key_heads_of(op, options), columns = q.dim(2);
    require(columns > 0 && columns % options.heads == 0, "{}: columns do not divide into heads: q {}, {} heads", op, q,
            options.heads);
    const int64_t head_size = columns / options.heads;
    require(kv.dim(2) == 2 * key_heads * head_size,
            "{}: head sizes differ: q {} has {} heads of {}, kv {} has keys and values of {} heads", op, q, options.heads,
            head_size, kv, key_heads);
    Operands in = prepare(op, q, kv, 0, key_heads, head_size, options, ranges);
    const Forward f = run_forward(in);
    return record(op, f.y, {q, kv}, [in = std::move(in), y = Saved(f.y), log_sums = Saved(f.log_sums)](Backward& b) {
        const Destination dq = b.wanted(0);
        const bool apart = b.distinct({0, 1});
        if (!apart)
            run_backward(in, y, log_sums, b.gradient(), dq, {}, {});
        const Destination dkv = b.wanted(1);
        run_backward(in, y, log_sums, b.gradient(), apart ? dq : Destination{}, dkv, moved(dkv, in.v_offset));
    });
}

}  // namespace attend::ATTEND_PRECISION
