#pragma once
/// Small experiments for the tests of training.
#include "tests/train/small_folder.h"
#include "train/config/describe.h"
#include "train/learn/training.h"

namespace attend::ATTEND_PRECISION {

/// The files that an experiment names.
inline std::vector<std::string> files_of(Experiment experiment) {
    return config::paths_of([&experiment](Visitor& v) { experiment.fields(v); });
}

}  // namespace attend::ATTEND_PRECISION

namespace attend::ATTEND_PRECISION::testing {

class SmallRun : public SmallFolder {
  public:
    TrainRequest request(const std::string& name, const std::vector<std::string>& set = {}) const {
        TrainRequest r;
        r.experiment = experiment(set);
        r.folder = (*this / name).string();
        return r;
    }
    /// Trains a new run.
    TrainResult run(const std::string& name, const std::vector<std::string>& set = {}, int threads = 1) const {
        TrainRequest r = request(name, set);
        r.threads = threads;
        return train(r);
    }
    std::string model(const std::string& name) const { return text(name + "/checkpoints/last/model.safetensors"); }
    /// The lines of metrics.jsonl.
    std::vector<Json> metrics(const std::string& name) const {
        std::vector<Json> lines;
        std::ifstream in(*this / (name + "/metrics.jsonl"));
        for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
        return lines;
    }
    Json summary(const std::string& name) const { return Json::parse(text(name + "/summary.json")); }
};

}  // namespace attend::ATTEND_PRECISION::testing
