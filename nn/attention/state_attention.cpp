#include "nn/attention/state_attention.h"

#include <string>

#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/attention/heads.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

constexpr real head_norm_epsilon = real{1e-5};

// x [B, T, heads K], f of each head's K elements.
template <class F>
Tensor by_head(const Tensor& x, int64_t heads, const F& f) {
    return f(x.reshape({x.dim(0), x.dim(1), heads, x.dim(2) / heads})).reshape(x.shape());
}

// What happens between the projections and the op.
class StateHeads {
  public:
    // What is written comes from rows that are `input` wide.
    StateHeads(const Scope& scope, const StateKind& kind, int64_t heads, int64_t states, int64_t input, const WeightInit& init)
        : kind_(kind), options_{.heads = heads, .key_heads = states, .normalise = kind.normalise} {
        if (kind.rule == StateRule::replace)
            beta_ = Linear(scope.in("beta"), input, states, Bias::no, init(input, states));
        if (kind.first_forget_bias) {
            alpha_ = Linear(scope.in("alpha"), input, states, Bias::no, init(input, states));
            alpha_.bias = scope.in("alpha").add("bias", {states}, Init::constant(*kind.first_forget_bias));
        }
    }

    const LinearAttentionOptions& options() const { return options_; }
    // [B, T, H Kk]
    Tensor queries(const Tensor& q) const { return kind_.query == nullptr ? q : by_head(q, options_.heads, kind_.query); }
    // keys [B, S, G Kk], values [B, S, G Kv], and the rows x [B, S, input] that alpha and beta are made of.
    StateWrites writes(const Tensor& keys, const Tensor& values, const Tensor& x) const {
        StateWrites w{kind_.key == nullptr ? keys : by_head(keys, options_.key_heads, kind_.key), values, {}, {}};
        if (kind_.first_forget_bias)
            w.alpha = sigmoid(alpha_(x));
        else if (kind_.decay)
            w.alpha = constant_decay(x.dim(0), x.dim(1));
        if (kind_.rule == StateRule::replace)
            w.beta = sigmoid(beta_(x));
        return w;
    }
    // [B, T, H Kv]
    Tensor outputs(const Tensor& read) const {
        if (kind_.norm == HeadNorm::no)
            return read;
        return by_head(read, options_.heads, [](const Tensor& o) { return rms_norm(o, {}, head_norm_epsilon); });
    }

  private:
    Tensor constant_decay(int64_t rows, int64_t positions) const {
        const int64_t g = options_.key_heads;
        Tensor alpha = Tensor::empty({rows, positions, g});
        for (int64_t i = 0; i < alpha.size(); ++i) alpha.writable()[i] = static_cast<real>(kind_.decay(i % g));
        return alpha;
    }

    StateKind kind_;
    LinearAttentionOptions options_;
    Linear alpha_, beta_;
};

class StateSource final : public SourceAttention {
  public:
    StateSource(const Scope& scope, const StateKind& kind, const StateOptions& o, const SourceSetup& s)
        : query_(scope.in("query"), s.query, o.width == 0 ? s.query : o.width, Bias::no),
          key_(scope.in("key"), s.memory, o.width == 0 ? s.query : o.width, Bias::no),
          heads_(scope, kind, 1, 1, s.memory, {}),
          path_(scope.path()) {}

    Attendable prepare(const Tensor& memory, std::span<const int32_t> lengths) const override {
        const trace::Scope here(path_.c_str());
        const Tensor state = write_states(heads_.writes(key_(memory), memory, memory), {}, lengths, heads_.options());
        return {state.reshape({state.dim(0), state.dim(2), state.dim(3)}), memory,
                Array<int32_t>(lengths.begin(), lengths.end())};
    }
    Attended operator()(const Tensor& query, const Attendable& source, int64_t, const Previous&, const Pass&) const override {
        const trace::Scope here(path_.c_str());
        const Tensor& s = source.keys;
        const Tensor state = s.reshape({s.dim(0), 1, s.dim(1), s.dim(2)});
        return {heads_.outputs(read_states(heads_.queries(query_(query)), state, heads_.options())), {}, {}, {}};
    }

  private:
    Linear query_, key_;
    StateHeads heads_;
    std::string path_;
};

class StateBlock final : public BlockAttention {
  public:
    StateBlock(const Scope& scope, const StateKind& kind, const StateOptions& o, const BlockAttentionSetup& s)
        : sizes_(head_sizes(scope.path(), s)),
          key_size_(o.width == 0 ? sizes_.size : o.width),
          causal_(s.causal()),
          heads_(scope, kind, sizes_.heads, sizes_.key_heads, s.memory == 0 ? s.width : s.memory, s.init),
          path_(scope.path()) {
        require(s.rotary_base == 0,
                "{}: attention '{}' has no rotary positions, since it takes queries and keys through features of its own: "
                "rotary_base {}, width {}; other positions go with it",
                path_, kind.name, s.rotary_base, s.width);
        const int64_t queries = sizes_.heads * key_size_, written = sizes_.key_heads * (key_size_ + sizes_.size), d = s.width;
        if (s.memory == 0) {
            qkv_ = Linear(scope.in("qkv"), d, queries + written, s.bias, s.init(d, d));
        } else {
            query_ = Linear(scope.in("query"), d, queries, s.bias, s.init(d, d));
            key_value_ = Linear(scope.in("key_value"), s.memory, written, s.bias, s.init(s.memory, written / 2));
        }
        out_ = Linear(scope.in("out"), d, d, s.bias, s.out_init(d, d));
    }

    Output operator()(const Tensor& x, std::span<const int32_t> lengths, const Pass&) const override {
        const trace::Scope here(path_.c_str());
        const Both p = projected(x);
        if (causal_)
            return finished(linear_attention(p.queries, p.writes, {}, lengths, heads_.options()).outputs);
        return finished(read_states(p.queries, write_states(p.writes, {}, lengths, heads_.options()), heads_.options()));
    }
    Output extend(const Tensor& x, KeyValues& past, const Pass&) const override {
        const trace::Scope here(path_.c_str());
        const Both p = projected(x);
        const LinearAttentionResult r = linear_attention(p.queries, p.writes, past.state, {}, heads_.options());
        past.state = r.state;
        past.positions += x.dim(1);
        past.lengths.assign(static_cast<std::size_t>(x.dim(0)), static_cast<int32_t>(past.positions));
        return finished(r.outputs);
    }
    KeyValues prepare(const Tensor& memory, std::span<const int32_t> lengths) const override {
        const trace::Scope here(path_.c_str());
        return {.lengths = Array<int32_t>(lengths.begin(), lengths.end()),
                .state = write_states(written(key_value_(memory), memory), {}, lengths, heads_.options())};
    }
    Output operator()(const Tensor& x, const KeyValues& memory, int64_t, const Pass&) const override {
        const trace::Scope here(path_.c_str());
        return finished(read_states(heads_.queries(query_(x)), memory.state, heads_.options()));
    }

  private:
    struct Both {
        Tensor queries;  // [B, T, H Kk]
        StateWrites writes;
    };
    // x [B, T, D]
    Both projected(const Tensor& x) const {
        const Tensor qkv = qkv_(x);
        const int64_t queries = sizes_.heads * key_size_;
        return {heads_.queries(slice(qkv, -1, 0, queries)), written(slice(qkv, -1, queries, qkv.dim(2)), x)};
    }
    // The keys' and values' heads side by side [B, S, G (Kk + Kv)], made of x.
    StateWrites written(const Tensor& key_value, const Tensor& x) const {
        const int64_t keys = sizes_.key_heads * key_size_;
        return heads_.writes(slice(key_value, -1, 0, keys), slice(key_value, -1, keys, key_value.dim(2)), x);
    }
    Output finished(const Tensor& read) const { return {out_(heads_.outputs(read))}; }

    HeadSizes sizes_;
    int64_t key_size_;
    bool causal_;
    StateHeads heads_;
    Linear query_, key_value_, qkv_, out_;
    std::string path_;
};

}  // namespace

Tensor unit_silu(const Tensor& x) { return unit_rows(silu(x)); }

std::unique_ptr<SourceAttention> StateAttention::to_source(const Scope& scope, const SourceSetup& setup) const {
    return std::make_unique<StateSource>(scope, kind_, options_, setup);
}

std::unique_ptr<BlockAttention> StateAttention::in_block(const Scope& scope, const BlockAttentionSetup& setup,
                                                         std::span<const Selection> heads) const {
    require_alike(scope, heads);
    return std::make_unique<StateBlock>(scope, kind_, options_, setup);
}

}  // namespace attend::ATTEND_PRECISION
