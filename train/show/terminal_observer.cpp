#include "train/show/terminal_observer.h"

#include "train/show/report/report.h"

namespace attend {

void TerminalObserver::message(LogLevel level, std::string_view text) {
    if (log_)
        log_(level, text);
}

void TerminalObserver::step(int64_t done, double loss) {
    if (progress_)
        progress_->update(done, loss);
}

void TerminalObserver::summarised(const std::filesystem::path& folder) {
    if (const std::string reason = try_to_report(RunFolder(folder)); !reason.empty())
        warning("the report is not written: {}", reason);
}

}  // namespace attend
