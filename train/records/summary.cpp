#include "train/records/summary.h"

#include <algorithm>

#include "train/records/build_info.h"
#include "train/records/numbers.h"

namespace attend {

namespace {

RecordWriter record_of(const std::optional<ScoredStep>& scored) {
    RecordWriter record;
    if (scored) {
        record.set("step", scored->step);
        record.set_scores(scored->scores);
    }
    return record;
}

std::vector<RecordWriter> records_of(const ExtendedOptions& e) {
    std::vector<RecordWriter> all;
    for (std::size_t i = 0; i < std::min({e.at.size(), e.before.size(), e.now.size()}); ++i)
        all.push_back({{"at", static_cast<int64_t>(e.at[i])},
                       {"before", static_cast<int64_t>(e.before[i])},
                       {"now", static_cast<int64_t>(e.now[i])}});
    return all;
}

}  // namespace

std::optional<Explosion> exploded(const Progressed& p) {
    constexpr double train_factor = 2, valid_factor = 10, margin = 1;
    const auto above = [&](const std::optional<ScoredStep>& scored, double factor) {
        const std::optional<double> loss = scored ? scored->scores.find("loss") : std::nullopt;
        return loss && *loss > factor * p.first_loss + margin ? loss : std::nullopt;  // false for a first loss that is NaN
    };
    if (const auto loss = above(p.train, train_factor))
        return Explosion{Split::train, p.first_loss, *loss};
    if (const auto loss = above(p.valid, valid_factor))
        return Explosion{Split::valid, p.first_loss, *loss};
    return std::nullopt;
}

std::string text_of(const Explosion& e) {
    return fmt::format(
        "the loss of the {} split ended at {}, far above {}, where training began: the learning rate may be too high",
        split_name(e.split), short_number(e.last), short_number(e.first));
}

RecordWriter summary_of(const Experiment& experiment, const Progressed& p, int64_t parameters, const RunEnd& end) {
    RecordWriter summary = {{"name", experiment.name}, {"status", status_name(end.status)}};
    if (!end.message.empty())
        summary.set("message", end.message);
    if (!end.bundle.empty())
        summary.set("bundle", end.bundle);
    if (experiment.extended.any())
        summary.set("extended", records_of(experiment.extended));
    if (const auto explosion = end.status == Status::finished ? exploded(p) : std::nullopt)
        summary.set(
            "loss_exploded",
            RecordWriter{{"split", split_name(explosion->split)}, {"first", explosion->first}, {"last", explosion->last}});
    if (!p.weights.empty())
        summary.set("weights", p.weights);
    summary.set("version", program_version());
    summary.set("commit", program_commit());
    summary.set("steps", p.step);
    summary.set("seconds", p.seconds);
    summary.set("parameters", parameters);
    summary.set("peak_memory_mib", peak_memory_mib());
    summary.set("train", record_of(p.train));
    summary.set("valid", record_of(p.valid));
    summary.set("best", record_of(p.best));
    RecordWriter test;
    test.set_scores(end.test);
    summary.set("test", test);
    return summary;
}

}  // namespace attend
