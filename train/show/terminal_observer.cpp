#include "train/show/terminal_observer.h"

#include <algorithm>

#include "train/show/report/report.h"

namespace attend {

void TerminalObserver::open_log(const std::filesystem::path& path, LogFile mode) {
    log_ = make_log(terminal_, path.string(), mode);
}
void TerminalObserver::message(LogLevel level, std::string_view text) {
    if (log_)
        log_(level, text);
}

void TerminalObserver::step(int64_t done, double loss) {
    if (progress_)
        progress_->update(done, loss);
}

void TerminalObserver::show(std::string_view line) {
    // The last column stays free: writing into it makes some terminals begin a new line.
    terminal_->show(line.substr(0, static_cast<std::size_t>(std::max(0, terminal_->columns() - 1))));
}

void TerminalObserver::summarised(const std::filesystem::path& folder) {
    if (const std::string reason = try_to_report(RunFolder(folder)); !reason.empty())
        warning("the report is not written: {}", reason);
}

}  // namespace attend
