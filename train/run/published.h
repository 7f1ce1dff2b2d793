#pragma once
/// Folders in the layout of Hugging Face's transformers library: config.json and model.safetensors (nn/models/published.h).
#include <filesystem>
#include <string>

#include "core/parameters.h"
#include "nn/models/model.h"
#include "train/run/slots.h"

namespace attend::inline ATTEND_PRECISION {

/// Whether a folder holds a published model: a config.json that names a "model_type", and no run.
bool is_published(const std::filesystem::path& folder);

/// Fills the parameters that `wanted` accepts (none given: all) from the folder. Throws Error when config.json cannot be read
/// or describes another model (each entry that differs with both values), and, naming all of them, when tensors are missing, of
/// another shape, or unknown. Gives the number of parameters filled.
std::size_t read_published(const std::filesystem::path& folder, const PublishedLayout& layout, ParameterStore& store,
                           const std::function<bool(const std::string&)>& wanted);

/// Writes config.json and model.safetensors into the folder, which is made if need be. Throws Error when it holds either
/// already, or a link of that name, and as write_safetensors().
void write_published(const std::filesystem::path& folder, const PublishedLayout& layout, ParameterStore& store);

}  // namespace attend::inline ATTEND_PRECISION
