#pragma once
/// What the published layouts of transformers share.
#include <string>

#include "nn/blocks.h"
#include "nn/models/published.h"

namespace attend::ATTEND_PRECISION {

/// The form of the models that a layout can represent.
struct LayoutForm {
    const char *model, *kind;         ///< ours and theirs: "gpt", "GPT-2"
    const char *norm_place, *window;  ///< the only ones that it knows
};

/// Throws Error with the first option that a layout cannot represent: norms elsewhere or not layer
/// norms, no biases, positions that are not learned, fewer key heads, other attention, a gated
/// activation.
void require_form(const LayoutForm& form, const BlockOptions& blocks, const Pattern& attention, const Selection& positions);

/// An activation by the name that the layouts know it under: "gelu", "gelu_new", "relu".
std::string published_activation(const std::string& activation);

}  // namespace attend::ATTEND_PRECISION
