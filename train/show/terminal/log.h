#pragma once
/// Messages to standard error and to a file. spdlog is used in its source alone.
#include <memory>

#include "core/base/error.h"
#include "train/records/observer.h"
#include "train/show/terminal/terminal.h"

namespace attend {

/// A handle that may be copied and used from several threads. One made by Log() drops everything. A
/// message is one line, and what it quotes from files has no power over the terminal: it is written
/// as utf8::shown() has it.
class Log {
  public:
    Log() = default;
    template <class... Args>
    void info(fmt::format_string<Args...> text, Args&&... args) const {
        write(LogLevel::info, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void warning(fmt::format_string<Args...> text, Args&&... args) const {
        write(LogLevel::warning, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void error(fmt::format_string<Args...> text, Args&&... args) const {
        write(LogLevel::error, fmt::format(text, std::forward<Args>(args)...));
    }
    void write(LogLevel level, std::string_view message) const;

  private:
    struct Sinks;
    explicit Log(std::shared_ptr<Sinks> sinks) : sinks_(std::move(sinks)) {}
    friend Log make_log(std::shared_ptr<Terminal> terminal);
    friend Log make_log(std::shared_ptr<Terminal> terminal, const std::string& path, LogFile mode);
    std::shared_ptr<Sinks> sinks_;
};

/// A log to the terminal alone: "14:02:11 message", "14:02:11 warning: message".
Log make_log(std::shared_ptr<Terminal> terminal);

/// A log to the terminal and to the file at `path` (core/base/line_file.h), "2025-03-01
/// 14:02:11.120 info message", the system's when write() returns. Throws as LineFile when it cannot
/// be opened. When a later write to the file fails (disk full), the terminal says so once and the
/// run continues.
Log make_log(std::shared_ptr<Terminal> terminal, const std::string& path, LogFile mode);

}  // namespace attend
