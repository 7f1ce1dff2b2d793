#pragma once
/// `attend report`: the contents of runs' folders as one page.
#include <filesystem>
#include <span>
#include <string>

#include "train/config/describe.h"
#include "train/records/run_folder.h"

namespace attend {

/// Largest size of the maps of all runs of one report, in characters of the page; a default run's
/// page is smaller than 5 MB.
constexpr int64_t room_for_maps = 3'600'000;
/// The most points of a curve, and the most evaluations with samples, that a page shows of one run;
/// a note reports what is left out.
constexpr std::size_t most_points = 1500, most_sampled = 60;

/// The contents of one run's folder, for assets/report.js:
///
///     {"name", "folder", "notes": [texts], "config": [{"path", "value", "default", "changed", "help"}],
///      "summary": summary.json or null, "state": {"data", "vocabulary"},
///      "metrics": {SPLIT: {"step": [], "values": {NAME: []}}},
///      "samples": [{"step", "scores", "items": [{"source", "reference", "decoded"}]}],
///      "maps": run_maps() or null, "no_maps": why there are none or null, "lab": lab.json or null}
///
/// Only config.json has to be there. Whatever else is missing, broken or left out is a note and not
/// an error. Throws Error when there is no run in the folder.
Json run_data(const RunFolder& run, int64_t room);

/// The maps of a run in at most about `room` characters; when there are more, some evaluations and
/// then some examples are left out:
///
///     {"type": "f32" or "f64", "split", "examples": [{"number", "source", "input", "target", "gold", "lengths",
///          "maps": [{"site", "number", "rows", "columns", "shape": [rows, columns], "triangle"}],
///          "frames": [{"step", "predicted", "chosen": {SITE: []}, "weights": base64}]}]}
///
/// `weights` are the bytes of all maps, one after the other, little-endian. In a triangle row r has
/// r + 1 values; the others are zero. null when there are no maps. `notes` gets what is left out or
/// cannot be read.
Json run_maps(const RunFolder& run, int64_t room, Json& notes);

/// config.json as a list of options with their defaults: those that the program knows, and what
/// else is in the file.
Json run_config(const Json& config);
/// The same with other options than an experiment's: describe() with SeamRows::all.
Json run_config(const std::vector<config::Option>& options, const Json& config);

/// The page about these runs. Throws Error when one of the folders contains no run.
std::string report_page(std::span<const std::filesystem::path> runs);

/// Writes the page, atomically; a link at `to` is replaced. Throws as report_page() and
/// write_file_atomically().
void write_report(std::span<const std::filesystem::path> runs, const std::filesystem::path& to);

/// Writes the page of one run into its folder. Returns "", or the reason when it fails: that must
/// not end the run.
std::string try_to_report(const RunFolder& run);

}  // namespace attend
