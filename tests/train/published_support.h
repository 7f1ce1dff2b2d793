#pragma once
/// Folders in published layouts for tests, made with the project's own writer.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "nn/models/gpt.h"
#include "tests/train/run_support.h"
#include "train/exchange/published.h"

namespace attend::ATTEND_PRECISION::testing {

using Arrays = std::map<std::string, NamedArray>;
/// Writes the weights file of a published folder again with a change of its arrays.
inline void rewrite_weights(const std::filesystem::path& folder, const std::function<void(Arrays&)>& change) {
    const std::filesystem::path weights = folder / "model.safetensors";
    Arrays arrays;
    std::vector<Tensor> values;
    {
        const SafetensorsFile file(weights);
        for (const TensorInfo& t : file.tensors()) {
            values.push_back(file.read(t.name));
            arrays[t.name] = {t.name, t.shape, values.back().data()};
        }
    }
    change(arrays);
    std::vector<NamedArray> all;
    for (auto& [name, array] : arrays) {
        array.name = name;
        all.push_back(array);
    }
    write_safetensors(weights, all);
}

inline GptOptions small_gpt() {
    GptOptions o;
    o.blocks.layers = 2;
    o.blocks.heads = 2;
    o.blocks.width = 6;
    o.context = 5;
    return o;
}

/// A folder in the layout of GPT-2, as `attend export` writes it.
struct PublishedGpt {
    oracles::TemporaryFolder folder;
    ParameterStore store{7};
    Gpt model;
    std::filesystem::path path = folder / "gpt2";
    std::vector<std::string> notes;  // of the last reading
    explicit PublishedGpt(const GptOptions& options = small_gpt()) : model(options, Scope(store), {0, 9}) {
        write_published(path, model.published_layout(), store);
    }

    /// The weights file written again with a change of its arrays.
    void rewrite(const std::function<void(Arrays&)>& change) { rewrite_weights(path, change); }
    /// The weights file cut into one for each of `names`, each tensor in the file that its number
    /// gives; the one file is gone.
    void cut(const std::vector<std::string>& names) const {
        const std::filesystem::path weights = path / "model.safetensors";
        {
            const SafetensorsFile file(weights);
            for (std::size_t n = 0; n < names.size(); ++n) {
                std::vector<NamedArray> arrays;
                std::vector<Tensor> values;
                for (std::size_t t = n; t < file.tensors().size(); t += names.size()) {
                    values.push_back(file.read(file.tensors()[t].name));
                    arrays.push_back({file.tensors()[t].name, file.tensors()[t].shape, values.back().data()});
                }
                write_safetensors(path / names[n], arrays);
            }
        }
        std::filesystem::remove(weights);
    }
    /// What reading into another model says; "" and equal weights where it succeeds.
    std::string read(const GptOptions& options = small_gpt(), int64_t vocabulary = 9) {
        ParameterStore other(8);
        const Gpt reader(options, Scope(other), {0, vocabulary});
        notes.clear();
        const std::string said = message_of([&] { notes = read_published(path, reader.published_layout(), other, {}).notes; });
        if (said.empty())
            for (const Parameter& p : store.table())
                CHECK(std::memcmp(store.values(p), other.values(*other.find(p.name)),
                                  static_cast<std::size_t>(p.shape.size()) * sizeof(real)) == 0);
        return said;
    }
};

}  // namespace attend::ATTEND_PRECISION::testing
