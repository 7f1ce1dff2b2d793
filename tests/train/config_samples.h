#pragma once
/// A small options struct that has every kind of option, and a config that sets every one of them.
#include <string>

#include "core/real.h"
#include "train/config/overrides.h"
#include "train/config/reader.h"

namespace attend::ATTEND_PRECISION::samples {

struct Exact {
    int64_t limit = 64;
    void fields(Visitor& v) { v.integer("limit", limit, {1, 4096}, "positions summed over"); }
};
struct Reinforce {
    std::string baseline = "moving";
    double decay = 0.9;
    void fields(Visitor& v) {
        v.choice("baseline", baseline, {"none", "moving", "learned"}, "what is subtracted from the reward");
        v.number("decay", decay, {0, 1}, "of the moving baseline");
    }
};
using EstimatorTable = Table<int()>;
inline const EstimatorTable& estimators() {
    static const EstimatorTable table(
        "estimator",
        {EstimatorTable::make<Exact>("exact", "enumeration", [](const Exact&) { return 1; }),
         EstimatorTable::make<Reinforce>("reinforce", "score function", [](const Reinforce&) { return 2; })},
        "type", Listed::no);
    return table;
}

struct Hard {
    Selection estimator{estimators(), "reinforce"};
    int64_t samples = 1;
    void fields(Visitor& v) {
        v.selection("estimator", estimator, "of the gradient");
        v.integer("samples", samples, {1, 1000}, "per example");
    }
};
using SelectTable = Table<int()>;
inline const SelectTable& selects() {
    static const SelectTable table("select",
                                   {SelectTable::make<NoOptions>("soft", "all positions", [](const NoOptions&) { return 1; }),
                                    SelectTable::make<Hard>("hard", "one position", [](const Hard&) { return 2; })},
                                   "type", Listed::no);
    return table;
}

struct Dates {
    int64_t train_examples = 20000;
    void fields(Visitor& v) { v.integer("train_examples", train_examples, {0, 1'000'000'000}, "examples to learn from"); }
};
struct Text {
    std::vector<std::string> train;
    std::string path;
    double valid_fraction = 0.1;
    void fields(Visitor& v) {
        v.paths("train", train, "files to learn from");
        v.path("path", path, "one file for all splits");
        v.number("valid_fraction", valid_fraction, {0, 0.5}, "kept for validation");
    }
};
using TaskTable = Table<int()>;
inline const TaskTable& tasks() {
    static const TaskTable table("task",
                                 {TaskTable::make<Dates>("dates", "dates to ISO 8601", [](const Dates&) { return 1; }),
                                  TaskTable::make<Text>("text", "a text", [](const Text&) { return 2; })},
                                 "task", Listed::no);
    return table;
}

struct Training {
    int64_t steps = 500;
    int64_t shards = 0;
    double clip_norm = 1;
    bool shuffle = true;
    void fields(Visitor& v) {
        v.integer("steps", steps, {1, 1'000'000'000}, "updates");
        v.integer("shards", shards, {1, 256, "auto"}, "parts of a batch");
        v.number("clip_norm", clip_norm, {0, std::numeric_limits<double>::max(), "off"}, "largest norm of the gradient");
        v.flag("shuffle", shuffle, "a fresh order in each epoch");
    }
};

struct Options {
    std::string name = "unnamed";
    int64_t seed = 1;
    Selection data{tasks(), "dates"};
    Selection select{selects(), "soft"};
    std::vector<double> betas{0.9, 0.999};
    std::vector<double> milestones;
    Training train;
    void fields(Visitor& v) {
        v.text("name", name, "of the run");
        v.integer("seed", seed, {}, "of every random number");
        v.selection("data", data, "what is learnt");
        v.selection("select", select, "soft or hard attention");
        v.numbers("betas", betas, {0, 1}, true, "decay of the moments");
        v.numbers("milestones", milestones, {0}, false, "where the rate falls");
        v.object("train", train, "how it is learnt");
    }
};

inline const std::string& full_config() {
    static const std::string text = R"({
  "name": "sample",  // a comment
  "seed": 7,
  "data": {"task": "text", "train": ["a.txt", "sub/b.txt"], "path": "/c.txt", "valid_fraction": 0.25},
  "select": {"type": "hard", "samples": 4,
             "estimator": {"type": "reinforce", "baseline": "learned", "decay": 0.99}},
  /* another
     comment */
  "betas": [0.8, 0.95],
  "milestones": [100, 2e3],
  "train": {"steps": 1e3, "shards": "auto", "clip_norm": 0.5, "shuffle": false}
}
)";
    return text;
}

/// Parses `text` as the file x.json in the folder /base.
inline config::Value parse(const std::string& text) {
    return config::parse_object(text, std::make_shared<const config::Source>(config::Source{"x.json", "/base"}));
}

/// The message of the Error that reading `text`, changed by `sets`, throws; "" if none.
template <class T = Options>
std::string error_of(const std::string& text, const std::vector<std::string>& sets = {}) {
    try {
        config::Value document = parse(text);
        for (const std::string& s : sets) document = config::set(std::move(document), s);
        (void)config::read<T>(document);
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

}  // namespace attend::ATTEND_PRECISION::samples
