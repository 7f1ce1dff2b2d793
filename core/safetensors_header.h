#pragma once
/// The JSON header of a safetensors file, apart from the offsets' relation to the file: for core/safetensors.cpp alone.
#include "core/safetensors.h"

namespace attend::ATTEND_PRECISION::detail {

/// Appends to `tensors` and `metadata` what the header `text` says. `where` is the file's name for messages. Throws Error when
/// it is not JSON, not of the form the format fixes, or names something twice.
void parse_safetensors_header(const std::string& where, std::string_view text, std::vector<TensorInfo>& tensors,
                              Metadata& metadata);

/// `text` as a JSON string. Throws Error when it is not valid UTF-8.
std::string json_string(const std::string& where, std::string_view text);

/// A name for a message: one line, not endless.
std::string in_quotes(std::string_view name);

}  // namespace attend::ATTEND_PRECISION::detail
