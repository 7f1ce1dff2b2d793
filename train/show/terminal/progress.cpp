#include "train/show/terminal/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/records/numbers.h"

namespace attend {

namespace {

std::string bar(double done, std::size_t width) {
    const auto filled = static_cast<std::size_t>(std::clamp(done, 0.0, 1.0) * static_cast<double>(width));
    return fmt::format("[{:<{}.{}}]", std::string(filled, '=') + ">", width, width);
}

}  // namespace

std::string progress_line(const ProgressState& state, int columns) {
    const std::string of = std::to_string(state.steps);
    std::string text = fmt::format("{:>{}}/{}  loss ", state.step, of.size(), of);
    text += std::abs(state.loss) < 1000 ? fmt::format("{:.4f}", state.loss) : fmt::format("{:.3e}", state.loss);
    if (const auto rate = state.steps_per_second; rate && *rate > 0) {
        const double left = static_cast<double>(std::max<int64_t>(0, state.steps - state.step)) / *rate;
        text += fmt::format("  {:.3g} steps/s  {} left", *rate, duration_text(left));
    }
    constexpr std::size_t least_bar = 10, most_bar = 30, around = 4;  // two brackets and two spaces
    const auto width = static_cast<std::size_t>(std::max(columns, 0));
    if (width >= text.size() + least_bar + around && state.steps > 0) {
        const double done = static_cast<double>(state.step) / static_cast<double>(state.steps);
        text = bar(done, std::min(most_bar, width - text.size() - around)) + "  " + text;
    }
    return text.substr(0, width);
}

Progress::Progress(std::shared_ptr<Terminal> terminal, int64_t first, int64_t steps, std::chrono::milliseconds interval)
    : terminal_(std::move(terminal)), first_(first), steps_(steps), began_(Clock::now()), interval_(interval) {}

void Progress::update(int64_t step, double loss) {
    if (!terminal_->live())
        return;
    const auto now = Clock::now();
    if (drawn_ && step < steps_ && now - *drawn_ < interval_)
        return;
    drawn_ = now;
    ProgressState state{step, steps_, loss, std::nullopt};
    const double seconds = seconds_since(began_);
    if (step > first_ && seconds > 0)
        state.steps_per_second = static_cast<double>(step - first_) / seconds;
    terminal_->show(progress_line(state, terminal_->columns() - 1));
}

}  // namespace attend
