#include "train/records/summary.h"

#include <cmath>

#include "train/records/build_info.h"
#include "train/records/resume.h"

namespace attend {

namespace {

Json scored_object(const std::optional<ScoredStep>& scored) {
    Json object = Json::object();
    if (scored) {
        object["step"] = scored->step;
        add_scores(object, scored->scores);
    }
    return object;
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

Json summary_of(const Experiment& experiment, const Progressed& p, int64_t parameters, const RunEnd& end) {
    Json summary;
    summary["name"] = experiment.name;
    summary["status"] = status_name(end.status);
    if (!end.message.empty())
        summary["message"] = end.message;
    if (!end.bundle.empty())
        summary["bundle"] = end.bundle;
    if (experiment.extended.any())
        summary["extended"] = json_of(experiment.extended);
    const std::optional<Explosion> explosion = end.status == Status::finished ? exploded(p) : std::nullopt;
    if (explosion)
        summary["loss_exploded"] = {
            {"split", split_name(explosion->split)}, {"first", explosion->first}, {"last", explosion->last}};
    if (!p.weights.empty())
        summary["weights"] = p.weights;
    summary.update({{"version", program_version()}, {"commit", program_commit()}});
    summary["steps"] = p.step;
    summary["seconds"] = p.seconds;
    summary["parameters"] = parameters;
    summary["peak_memory_mib"] = peak_memory_mib();
    summary["train"] = scored_object(p.train);
    summary["valid"] = scored_object(p.valid);
    summary["best"] = scored_object(p.best);
    Json test_object = Json::object();
    add_scores(test_object, end.test);
    summary["test"] = test_object;
    return summary;
}

}  // namespace attend
