#pragma once
/// text: running text in windows for language models (data/windows.h).
#include "data/tasks/running_text.h"

namespace attend {

/// An example is an evaluation window; its target text is that of its targets. With a tokenizer
/// that is exact, bits_per_byte is among the metrics. Throws Error as RunningTextTask, and for a
/// training part shorter than a window or a part for validation or test of fewer than two tokens.
std::unique_ptr<Task> text_task(const TextOptions& options, const TaskSetup& setup);

}  // namespace attend
