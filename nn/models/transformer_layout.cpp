#include "nn/models/transformer_layout.h"

namespace attend::ATTEND_PRECISION {

void require_form(const LayoutForm& form, const BlockOptions& b, const AttentionOptions& a, const std::string& positions) {
    const auto only = [&](const char* option, const std::string& value, const std::string& there) {
        require(value == there, "model {}: the layout of {} has no place for this model: model.{} {}, there {}", form.model,
                form.kind, option, value, there);
    };
    only("norm_place", b.norm_place, form.norm_place);
    only("norm", b.norm, "layer");
    only("bias", b.bias ? "true" : "false", "true");
    only("positions", positions, "learned");
    only("key_heads", std::to_string(b.key_heads == 0 ? b.heads : b.key_heads), std::to_string(b.heads));
    const AttentionOptions theirs = transformer_attention(form.window);
    only("attention.score", a.score.name(), theirs.score.name());
    only("attention.bias", a.bias.name(), theirs.bias.name());
    only("attention.window", a.window.name(), theirs.window.name());
    only("attention.align", a.align.name(), theirs.align.name());
    only("attention.select", a.select.name(), theirs.select.name());
    require(b.activation == "gelu" || b.activation == "gelu_tanh" || b.activation == "relu",
            "model {}: the layout of {} has no place for this model: model.activation {}, there {}", form.model, form.kind,
            b.activation, "gelu, gelu_tanh or relu");
}

std::string published_activation(const std::string& activation) { return activation == "gelu_tanh" ? "gelu_new" : activation; }

}  // namespace attend::ATTEND_PRECISION
