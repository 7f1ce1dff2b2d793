#include "core/ops.h"
#include "tests/core/op_cases.h"
#include "tests/oracles/composites.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

void add_activations(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    const struct {
        const char* name;
        OpCase::Function op, composite;
    } elementwise[] = {
        {"gelu", [](Inputs in) { return gelu(in[0]); }, nullptr},
        {"gelu_tanh", [](Inputs in) { return gelu_tanh(in[0]); }, [](Inputs in) { return gelu_tanh_composite(in[0]); }},
        {"silu", [](Inputs in) { return silu(in[0]); }, [](Inputs in) { return silu_composite(in[0]); }},
    };
    for (const auto& e : elementwise) {
        all.push_back({e.name, {{{3, 7}, -4, 4}}, {3, 7}, e.op, e.composite});
        all.push_back({std::string(e.name) + " scalar", {{Shape{}, -4, 4}}, {}, e.op, e.composite});
        all.push_back({std::string(e.name) + " empty", {{2, 0}}, {2, 0}, e.op, nullptr, nothing});
    }
    const OpCase::Function gate = [](Inputs in) { return swiglu(in[0]); };
    all.push_back({"swiglu", {{{2, 3, 10}, -4, 4}}, {2, 3, 5}, gate, [](Inputs in) { return swiglu_composite(in[0]); }});
    all.push_back({"swiglu one axis", {{2}}, {1}, gate});
    all.push_back({"swiglu no columns", {{3, 0}}, {3, 0}, gate, nullptr, nothing});
    all.push_back({"swiglu no rows", {{0, 4}}, {0, 2}, gate, nullptr, nothing});
}

void add_norms(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    constexpr real e = real{1e-2};
    all.push_back({"rms_norm",
                   {{2, 3, 5}, {5}},
                   {2, 3, 5},
                   [](Inputs in) { return rms_norm(in[0], in[1], e); },
                   [](Inputs in) { return rms_norm_composite(in[0], in[1], e); }});
    all.push_back({"rms_norm plain",
                   {{4, 5}},
                   {4, 5},
                   [](Inputs in) { return rms_norm(in[0], {}, e); },
                   [](Inputs in) { return rms_norm_composite(in[0], {}, e); }});
    all.push_back({"rms_norm one axis", {{5}, {5}}, {5}, [](Inputs in) { return rms_norm(in[0], in[1], e); }});
    all.push_back(
        {"rms_norm no rows", {{0, 3}, {3}}, {0, 3}, [](Inputs in) { return rms_norm(in[0], in[1], e); }, nullptr, nothing});
    all.push_back(
        {"rms_norm no columns", {{3, 0}, {0}}, {3, 0}, [](Inputs in) { return rms_norm(in[0], in[1], e); }, nullptr, nothing});
}

void add_unit_rows(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    all.push_back({"unit_rows",
                   {{2, 3, 5}},
                   {2, 3, 5},
                   [](Inputs in) { return unit_rows(in[0]); },
                   [](Inputs in) { return unit_rows_composite(in[0], real{1e-6}); }});
    all.push_back({"unit_rows large epsilon",
                   {{4, 5}},
                   {4, 5},
                   [](Inputs in) { return unit_rows(in[0], real{0.5}); },
                   [](Inputs in) { return unit_rows_composite(in[0], real{0.5}); }});
    all.push_back({"unit_rows one axis", {{5}}, {5}, [](Inputs in) { return unit_rows(in[0]); }});
    all.push_back({"unit_rows no columns", {{3, 0}}, {3, 0}, [](Inputs in) { return unit_rows(in[0]); }, nullptr, nothing});
}

// Of two rows of six positions each, with waves on both sides of the ramp and on it.
const int32_t rotary_numbers[] = {0, 3, 4, 31, 32, 100, 7, 8, 9, 40, 63, 64};
constexpr RotaryOptions rotary_options(RotaryScaling scaling) {
    return {.base = 100, .scaling = scaling, .factor = scaling == RotaryScaling::none ? 1.0 : 3.0, .original = 40, .fast = 6};
}
template <RotaryScaling scaling>
Tensor rotary_scaled(Inputs in) {
    return rotary(in[0], 2, rotary_turns(8, rotary_options(scaling)), rotary_numbers, RotaryPairs::halves);
}
template <RotaryScaling scaling>
Tensor rotary_plainly(Inputs in) {
    return rotary_scaled_composite(in[0], 2, 8, rotary_numbers, rotary_options(scaling));
}

void add_rotary(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    all.push_back({"rotary",
                   {{2, 3, 8}},
                   {2, 3, 8},
                   [](Inputs in) { return rotary(in[0], 2, 4); },
                   [](Inputs in) { return rotary_composite(in[0], 2, 4, 0, 10000); }});
    all.push_back({"rotary first heads, later position, other base",
                   {{2, 5, 23}},
                   {2, 5, 23},
                   [](Inputs in) { return rotary(in[0], 3, 6, 1000, 500); },
                   [](Inputs in) { return rotary_composite(in[0], 3, 6, 1000, 500); }});
    all.push_back({"rotary over many positions",
                   {{1, 70, 4}},
                   {1, 70, 4},
                   [](Inputs in) { return rotary(in[0], 1, 4, 50); },
                   [](Inputs in) { return rotary_composite(in[0], 1, 4, 50, 10000); }});
    constexpr auto neighbouring = RotaryPairs::neighbouring;
    all.push_back({"rotary neighbouring pairs",
                   {{2, 3, 8}},
                   {2, 3, 8},
                   [](Inputs in) { return rotary(in[0], 2, 4, 0, 10000, neighbouring); },
                   [](Inputs in) { return rotary_matrix_composite(in[0], 2, 4, 0, 10000); }});
    all.push_back({"rotary neighbouring pairs, first heads, later position, other base",
                   {{2, 5, 79}},
                   {2, 5, 79},
                   [](Inputs in) { return rotary(in[0], 2, 38, 1000, 500, neighbouring); },
                   [](Inputs in) { return rotary_matrix_composite(in[0], 2, 38, 1000, 500); }});
    const auto scaled = [&](const char* name, OpCase::Function op, OpCase::Function composite) {
        all.push_back({name, {{2, 6, 19}}, {2, 6, 19}, op, composite});
    };
    scaled("rotary at numbers of its own", rotary_scaled<RotaryScaling::none>, rotary_plainly<RotaryScaling::none>);
    scaled("rotary linear", rotary_scaled<RotaryScaling::linear>, rotary_plainly<RotaryScaling::linear>);
    scaled("rotary ntk", rotary_scaled<RotaryScaling::ntk>, rotary_plainly<RotaryScaling::ntk>);
    scaled("rotary yarn", rotary_scaled<RotaryScaling::yarn>, rotary_plainly<RotaryScaling::yarn>);
    all.push_back({"rotary no heads", {{1, 2, 3}}, {1, 2, 3}, [](Inputs in) { return rotary(in[0], 0, 2); }});
    all.push_back({"rotary one pair", {{1, 1, 2}}, {1, 1, 2}, [](Inputs in) { return rotary(in[0], 1, 2, 3); }});
    all.push_back(
        {"rotary no positions", {{2, 0, 4}}, {2, 0, 4}, [](Inputs in) { return rotary(in[0], 1, 4); }, nullptr, nothing});
    all.push_back({"rotary no rows", {{0, 2, 4}}, {0, 2, 4}, [](Inputs in) { return rotary(in[0], 1, 4); }, nullptr, nothing});
}

Ranges causal(int64_t rows, int64_t length) {
    Ranges all;
    for (int64_t i = 0; i < rows * length; ++i) all.push_back({0, static_cast<int32_t>(i % length + 1)});
    return all;
}
// For 6 queries and 5 keys: all, none, inner, first, last, none at the end.
Ranges mixed() { return {{0, 5}, {2, 2}, {1, 4}, {0, 1}, {4, 5}, {5, 5}}; }

void add_relative(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    all.push_back({"relative_scores",
                   {{2, 4, 4}, {2, 4, 3}},
                   {2, 4, 4},
                   [](Inputs in) { return relative_scores(in[0], in[1], 0); },
                   [](Inputs in) { return relative_scores_composite(in[0], in[1], 0, {}); }});
    all.push_back({"relative_scores ranges, later position",
                   {{2, 3, 5}, {2, 3, 5}},
                   {2, 3, 5},
                   [](Inputs in) { return relative_scores(in[0], in[1], 2, mixed()); },
                   [](Inputs in) { return relative_scores_composite(in[0], in[1], 2, mixed()); }});
    all.push_back({"relative_scores no distance but one",
                   {{1, 2, 3}, {1, 2, 1}},
                   {1, 2, 3},
                   [](Inputs in) { return relative_scores(in[0], in[1], 7); },
                   [](Inputs in) { return relative_scores_composite(in[0], in[1], 7, {}); }});
    all.push_back({"relative_scores no keys",
                   {{2, 3, 0}, {2, 3, 3}},
                   {2, 3, 0},
                   [](Inputs in) { return relative_scores(in[0], in[1], 0); },
                   nullptr,
                   nothing});
    all.push_back({"relative_scores no rows",
                   {{0, 3, 2}, {0, 3, 3}},
                   {0, 3, 2},
                   [](Inputs in) { return relative_scores(in[0], in[1], 0); },
                   nullptr,
                   nothing});
}

void add_buckets(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    constexpr BucketSides both = BucketSides::both, past = BucketSides::past;
    all.push_back({"bucket_bias",
                   {{2, 6, 6}, {8}},
                   {2, 6, 6},
                   [](Inputs in) { return bucket_bias(in[0], in[1], 5, both, 0); },
                   [](Inputs in) { return bucket_bias_composite(in[0], in[1], 5, both, 0, {}); }});
    all.push_back({"bucket_bias of the past, later position, ranges",
                   {{2, 3, 5}, {4}},
                   {2, 3, 5},
                   [](Inputs in) { return bucket_bias(in[0], in[1], 4, past, 2, mixed()); },
                   [](Inputs in) { return bucket_bias_composite(in[0], in[1], 4, past, 2, mixed()); }});
    all.push_back({"bucket_bias one query",
                   {{2, 1, 5}, {4}},
                   {2, 1, 5},
                   [](Inputs in) { return bucket_bias(in[0], in[1], 9, both, 2); },
                   [](Inputs in) { return bucket_bias_composite(in[0], in[1], 9, both, 2, {}); }});
    all.push_back({"bucket_bias no keys",
                   {{2, 3, 0}, {4}},
                   {2, 3, 0},
                   [](Inputs in) { return bucket_bias(in[0], in[1], 9, both, 0); },
                   nullptr,
                   nothing});
    all.push_back({"bucket_bias no rows",
                   {{0, 3, 2}, {4}},
                   {0, 3, 2},
                   [](Inputs in) { return bucket_bias(in[0], in[1], 9, both, 0); },
                   nullptr,
                   nothing});
}

FusedAttentionOptions two_heads() {
    FusedAttentionOptions o;
    o.heads = 2;
    return o;
}
FusedAttentionOptions grouped() {
    FusedAttentionOptions o;
    o.heads = 4;
    o.key_heads = 2;
    o.scale = real{0.9};
    o.alibi = {real{0.5}, real{0.25}, real{-0.5}, 0};
    o.first_position = 2;
    return o;
}
FusedAttentionOptions dropping() {
    FusedAttentionOptions o = two_heads();
    o.dropout = real{0.4};
    o.draws = {stream_key(1, "attention"), 3, 1, 0, 0};
    return o;
}

void add_attention(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    all.push_back({"self_attention",
                   {{{2, 3, 12}, -2, 2}},
                   {2, 3, 4},
                   [](Inputs in) { return self_attention(in[0], two_heads()); },
                   [](Inputs in) { return self_attention_composite(in[0], two_heads(), {}); }});
    all.push_back({"self_attention causal",
                   {{{2, 4, 18}, -2, 2}},
                   {2, 4, 6},
                   [](Inputs in) { return self_attention(in[0], two_heads(), causal(2, 4)); },
                   [](Inputs in) { return self_attention_composite(in[0], two_heads(), causal(2, 4)); }});
    all.push_back({"self_attention grouped, alibi, causal",
                   {{{2, 3, 24}, -2, 2}},
                   {2, 3, 12},
                   [](Inputs in) { return self_attention(in[0], grouped(), causal(2, 3)); },
                   [](Inputs in) { return self_attention_composite(in[0], grouped(), causal(2, 3)); }});
    all.push_back({"self_attention dropout", {{2, 3, 12}}, {2, 3, 4}, [](Inputs in) {
                       return self_attention(in[0], dropping(), causal(2, 3));
                   }});
    all.push_back({"self_attention empty ranges",
                   {{2, 3, 6}},
                   {2, 3, 2},
                   [](Inputs in) { return self_attention(in[0], two_heads(), Ranges(6)); },
                   nullptr,
                   nothing});
    all.push_back({"self_attention 1 x 1",
                   {{1, 1, 3}},
                   {1, 1, 1},
                   [](Inputs in) { return self_attention(in[0], {}); },
                   [](Inputs in) { return self_attention_composite(in[0], {}, {}); }});
    all.push_back({"self_attention no rows",
                   {{0, 2, 6}},
                   {0, 2, 2},
                   [](Inputs in) { return self_attention(in[0], two_heads()); },
                   nullptr,
                   nothing});
    all.push_back({"self_attention no length",
                   {{2, 0, 6}},
                   {2, 0, 2},
                   [](Inputs in) { return self_attention(in[0], two_heads()); },
                   nullptr,
                   nothing});
    all.push_back({"cross_attention",
                   {{{2, 3, 6}, -2, 2}, {{2, 5, 12}, -2, 2}},
                   {2, 3, 6},
                   [](Inputs in) { return cross_attention(in[0], in[1], two_heads()); },
                   [](Inputs in) { return cross_attention_composite(in[0], in[1], two_heads(), {}); }});
    all.push_back({"cross_attention ranges, grouped, alibi",
                   {{{2, 3, 12}, -2, 2}, {{2, 5, 12}, -2, 2}},
                   {2, 3, 12},
                   [](Inputs in) { return cross_attention(in[0], in[1], grouped(), mixed()); },
                   [](Inputs in) { return cross_attention_composite(in[0], in[1], grouped(), mixed()); }});
    all.push_back({"cross_attention of one shape",
                   {{2, 3, 4}, {2, 3, 4}},
                   {2, 3, 4},
                   [](Inputs in) {
                       FusedAttentionOptions o = two_heads();
                       o.key_heads = 1;
                       return cross_attention(in[0], in[1], o);
                   },
                   [](Inputs in) {
                       FusedAttentionOptions o = two_heads();
                       o.key_heads = 1;
                       return cross_attention_composite(in[0], in[1], o, {});
                   }});
    all.push_back({"cross_attention dropout", {{2, 3, 4}, {2, 5, 8}}, {2, 3, 4}, [](Inputs in) {
                       return cross_attention(in[0], in[1], dropping(), mixed());
                   }});
    all.push_back({"cross_attention no keys",
                   {{2, 3, 4}, {2, 0, 8}},
                   {2, 3, 4},
                   [](Inputs in) { return cross_attention(in[0], in[1], two_heads()); },
                   nullptr,
                   nothing});
}

}  // namespace

std::vector<OpCase> transformer_op_cases() {
    std::vector<OpCase> all;
    add_activations(all);
    add_norms(all);
    add_unit_rows(all);
    add_rotary(all);
    add_relative(all);
    add_buckets(all);
    add_attention(all);
    return all;
}

}  // namespace attend::ATTEND_PRECISION::oracles
