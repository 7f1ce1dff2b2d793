#pragma once
/// Receives the progress of a run or a comparison. Training and comparing know no terminal and no
/// page: the observer shows messages, keeps them in the log, and makes pages
/// (train/show/terminal_observer.h).
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace attend {

enum class LogLevel { info, warning, error };

/// Whether the log file is begun again or continued (--resume).
enum class LogFile { begin, append };

/// Every function may be called from several threads. This one drops everything.
class Observer {
  public:
    virtual ~Observer() = default;
    /// Messages from now on go into this file, too. Throws Error when it cannot be opened.
    virtual void open_log(const std::filesystem::path&, LogFile) {}
    /// One line.
    virtual void message(LogLevel, std::string_view) {}
    /// A training run stands at `done` of `steps` steps.
    virtual void steps_begin([[maybe_unused]] int64_t done, [[maybe_unused]] int64_t steps) {}
    /// So many steps are done, the last with this loss.
    virtual void step([[maybe_unused]] int64_t done, [[maybe_unused]] double loss) {}
    /// There will be no more steps.
    virtual void steps_end() {}
    /// A line that the next one replaces; "" removes it.
    virtual void show(std::string_view) {}
    /// Whether step() and show() are seen at once. Where they are not, messages have to say how far
    /// a run is.
    virtual bool live() const { return true; }
    /// The summary of the run in this folder was written, and the folder is still held.
    virtual void summarised(const std::filesystem::path&) {}

    template <class... Args>
    void info(fmt::format_string<Args...> text, Args&&... args) {
        message(LogLevel::info, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void warning(fmt::format_string<Args...> text, Args&&... args) {
        message(LogLevel::warning, fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args>
    void error(fmt::format_string<Args...> text, Args&&... args) {
        message(LogLevel::error, fmt::format(text, std::forward<Args>(args)...));
    }
};

/// One that drops everything.
inline Observer& no_observer() {
    static Observer none;
    return none;
}

}  // namespace attend
