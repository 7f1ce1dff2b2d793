#pragma once
/// Tokens that stand for no text, after the ids of a tokenizer that has none of that name.
#include "data/text/tokenizer.h"

namespace attend {

constexpr const char *mask_name = "[MASK]", *begin_name = "[CLS]", *end_name = "[SEP]";
/// What encoders need (Devlin 2018). All their tasks add the same, so that a model can be trained
/// on one and then on another.
inline const std::vector<std::string> encoder_tokens = {mask_name, begin_name, end_name};

/// The tokenizer with one more id for each of `names` that it does not know as special(), in that
/// order. They decode to their names, text never encodes to them, and save() leaves them out: who
/// loads the file asks for them again.
std::unique_ptr<Tokenizer> with_special_tokens(std::unique_ptr<Tokenizer> tokenizer, const std::vector<std::string>& names);

}  // namespace attend
