#pragma once
/// Shows a run or a comparison on a terminal, keeps its log, and writes the run's page at its end.
#include <memory>
#include <optional>

#include "train/records/observer.h"
#include "train/show/terminal/log.h"
#include "train/show/terminal/progress.h"

namespace attend {

class TerminalObserver final : public Observer {
  public:
    explicit TerminalObserver(std::shared_ptr<Terminal> terminal = std::make_shared<Terminal>())
        : terminal_(std::move(terminal)) {}

    /// Before it, messages are dropped: a refused run gives its reason in its exception.
    void open_log(const std::filesystem::path& path, LogFile mode) override { log_ = make_log(terminal_, path.string(), mode); }
    void message(LogLevel level, std::string_view text) override;
    void steps_begin(int64_t done, int64_t steps) override { progress_.emplace(terminal_, done, steps); }
    void step(int64_t done, double loss) override;
    void steps_end() override { progress_.reset(); }
    void show(std::string_view line) override { terminal_->show(line); }
    bool live() const override { return terminal_->live(); }
    /// Writes report.html into the folder; a run is not lost for its report, so a failure is a
    /// warning.
    void summarised(const std::filesystem::path& folder) override;

  private:
    std::shared_ptr<Terminal> terminal_;
    Log log_;
    std::optional<Progress> progress_;
};

}  // namespace attend
