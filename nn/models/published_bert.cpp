// The layout of BERT in Hugging Face's transformers library.
#include "nn/models/bert.h"
#include "nn/models/transformer_layout.h"

namespace attend::ATTEND_PRECISION {

PublishedLayout Bert::published_layout() const {
    const BlockOptions& b = options_.blocks;
    const LayoutForm form{"bert", "BERT", "post", "global"};
    require_form(form, b, options_.attention, options_.positions);
    require(options_.segments > 0, "model bert: the layout of BERT has no place for this model: model.segments {}, there {}", 0,
            "1 or more");
    PublishedLayout l;
    l.model_type = "bert";
    l.family = "Bert";
    l.prefix = "bert.";
    l.telling = "bert.embeddings.word_embeddings.weight";  // without the prefix RoBERTa's is the same
    l.architecture = !predicts_targets() ? "BertForSequenceClassification"
                     : classes_ > 0      ? "BertForPreTraining"
                                         : "BertForMaskedLM";
    // A head that this model does not have belongs to other models of its kind.
    const auto head = [&](bool here) { return here ? &l.tensors : &l.elsewhere; };
    const auto norm = [](std::vector<PublishedTensor>* to, const std::string& theirs, const std::string& ours) {
        for (const char* part : {".weight", ".bias"}) to->push_back({theirs + part, ours + part});
    };
    const auto linear = [](std::vector<PublishedTensor>* to, const std::string& theirs, const std::string& ours,
                           int64_t first = 0, int64_t columns = 0) {
        to->push_back({theirs + ".weight", ours + ".weight", Transpose::yes, first, columns});
        to->push_back({theirs + ".bias", ours + ".bias", Transpose::no, first, columns});
    };
    const std::string words = "bert.embeddings.word_embeddings.weight";
    l.tensors.push_back({words, "embedding.word.weight", Transpose::no, 0, 0, PublishedRows::ids});
    l.tensors.push_back({"bert.embeddings.position_embeddings.weight", "embedding.position.weight"});
    l.tensors.push_back({"bert.embeddings.token_type_embeddings.weight", "embedding.segment.weight"});
    norm(&l.tensors, "bert.embeddings.LayerNorm", "embedding.norm");
    for (int64_t i = 0; i < b.layers; ++i) {
        const std::string t = fmt::format("bert.encoder.layer.{}.", i), e = fmt::format("encoder.{}.", i);
        int64_t first = 0;
        for (const char* part : {"query", "key", "value"}) {
            linear(&l.tensors, t + "attention.self." + part, e + "self.qkv", first, b.width);
            first += b.width;
        }
        linear(&l.tensors, t + "attention.output.dense", e + "self.out");
        norm(&l.tensors, t + "attention.output.LayerNorm", e + "self_norm");
        linear(&l.tensors, t + "intermediate.dense", e + "ffn.up");
        linear(&l.tensors, t + "output.dense", e + "ffn.down");
        norm(&l.tensors, t + "output.LayerNorm", e + "ffn_norm");
    }
    linear(head(classes_ > 0), "bert.pooler.dense", "pooler");
    linear(head(predicts_targets()), "cls.predictions.transform.dense", "masked.dense");
    norm(head(predicts_targets()), "cls.predictions.transform.LayerNorm", "masked.norm");
    head(predicts_targets())->push_back({"cls.predictions.bias", "masked.bias", Transpose::no, 0, 0, PublishedRows::ids});
    l.copies = {{"cls.predictions.decoder.weight", words, "masked.bias"},
                {"cls.predictions.decoder.bias", "cls.predictions.bias", "masked.bias"}};
    linear(head(predicts_targets() && classes_ > 0), "cls.seq_relationship", "relation");
    linear(head(!predicts_targets()), "classifier", "classifier");
    l.passed_over = {"embeddings.position_ids"};
    l.older = {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}};
    l.decisive = {{"vocab_size", vocabulary_},
                  {"hidden_size", b.width},
                  {"num_hidden_layers", b.layers},
                  {"num_attention_heads", b.heads},
                  {"intermediate_size", b.ffn_width()},
                  {"hidden_act", published_activation(b.activation)},
                  {"max_position_embeddings", options_.context},
                  {"type_vocab_size", options_.segments},
                  {"layer_norm_eps", b.norm_epsilon}};
    l.unsaid = {{"num_attention_heads", int64_t{12}}, {"hidden_act", std::string("gelu")}, {"layer_norm_eps", 1e-12}};
    l.only = {{"position_embedding_type", std::string("absolute")},
              {"is_decoder", false},
              {"add_cross_attention", false},
              {"tie_word_embeddings", true}};
    l.further = {{"position_embedding_type", std::string("absolute")},
                 {"hidden_dropout_prob", b.dropout},
                 {"attention_probs_dropout_prob", b.dropout},
                 {"initializer_range", options_.init},
                 {"tie_word_embeddings", true}};
    if (!predicts_targets())
        l.further.push_back({"num_labels", classes_});
    return l;
}

}  // namespace attend::ATTEND_PRECISION
