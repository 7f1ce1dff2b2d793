// The layout of GPT-2 in Hugging Face's transformers library.
#include "nn/models/gpt.h"
#include "nn/models/transformer_layout.h"

namespace attend::ATTEND_PRECISION {

PublishedLayout Gpt::published_layout() const {
    const BlockOptions& b = options_.blocks;
    require_form({"gpt", "GPT-2", "pre", "causal"}, b, options_.attention, options_.positions);
    PublishedLayout l;
    l.model_type = "gpt2";
    l.architecture = "GPT2LMHeadModel";
    l.family = "GPT2";
    l.prefix = "transformer.";
    l.telling = "h.0.attn.c_attn.weight";
    const auto both = [&](const std::string& theirs_name, const std::string& ours) {
        for (const char* part : {".weight", ".bias"}) l.tensors.push_back({l.prefix + theirs_name + part, ours + part});
    };
    l.tensors.push_back({l.prefix + "wte.weight", "embedding.weight", Transpose::no, 0, 0, PublishedRows::ids});
    l.tensors.push_back({l.prefix + "wpe.weight", "position.weight"});
    for (int64_t i = 0; i < b.layers; ++i) {
        const std::string h = "h." + std::to_string(i), d = "decoder." + std::to_string(i);
        both(h + ".ln_1", d + ".self_norm");
        both(h + ".attn.c_attn", d + ".self.qkv");  // a Conv1D: [in, out], queries, keys and values side by side, as here
        both(h + ".attn.c_proj", d + ".self.out");
        both(h + ".ln_2", d + ".ffn_norm");
        both(h + ".mlp.c_fc", d + ".ffn.up");
        both(h + ".mlp.c_proj", d + ".ffn.down");
    }
    both("ln_f", "decoder.norm");
    if (options_.tie)
        l.copies.push_back({"lm_head.weight", l.prefix + "wte.weight", "embedding.weight"});
    else
        l.tensors.push_back({"lm_head.weight", "head.weight", Transpose::yes, 0, 0, PublishedRows::ids});
    l.passed_over = {"h.*.attn.bias", "h.*.attn.masked_bias"};
    l.decisive = {{"vocab_size", vocabulary_},
                  {"n_positions", options_.context},
                  {"n_embd", b.width},
                  {"n_layer", b.layers},
                  {"n_head", b.heads},
                  {"n_inner", b.ffn_width()},
                  {"activation_function", published_activation(b.activation)},
                  {"layer_norm_epsilon", b.norm_epsilon}};
    l.unsaid = {{"n_head", int64_t{12}},
                {"activation_function", std::string("gelu_new")},
                {"layer_norm_epsilon", 1e-5},
                {"tie_word_embeddings", true}};
    l.only = {{"scale_attn_by_inverse_layer_idx", false},
              {"scale_attn_weights", true},
              {"add_cross_attention", false},
              {"tie_word_embeddings", options_.tie}};
    l.further = {{"n_ctx", options_.context},
                 {"embd_pdrop", b.dropout},
                 {"attn_pdrop", b.dropout},
                 {"resid_pdrop", b.dropout},
                 {"initializer_range", options_.init},
                 {"tie_word_embeddings", options_.tie},
                 {"scale_attn_weights", true}};
    return l;
}

}  // namespace attend::ATTEND_PRECISION
