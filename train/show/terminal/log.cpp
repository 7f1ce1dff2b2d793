#include "train/show/terminal/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <array>
#include <atomic>

#include "core/base/line_file.h"
#include "train/config/utf8.h"

namespace attend {

namespace {

// Gives each line, with its line feed, to a function.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit LineSink(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        base_sink::formatter_->format(message, line);
        write_({line.data(), line.size()});
    }
    void flush_() override {}  // every line is the system's when it is written

  private:
    std::function<void(std::string_view)> write_;
};

spdlog::logger logger_of(const char* name, const char* pattern, std::function<void(std::string_view)> write) {
    spdlog::logger logger(name, std::make_shared<LineSink>(std::move(write)));
    logger.set_pattern(pattern);
    return logger;
}

// Two loggers, as what a person reads and what the file keeps have different forms.
struct Loggers {
    spdlog::logger terminal, file;
    std::atomic<bool> said_failure = false;
};

}  // namespace

Log make_log(std::shared_ptr<Terminal> terminal, const std::string& path, LogFile mode) {
    std::shared_ptr<LineFile> file;
    try {
        file = std::make_shared<LineFile>(path, mode == LogFile::begin ? LineStart::empty : LineStart::keep);
    } catch (const Error& e) {
        fail("{}: the log cannot be opened for writing: {}", path, e.what());
    }
    // The terminal adds a line feed of its own.
    const auto print = [terminal](std::string_view line) { terminal->print(line.substr(0, line.size() - 1)); };
    const auto append = [file](std::string_view line) { file->append(line); };
    const std::shared_ptr<Loggers> loggers(
        new Loggers{logger_of("terminal", "%T %v", print), logger_of("file", "%Y-%m-%d %T.%e %l %v", append)});
    loggers->file.set_error_handler([to = loggers.get(), path](std::string reason) {  // outlives its own loggers
        if (const std::string known = path + ": cannot be written: "; reason.starts_with(known))
            reason.erase(0, known.size());
        if (!to->said_failure.exchange(true))
            to->terminal.warn("warning: {}: the log cannot be written: {}", path, reason);
    });
    return [loggers](LogLevel level, std::string_view message) {
        constexpr std::array levels = {spdlog::level::info, spdlog::level::warn, spdlog::level::err};
        constexpr std::array prefixes = {"", "warning: ", "error: "};
        const auto number = static_cast<std::size_t>(level);
        const std::string text = utf8::shown(message, utf8::LineFeeds::escaped);
        loggers->terminal.log(levels.at(number), "{}{}", prefixes.at(number), text);
        loggers->file.log(levels.at(number), "{}", text);
    };
}

}  // namespace attend
