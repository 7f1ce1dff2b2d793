#include "nn/models/transformer_layout.h"

namespace attend::ATTEND_PRECISION {

void require_form(const LayoutForm& form, const BlockOptions& b, const Pattern& attention, const Selection& positions) {
    const auto only = [&](const char* option, const std::string& value, const std::string& there) {
        require(value == there, "model {}: the layout of {} has no place for this model: model.{} {}, there {}", form.model,
                form.kind, option, value, there);
    };
    only("norm_place", b.norm_place, form.norm_place);
    only("norm", b.norm, "layer");
    only("bias", b.bias ? "true" : "false", "true");
    only("feed_forward", b.feed_forward ? "true" : "false", "true");
    only("positions", positions.name(), "learned");
    only("positions", text_of(positions), text_of(Selection(positions.seam(), "learned")));
    only("key_heads", std::to_string(b.key_heads == 0 ? b.heads : b.key_heads), std::to_string(b.heads));
    Selection of_theirs = transformer_attention(form.window);
    only("attention", attention.uniform() ? "of all layers and heads alike" : "of some layers or heads",
         "of all layers and heads alike");
    only("attention.type", attention.first().name(), of_theirs.name());
    const AttentionOptions &a = attention.first().as<AttentionOptions>(), &theirs = factors_of(of_theirs);
    only("attention.score", text_of(a.score), text_of(theirs.score));
    only("attention.bias", text_of(a.bias), text_of(theirs.bias));
    only("attention.window", text_of(a.window), text_of(theirs.window));
    only("attention.align", text_of(a.align), text_of(theirs.align));
    only("attention.select", text_of(a.select), text_of(theirs.select));
    only("attention.gate", a.gate, theirs.gate);
    only("attention.talking", a.talking ? "true" : "false", "false");
    only("attention.differential", a.differential ? "true" : "false", "false");
    require(b.activation == "gelu" || b.activation == "gelu_tanh" || b.activation == "relu",
            "model {}: the layout of {} has no place for this model: model.activation {}, there {}", form.model, form.kind,
            b.activation, "gelu, gelu_tanh or relu");
}

std::string published_activation(const std::string& activation) { return activation == "gelu_tanh" ? "gelu_new" : activation; }

}  // namespace attend::ATTEND_PRECISION
