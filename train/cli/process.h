#pragma once
#include "core/base/integers.h"

namespace attend::cli {

/// What the process needs before anything opens a file or computes: the standard descriptors that
/// are closed are opened on /dev/null, or else the first file of a run would become standard error,
/// and be written to by the log (reading standard input and writing standard output still fail
/// then); a closed pipe and a file size limit are failed writes and not the end of a run; denormals
/// are flushed.
void prepare_process();

}  // namespace attend::cli
