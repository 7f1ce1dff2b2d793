#include "train/config/other_names.h"

#include "train/config/words.h"

namespace attend::config {

std::vector<OtherName> other_names() {
    static constexpr struct {
        const char *ours, *theirs;
    } table[] = {
        // the optimiser
        {"learning_rate", "lr base_lr max_lr peak_lr step_size"},
        {"weight_decay", "wd l2"},
        {"epsilon", "eps"},
        {"optimizer", "optim optimiser"},
        // the schedule
        {"schedule", "scheduler lr_scheduler lr_schedule"},
        {"final", "min_lr end_lr"},
        {"warmup", "warmup_steps warmup_iters num_warmup_steps"},
        // how long and how much
        {"steps", "max_steps num_steps train_steps iterations max_iters"},
        {"epochs", "num_epochs max_epochs num_train_epochs"},
        {"batch", "batch_size bs minibatch"},
        {"evaluate_batch", "eval_batch_size"},
        {"accumulate", "grad_accum accumulate_grad_batches gradient_accumulation_steps"},
        {"clip_norm", "grad_clip gradient_clip_val max_grad_norm clip_grad_norm"},
        {"patience", "early_stopping_patience"},
        {"average", "ema ema_decay"},
        {"seed", "random_seed"},
        {"log_every", "log_interval logging_steps"},
        {"evaluate_every", "eval_interval eval_every eval_steps"},
        {"checkpoint_every", "save_steps save_every"},
        {"keep", "save_total_limit"},
        {"max_seconds", "max_time"},
        {"objective", "criterion"},
        // the model
        {"layers", "num_layers n_layers n_layer depth num_hidden_layers"},
        {"heads", "num_heads n_heads n_head nhead num_attention_heads"},
        {"hidden", "hidden_size hidden_dim"},
        {"embedding", "embedding_dim embedding_size embed_dim emb_dim"},
        {"ffn", "d_ff dim_feedforward intermediate_size"},
        {"context", "block_size seq_len n_ctx max_seq_len max_position_embeddings"},
        {"dropout", "dropout_rate drop_rate"},
        {"cell", "rnn_type"},
        {"tie", "tie_weights tie_word_embeddings"},
        {"width", "d_model n_embd hidden_size hidden_dim embed_dim"},
        // the data and decoding
        {"data", "dataset"},
        {"max_vocabulary", "vocab_size"},
        {"min_count", "min_freq"},
        {"beam", "num_beams beam_size beam_width"},
        {"max_length", "max_new_tokens"},
    };
    std::vector<OtherName> names;
    for (const auto& [ours, theirs] : table)
        for (const std::string& name : parts_of(theirs, ' ')) names.push_back({name, ours});
    return names;
}

std::vector<std::string> our_names(std::string_view theirs) {
    std::vector<std::string> names;
    for (const OtherName& name : other_names())
        if (name.theirs == theirs)
            names.push_back(name.ours);
    return names;
}

}  // namespace attend::config
