#include "train/records/metrics_log.h"

#include <chrono>
#include <cmath>

namespace attend {

MetricsLog::MetricsLog(const RunFolder& folder, Events events, std::optional<int64_t> resumed_after)
    : lines_(folder.metrics()) {
    if (events == Events::no)
        return;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    events_.emplace(folder.new_events(std::chrono::duration_cast<std::chrono::seconds>(now).count()), resumed_after);
}

void MetricsLog::write(Split split, int64_t step, double seconds, const Scores& scores) {
    RecordWriter line = {{"step", step},
                         {"split", split_name(split)},
                         {"loss", scores.find("loss").value_or(std::nan(""))},
                         {"seconds", std::round(seconds * 1e6) / 1e6}};
    line.set_scores(scores);
    lines_.append(line.text() + "\n");
    if (events_)
        events_->append(RecordReader("metrics", line.json()));
}

void MetricsLog::synchronise() {
    lines_.synchronise();
    if (events_)
        events_->synchronise();
}

}  // namespace attend
