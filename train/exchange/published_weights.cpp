#include "train/exchange/published_weights.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/json_text.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* one_file = "model.safetensors";
constexpr const char* index_file = "model.safetensors.index.json";
constexpr std::size_t most_index_bytes = std::size_t{1} << 26;

// Weights that other programs write and nobody but them reads.
constexpr const char* other_forms[] = {"pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack",
                                       "model.ckpt.index"};

bool is_file(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

// "model-00002-of-00007.safetensors"
struct ShardName {
    int number = 0, count = 0;
};
std::string shard_file(int number, int count) { return fmt::format("model-{:05}-of-{:05}.safetensors", number, count); }
ShardName shard_name(const std::string& name) {
    ShardName shard;
    const int read = std::sscanf(name.c_str(), "model-%5d-of-%5d", &shard.number, &shard.count);
    return read == 2 && name == shard_file(shard.number, shard.count) ? shard : ShardName();
}

std::map<std::string, ShardName> shards_in(const fs::path& folder) {
    std::map<std::string, ShardName> found;
    std::error_code ignored;
    for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored))
        if (const ShardName shard = shard_name(entry->path().filename().string()); shard.number > 0 && shard.count > 0)
            found.emplace(entry->path().filename().string(), shard);
    return found;
}

[[noreturn]] void refuse_form(const fs::path& file) {
    constexpr std::string_view pickle = ".bin";
    fail(
        "{}: weights are read from safetensors files alone; {}", file.string(),
        file.string().ends_with(pickle)
            ? fmt::format(
                  "python3 -c \"import torch, safetensors.torch as s; s.save_file({{k: v.clone().contiguous() for k, v in "
                  "torch.load('{}', map_location='cpu', weights_only=True).items()}}, '{}')\" in that folder makes what "
                  "is read",
                  file.filename().string(), one_file)
            : std::string("loaded with transformers, save_pretrained() makes what is read; of pytorch_model-0000M-of-0000N.bin "
                          "each is to become model-0000M-of-0000N.safetensors"));
}

std::vector<SafetensorsFile> files_of_index(const fs::path& path) {
    const auto index = load_json<nlohmann::json>(path, most_index_bytes);
    require(
        index.is_object() && index.contains("weight_map") && index["weight_map"].is_object() && !index["weight_map"].empty(),
        "{}: no index of shards: \"weight_map\", an object of tensors and files, is needed: found a JSON {}", path.string(),
        index.type_name());
    std::map<std::string, std::vector<std::string>> tensors_of;
    for (const auto& [tensor, file] : index["weight_map"].items()) {
        require(file.is_string(), "{}: a file's name is a text: tensor '{}', found a JSON {}", path.string(), tensor,
                file.type_name());
        const auto name = file.get<std::string>();
        require(!name.empty() && name.find('/') == std::string::npos && name != "." && name != "..",
                "{}: a shard stands in the folder itself: tensor '{}', file '{}'", path.string(), tensor, name);
        tensors_of[name].push_back(tensor);
    }
    std::vector<std::string> missing;
    for (const auto& [name, tensors] : tensors_of)
        if (!is_file(path.parent_path() / name))
            missing.push_back(name);
    require(missing.empty(), "{}: shards are missing: {} of {}: {}", path.string(), missing.size(), tensors_of.size(),
            fmt::join(missing, ", "));
    std::vector<SafetensorsFile> files;
    for (const auto& [name, tensors] : tensors_of) {
        const SafetensorsFile& file = files.emplace_back(path.parent_path() / name);
        for (const std::string& tensor : tensors)
            require(file.has(tensor), "{}: a tensor is not where the index says: '{}' in {}, tensors there {}", path.string(),
                    tensor, name, file.tensors().size());
    }
    return files;
}

std::vector<SafetensorsFile> files_of_shards(const fs::path& folder) {
    const std::map<std::string, ShardName> found = shards_in(folder);
    if (found.empty()) {
        for (const char* name : other_forms)
            if (is_file(folder / name))
                refuse_form(folder / name);
        fail("{}: no weights in this folder: looked for {}, {} and model-0000M-of-0000N.safetensors", folder.string(), one_file,
             index_file);
    }
    const int count = found.begin()->second.count;
    for (const auto& [name, shard] : found)
        require(shard.count == count && shard.number <= count, "{}: shards of two models: {} and {}", folder.string(),
                found.begin()->first, name);
    const auto size = static_cast<int>(found.size());
    std::vector<std::string> missing;
    for (int i = 1; i <= count && missing.size() < 100; ++i)
        if (const std::string name = shard_file(i, count); !found.contains(name))
            missing.push_back(name);
    require(size == count, "{}: shards are missing: {} of {}: {}", folder.string(), count - size, count,
            fmt::join(missing, ", "));
    std::vector<SafetensorsFile> files;
    for (const auto& [name, shard] : found) files.emplace_back(folder / name);
    return files;
}

}  // namespace

bool holds_published_weights(const fs::path& folder) {
    const auto is_here = [&](const char* name) { return is_file(folder / name); };
    return is_here(one_file) || is_here(index_file) || std::ranges::any_of(other_forms, is_here) || !shards_in(folder).empty();
}

PublishedWeights::PublishedWeights(const fs::path& folder) : path(folder / one_file) {
    if (is_file(path)) {
        files.emplace_back(path);
        return;
    }
    const bool indexed = is_file(folder / index_file);
    path = indexed ? folder / index_file : folder;
    files = indexed ? files_of_index(path) : files_of_shards(folder);
    std::map<std::string_view, const SafetensorsFile*> holders;
    for (const SafetensorsFile& file : files)
        for (const TensorInfo& t : file.tensors()) {
            const auto [at, fresh] = holders.emplace(t.name, &file);
            require(fresh, "{}: two files hold one tensor: '{}' is in {} and in {}", path.string(), t.name,
                    at->second->path().filename().string(), file.path().filename().string());
        }
}

}  // namespace attend::ATTEND_PRECISION
