#pragma once
/// What to do when a checkpoint is broken: the others that a run still has.
#include <string>

#include "train/records/run_folder.h"

namespace attend::ATTEND_PRECISION {

/// Reads the checkpoint that a run continues from, `last`, as load_checkpoint() does. Where its
/// files are broken the Error also names the complete checkpoints, and the command after which
/// --resume continues from the newest of them.
Progressed load_last(const RunFolder& run, const Checkpointed& trained);
/// The same without the parameters: where the run stands. Throws as load_last().
Progressed progressed_of_last(const RunFolder& run);

/// Throws Error as check_model_file() where the files of a run's checkpoint are broken; it also
/// names the complete checkpoints.
void check_model_of(const RunAndCheckpoint& found);

/// A text as one word of a shell's command line.
std::string shell_word(const std::string& text);

}  // namespace attend::ATTEND_PRECISION
