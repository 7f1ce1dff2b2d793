#pragma once
/// Messages to standard error and to a file. spdlog is used in its source alone.
#include <functional>
#include <memory>

#include "train/records/observer.h"
#include "train/show/terminal/terminal.h"

namespace attend {

/// Writes a message. It may be copied and called by several threads. A message is one line, and
/// what it quotes from files has no power over the terminal: it is written as utf8::shown() has it.
using Log = std::function<void(LogLevel, std::string_view)>;

/// A log to the terminal, "14:02:11 message" or "14:02:11 warning: message", and to the file at
/// `path` (core/base/line_file.h), "2025-03-01 14:02:11.120 info message", the system's when the
/// call returns. Throws as LineFile when it cannot be opened. When a later write to the file fails
/// (disk full), the terminal says so once and the run continues.
Log make_log(std::shared_ptr<Terminal> terminal, const std::string& path, LogFile mode);

}  // namespace attend
