#pragma once
/// `attend report`: what runs left in their folders as one page.
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "train/records/run_folder.h"

namespace attend {

/// Room for the maps of all runs of one report, in characters of the page; a default run's page stays under 5 MB.
constexpr int64_t room_for_maps = 3'600'000;
/// The most points of a curve and evaluations with samples that a page shows of one run; beyond, a part is left out and said.
constexpr std::size_t most_points = 1500, most_sampled = 60;

/// What one run's folder holds, for assets/report.js:
///
///     {"name", "folder", "notes": [texts], "config": [{"path", "value", "default", "changed", "help"}],
///      "summary": summary.json or null, "state": {"data", "vocabulary"},
///      "metrics": {SPLIT: {"step": [], "values": {NAME: []}}},
///      "samples": [{"step", "scores", "items": [{"source", "reference", "decoded"}]}],
///      "maps": run_maps() or null, "no_maps": why there are none or null, "lab": lab.json or null}
///
/// Only config.json has to be there. What is missing, broken or left out is said in the notes, and nothing of it is an error.
/// Throws Error when there is no run in the folder.
Json run_data(const RunFolder& run, int64_t room);

/// The maps of a run in at most about `room` characters; evaluations, then examples are left out evenly where there are more:
///
///     {"type": "f32" or "f64", "split", "examples": [{"number", "source", "input", "target", "gold", "lengths",
///          "maps": [{"site", "rows", "columns", "shape": [rows, columns], "triangle"}],
///          "frames": [{"step", "predicted", "chosen": {SITE: []}, "weights": base64}]}]}
///
/// `weights` are the bytes of all maps, one behind the other, little-endian; of a triangle row r has r + 1 values, the others
/// being zero. null when there are none. What is left out or cannot be read is added to `notes`.
Json run_maps(const RunFolder& run, int64_t room, Json& notes);

/// config.json as a list of options with their defaults: all that the program knows, and what else stands in the file.
Json run_config(const Json& config);

/// The page about these runs. Throws Error when one of the folders holds none.
std::string report_page(std::span<const std::filesystem::path> runs);

/// Writes the page, atomically; a link at `to` is replaced. Throws as report_page() and write_file_atomically().
void write_report(std::span<const std::filesystem::path> runs, const std::filesystem::path& to);

/// Writes the page of one run into its folder and gives the reason when that fails, "" when it does not: a run is not lost for
/// its report.
std::string try_to_report(const RunFolder& run);

}  // namespace attend
