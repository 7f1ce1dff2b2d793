#pragma once
/// What the published layouts of transformers share.
#include <string>

#include "nn/blocks.h"
#include "nn/models/published.h"

namespace attend::ATTEND_PRECISION {

/// What a layout has been published for.
struct LayoutForm {
    const char *model, *kind;         ///< ours and theirs: "gpt", "GPT-2"
    const char *norm_place, *window;  ///< the only ones that it knows
};

/// Throws Error naming the first option that a layout has no place for: norms elsewhere or others than layer norm, no biases,
/// positions that are not learned, fewer key heads, other attention, a gated activation.
void require_form(const LayoutForm& form, const BlockOptions& blocks, const AttentionOptions& attention,
                  const std::string& positions);

/// An activation by the name that the layouts know it under: "gelu", "gelu_new", "relu".
std::string published_activation(const std::string& activation);

}  // namespace attend::ATTEND_PRECISION
