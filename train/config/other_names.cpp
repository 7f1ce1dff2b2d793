#include "train/config/other_names.h"

namespace attend::config {

std::span<const OtherName> other_names() {
    static constexpr OtherName table[] = {
        // the optimiser
        {"lr", "learning_rate"},
        {"base_lr", "learning_rate"},
        {"max_lr", "learning_rate"},
        {"peak_lr", "learning_rate"},
        {"step_size", "learning_rate"},
        {"wd", "weight_decay"},
        {"l2", "weight_decay"},
        {"eps", "epsilon"},
        {"optim", "optimizer"},
        {"optimiser", "optimizer"},
        // the schedule
        {"scheduler", "schedule"},
        {"lr_scheduler", "schedule"},
        {"lr_schedule", "schedule"},
        {"min_lr", "final"},
        {"end_lr", "final"},
        {"warmup_steps", "warmup"},
        {"warmup_iters", "warmup"},
        {"num_warmup_steps", "warmup"},
        // how long and how much
        {"max_steps", "steps"},
        {"num_steps", "steps"},
        {"train_steps", "steps"},
        {"iterations", "steps"},
        {"max_iters", "steps"},
        {"num_epochs", "epochs"},
        {"max_epochs", "epochs"},
        {"num_train_epochs", "epochs"},
        {"batch_size", "batch"},
        {"bs", "batch"},
        {"minibatch", "batch"},
        {"eval_batch_size", "evaluate_batch"},
        {"grad_accum", "accumulate"},
        {"accumulate_grad_batches", "accumulate"},
        {"gradient_accumulation_steps", "accumulate"},
        {"grad_clip", "clip_norm"},
        {"gradient_clip_val", "clip_norm"},
        {"max_grad_norm", "clip_norm"},
        {"clip_grad_norm", "clip_norm"},
        {"early_stopping_patience", "patience"},
        {"ema", "average"},
        {"ema_decay", "average"},
        {"random_seed", "seed"},
        {"log_interval", "log_every"},
        {"logging_steps", "log_every"},
        {"eval_interval", "evaluate_every"},
        {"eval_every", "evaluate_every"},
        {"eval_steps", "evaluate_every"},
        {"save_steps", "checkpoint_every"},
        {"save_every", "checkpoint_every"},
        {"save_total_limit", "keep"},
        {"max_time", "max_seconds"},
        {"criterion", "objective"},
        // the model
        {"num_layers", "layers"},
        {"n_layers", "layers"},
        {"n_layer", "layers"},
        {"depth", "layers"},
        {"num_hidden_layers", "layers"},
        {"num_heads", "heads"},
        {"n_heads", "heads"},
        {"n_head", "heads"},
        {"nhead", "heads"},
        {"num_attention_heads", "heads"},
        {"d_model", "width"},
        {"n_embd", "width"},
        {"hidden_size", "hidden"},
        {"hidden_size", "width"},
        {"hidden_dim", "hidden"},
        {"hidden_dim", "width"},
        {"embedding_dim", "embedding"},
        {"embedding_size", "embedding"},
        {"embed_dim", "embedding"},
        {"embed_dim", "width"},
        {"emb_dim", "embedding"},
        {"d_ff", "ffn"},
        {"dim_feedforward", "ffn"},
        {"intermediate_size", "ffn"},
        {"block_size", "context"},
        {"seq_len", "context"},
        {"n_ctx", "context"},
        {"max_seq_len", "context"},
        {"max_position_embeddings", "context"},
        {"dropout_rate", "dropout"},
        {"drop_rate", "dropout"},
        {"rnn_type", "cell"},
        {"tie_weights", "tie"},
        {"tie_word_embeddings", "tie"},
        // the data and decoding
        {"dataset", "data"},
        {"vocab_size", "max_vocabulary"},
        {"min_freq", "min_count"},
        {"num_beams", "beam"},
        {"beam_size", "beam"},
        {"beam_width", "beam"},
        {"max_new_tokens", "max_length"},
    };
    return table;
}

std::vector<std::string> our_names(std::string_view theirs) {
    std::vector<std::string> names;
    for (const OtherName& row : other_names())
        if (row.theirs == theirs)
            names.emplace_back(row.ours);
    return names;
}

}  // namespace attend::config
