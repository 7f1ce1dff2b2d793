#pragma once
/// The live line of a training run: bar, step, loss, rate, time left.
#include <memory>
#include <optional>

#include "train/config/clock.h"
#include "train/show/terminal/terminal.h"

namespace attend {

/// What the line says.
struct ProgressState {
    int64_t step = 0;   ///< steps done
    int64_t steps = 0;  ///< of so many
    double loss = 0;
    std::optional<double> steps_per_second;  ///< none: not known yet; the time left follows from it
};

/// The line in at most `columns` ASCII characters: "[=======>      ]  240/500  loss 0.1234  31.2 steps/s  0:08 left". Where it
/// does not fit, first the bar goes and then the end is cut.
std::string progress_line(const ProgressState& state, int columns);

/// Draws the line where there is a live terminal, at most once an interval, and nothing elsewhere;
/// removes it at the end of its life. Evaluations count into the rate, so the time left includes
/// those to come.
class Progress {
  public:
    /// A run that stands at `first` of `steps` steps. The last step is drawn whatever the interval.
    Progress(std::shared_ptr<Terminal> terminal, int64_t first, int64_t steps,
             std::chrono::milliseconds interval = std::chrono::milliseconds(100));
    ~Progress() { terminal_->show(""); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `step` steps are done, the last with this loss.
    void update(int64_t step, double loss);

  private:
    std::shared_ptr<Terminal> terminal_;
    int64_t first_, steps_;
    Clock::time_point began_;
    std::chrono::milliseconds interval_;
    std::optional<Clock::time_point> drawn_;
};

}  // namespace attend
