#pragma once
/// What below a run's folder is the run's own. Everything else is somebody else's.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "train/records/run_folder.h"

namespace attend::ATTEND_PRECISION {

/// Names of event files are events_begin N events_end, those of checkpoints step_begin N, of files
/// of maps step_begin N map_end.
inline constexpr std::string_view events_begin = "events.out.tfevents.", events_end = ".attend", step_begin = "step-",
                                  map_end = ".safetensors";

/// The files and links of a folder whose names are BEGIN N END, by their numbers.
std::vector<std::pair<int64_t, std::filesystem::path>> numbered_files(const std::filesystem::path& folder,
                                                                      std::string_view begin, std::string_view end);
/// All files and links of a run, config.json last.
std::vector<std::filesystem::path> contents_of(const RunFolder& run);
/// Those in vocabulary/.
std::vector<std::filesystem::path> vocabulary_contents(const RunFolder& run);
/// The first file of somebody's in a folder that a run would have; "" for none.
std::string found_of_others(const RunFolder& run);

/// Whether a file is a config as this program writes it, with every option; a link to one is not.
bool is_written_config(const std::filesystem::path& path);
/// Throws Error when a link, folder or other kind of thing stands where the run needs another.
void check_kinds(const RunFolder& run);
/// Removes the run and nothing else, its config last. Throws MachineError when a file cannot be
/// removed.
void remove_contents(const RunFolder& run);
/// Removes the files of a checkpoint, and its folder where nothing else is in it. 0, or the
/// system's error number.
int remove_checkpoint(const std::filesystem::path& folder);
/// Removes what killed processes left half written.
void remove_abandoned(const RunFolder& run);
/// Removes a file where it is there. Throws MachineError when the file system refuses.
void remove_or_throw(const std::filesystem::path& path);

}  // namespace attend::ATTEND_PRECISION
