#include "train/show/terminal/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>

#include "core/base/line_file.h"
#include "train/config/utf8.h"

namespace attend {

namespace {

class TerminalSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit TerminalSink(std::shared_ptr<Terminal> terminal) : terminal_(std::move(terminal)) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        base_sink::formatter_->format(message, line);
        std::string_view text(line.data(), line.size());
        if (text.ends_with('\n'))
            text.remove_suffix(1);  // the terminal adds its own
        terminal_->print(text);
    }
    void flush_() override {}

  private:
    std::shared_ptr<Terminal> terminal_;
};

class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    FileSink(const std::string& path, LogFile mode)
        : file_(path, mode == LogFile::begin ? LineStart::empty : LineStart::keep), known_(path + ": cannot be written: ") {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        base_sink::formatter_->format(message, line);
        try {
            file_.append({line.data(), line.size()});
        } catch (const MachineError& e) {
            const std::string_view reason = e.what();  // without what the one line about it says already
            throw spdlog::spdlog_ex(std::string(reason.starts_with(known_) ? reason.substr(known_.size()) : reason));
        }
    }
    void flush_() override {}  // every line is the system's when it is appended

  private:
    LineFile file_;
    std::string known_;
};

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

// Two loggers, as what a person reads and what the file keeps have different forms.
struct Log::Sinks {
    std::unique_ptr<spdlog::logger> terminal;
    std::unique_ptr<spdlog::logger> file;
    std::atomic<bool> said_failure = false;
};

Log make_log(std::shared_ptr<Terminal> terminal) {
    auto sinks = std::make_shared<Log::Sinks>();
    auto sink = std::make_shared<TerminalSink>(std::move(terminal));
    sink->set_pattern("%T %v");
    sinks->terminal = std::make_unique<spdlog::logger>("terminal", std::move(sink));
    return Log(std::move(sinks));
}

Log make_log(std::shared_ptr<Terminal> terminal, const std::string& path, LogFile mode) {
    Log log = make_log(std::move(terminal));
    try {
        auto sink = std::make_shared<FileSink>(path, mode);
        sink->set_pattern("%Y-%m-%d %T.%e %l %v");
        log.sinks_->file = std::make_unique<spdlog::logger>("file", std::move(sink));
    } catch (const Error& e) {
        fail("{}: the log cannot be opened for writing: {}", path, e.what());
    }
    Log::Sinks* sinks = log.sinks_.get();  // outlives its own loggers
    log.sinks_->file->set_error_handler([sinks, path](const std::string& what) {
        if (!sinks->said_failure.exchange(true))
            sinks->terminal->warn("warning: {}: the log cannot be written: {}", path, what);
    });
    return log;
}

void Log::write(LogLevel level, std::string_view message) const {
    if (!sinks_)
        return;
    const std::string text = utf8::shown(message, utf8::LineFeeds::escaped);
    const char* prefix = level == LogLevel::error ? "error: " : level == LogLevel::warning ? "warning: " : "";
    sinks_->terminal->log(spdlog_level(level), "{}{}", prefix, text);
    if (sinks_->file)
        sinks_->file->log(spdlog_level(level), "{}", text);
}

}  // namespace attend
