#pragma once
#include <string>

#include "data/task.h"
#include "nn/models/model.h"
#include "train/evaluate/attention_map.h"
#include "train/evaluate/decode/decoded.h"

namespace attend {

/// The attention of one decoded example as a picture: a row for each decoded symbol ("</s>" for the
/// end), a column for each source symbol. `source` is its row's ids. "" when no attention was
/// collected.
std::string attention_picture(const Task& task, std::span<const int32_t> source, const Decoded& decoded, MapStyle style);

/// The attention of a split's first example as the model decodes it, greedily; "" when there is
/// none. `max_length` as decode_limits().
std::string first_picture(const Model& model, const Task& task, Split split, int64_t max_length);

}  // namespace attend
