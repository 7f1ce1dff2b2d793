#pragma once
/// Folders in the layout of Hugging Face's transformers library: config.json and model.safetensors
/// (nn/models/published.h).
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/parameters.h"
#include "nn/models/model.h"

namespace attend::ATTEND_PRECISION {

/// Whether a folder holds a published model: a config.json that names a "model_type" or
/// "architectures", or stands beside weights (train/exchange/published_weights.h), and no run.
/// Throws Error when its config.json is no JSON object.
bool is_published(const std::filesystem::path& folder);

/// Accepts the names of parameters that are to be read; none given: all are.
using WantedNames = std::function<bool(const std::string&)>;

/// What becomes of a folder whose vocabulary is larger than the model's ("vocab_size" padded to a
/// round number).
enum class MoreIds {
    refused,
    left_out,  ///< the first ids are read: those beyond the model's stand for no token
};

struct PublishedRead {
    std::size_t filled = 0;          ///< parameters
    std::vector<std::string> notes;  ///< what was read in another way than as it stands, for the log
};

/// Fills the parameters that `wanted` accepts from the folder. A tensor that the model has once and
/// files may hold twice (an output layer that is the embedding) is read from either. Throws Error
/// when config.json cannot be read, describes another model (each entry that differs with both
/// values), or leaves open which kind it is; when such a tensor is there twice with different
/// values; as PublishedWeights; and, naming all of them, when tensors are missing, of another
/// shape, or unknown.
PublishedRead read_published(const std::filesystem::path& folder, const PublishedLayout& layout, ParameterStore& store,
                             const WantedNames& wanted, MoreIds more = MoreIds::refused);

/// Writes config.json and model.safetensors into the folder, which is made if need be. Throws Error
/// when it holds either already, or a link of that name, and as write_safetensors().
void write_published(const std::filesystem::path& folder, const PublishedLayout& layout, ParameterStore& store);

}  // namespace attend::ATTEND_PRECISION
