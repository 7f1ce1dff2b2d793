#pragma once
/// The weights of a folder in the layout of Hugging Face's transformers library: one safetensors
/// file, or several ("shards").
#include <filesystem>
#include <string_view>
#include <vector>

#include "train/experiment/slots.h"

namespace attend::ATTEND_PRECISION {

struct PublishedWeights {
    /// Opens model.safetensors; or else the files that model.safetensors.index.json names; or else
    /// those called model-00001-of-0000N.safetensors, all N of them. Throws Error when there is
    /// none of these (weights in another form, as pytorch_model.bin, by name, with what turns them
    /// into safetensors); when shards are missing, all of them named; when the index is broken,
    /// names files outside of the folder, or tensors that its files do not hold; and for two files
    /// with tensors of one name.
    explicit PublishedWeights(const std::filesystem::path& folder);

    /// The file that holds a tensor; null where none does.
    const SafetensorsFile* holder(std::string_view name) const { return holder_of(files, name); }
    bool has(std::string_view name) const { return holder(name) != nullptr; }

    std::filesystem::path path;          ///< for messages: the file's, or the index's or the folder's
    std::vector<SafetensorsFile> files;  ///< one, or all shards in the order of their names
};

/// Whether the folder holds weights in one of these forms, or in one of the forms that are not
/// read.
bool holds_published_weights(const std::filesystem::path& folder);

}  // namespace attend::ATTEND_PRECISION
