#pragma once
/// The attention maps that a run keeps of a few examples, evaluation by evaluation, in
/// RUN/maps/step-N.safetensors: a tensor [rows, columns] for each example and site, named
/// "NUMBER/SITE", and what they are of as JSON under "maps" in the file's metadata:
///
///     {"format": 1, "step": N, "split": "valid", "examples": [{
///         "number": 0, "source": [symbols], "input": [symbols], "target": [symbols], "predicted": [symbols],
///         "gold": [[begin, end], ...], "lengths": {"source": n, "target": n},
///         "maps": [{"site": "decoder.0.cross.heads.1", "number": 3, "rows": "target", "columns": "source", "chosen":
///         [positions]}]}]}
///
/// "gold" is of the source, where there is none of the input (Task::gold_alignment); "rows" and
/// "columns" name the list whose symbols they stand for; "lengths" are those before anything was cut;
/// "chosen", there for hard attention alone, holds for each row the position that was read, -1 where
/// there was none; its map is then the distribution it was chosen from.
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/task.h"
#include "nn/models/model.h"

namespace attend {

/// Values of all maps of one example at one evaluation: longer sequences are cut so that the maps
/// together have no more.
constexpr int64_t most_map_values = 131072;
/// The longest side of a kept map; and the longest sequence that is looked at at all, which bounds
/// the memory of looking.
constexpr int64_t longest_map = 128, longest_looked_at = 256;
/// Evaluations whose maps are kept: beyond, one is dropped where they lie closest together.
constexpr int64_t most_map_files = 40;

class MapKeeper {
  public:
    /// Chooses the first `count` examples of the split that are short enough. A language model's
    /// text is cut instead, as what follows changes nothing of what comes before.
    MapKeeper(const Task& task, Split split, int64_t count, uint64_t seed);

    /// Runs the model over the examples, in evaluation and apart from everything else, and writes
    /// the file of `step`. Throws as write_safetensors().
    void keep(const Model& model, const std::filesystem::path& folder, int64_t step) const;
    /// How many examples there are.
    std::size_t size() const { return rows_.size(); }

  private:
    struct Row {
        int64_t number = 0;
        Batch batch;
        int64_t target_length = 0;  // before it was cut
    };
    const Task& task_;
    Split split_;
    std::vector<Row> rows_;
};

/// The files of `folder` by their steps, ascending; none where there is no folder.
std::vector<std::pair<int64_t, std::filesystem::path>> map_files(const std::filesystem::path& folder);
/// Removes the maps of later steps: a run continues from `step`.
void cut_back_maps(const std::filesystem::path& folder, int64_t step);

/// One map as it was kept.
struct KeptMap {
    static constexpr int64_t unknown = -1;
    std::string site, rows, columns;
    int64_t number = unknown;     ///< of the site in its model; files of older programs have none
    Shape shape;                  ///< [rows, columns]
    std::vector<real> weights;    ///< row-major
    std::vector<int64_t> chosen;  ///< per row; empty for soft attention
};
struct KeptExample {
    int64_t number = 0;
    std::vector<std::string> source, input, target, predicted;  ///< symbols
    std::vector<std::pair<int64_t, int64_t>> gold;              ///< [begin, end) of the source (without one: of the input), for each target
    int64_t source_length = 0, target_length = 0;               ///< before anything was cut
    std::vector<KeptMap> maps;

    /// The symbols that "source", "input" or "target" names; none for another name.
    std::span<const std::string> symbols(std::string_view name) const;
};
struct KeptMaps {
    int64_t step = 0;
    std::string split;
    std::vector<KeptExample> examples;
};
/// Reads one file. Throws Error naming it for all that keep() would not have written.
KeptMaps read_maps(const std::filesystem::path& path);

}  // namespace attend
