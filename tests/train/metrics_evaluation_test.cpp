#include <doctest/doctest.h>

#include "tests/train/metrics_support.h"
#include "tests/train/run_support.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/metrics/bootstrap.h"
#include "train/evaluate/metrics/confusion.h"
#include "train/evaluate/metrics/metrics.h"
#include "train/learn/restored.h"

namespace metrics_evaluation_test {

using namespace attend;
using namespace attend::testing;

namespace {

// A run on a file where the source "a" has two targets, and how its validation split was evaluated.
struct GroupedRun {
    SmallRun runs;
    std::string folder;
    explicit GroupedRun(const std::string& references) {
        std::ofstream(runs / "train.tsv") << "a\tx y\nb\ty\nc c\tx\n";
        std::ofstream(runs / "valid.tsv") << "a\tx y\nb\ty y y\na\ty\nc\tx\na\tx\n";
        std::ofstream(runs / "g.json") << R"({"seed": 1, "data": {"task": "tsv", "train": "train.tsv", "valid": "valid.tsv",
            "references": ")" << references
                                       << R"(", "metrics": "symbols"},
            "model": {"type": "rnn_seq2seq", "embedding": 3, "hidden": 4}, "train": {"steps": 2, "batch": 3}})";
        TrainRequest request;
        request.experiment = read_experiment((runs / "g.json").string(), {});
        request.folder = (runs / references).string();
        train(request);
        folder = request.folder;
    }
    std::vector<EvaluatedExample> examples() const {
        const Restored restored = restore(folder, Data::splits);
        std::vector<EvaluatedExample> all;
        EvaluationSetup setup{.split = Split::valid, .batch = restored.experiment.train.evaluate_batch};
        setup.each_example = [&](const EvaluatedExample& e) { all.push_back(e); };
        Workers workers(2);
        evaluate(*restored.made.model, *restored.task, setup, workers);
        return all;
    }
};

}  // namespace

TEST_SUITE("metrics in an evaluation") {
    TEST_CASE("grouped references: a source is scored once, against all of its targets, the loss is over all rows") {
        const GroupedRun grouped("grouped"), each("each");
        const std::vector<EvaluatedExample> of_grouped = grouped.examples(), of_each = each.examples();
        REQUIRE(of_grouped.size() == 5);
        REQUIRE(of_each.size() == 5);
        std::size_t scored = 0;
        for (const EvaluatedExample& e : of_grouped) {
            scored += e.references.empty() ? 0 : 1;
            if (e.source != "a" || e.references.empty())
                continue;
            REQUIRE(e.references.size() == 3);
            CHECK(e.reference == "x y");
            CHECK(e.references[1].text == "y");
            CHECK(e.references[0].symbols == std::vector<std::string>{"x", "y"});
            CHECK(words(e.decoded.text).symbols == e.decoded.symbols);
        }
        CHECK(scored == 3);
        for (const EvaluatedExample& e : of_each) {
            REQUIRE(e.references.size() == 1);
            CHECK(e.references[0].text == e.reference);
        }
        const Json a = grouped.runs.metrics("grouped").back(), b = each.runs.metrics("each").back();
        CHECK(a["loss"] == b["loss"]);
        CHECK(a["accuracy"] == b["accuracy"]);
        // What the run wrote is what the examples come to.
        for (const char* name : {"exact_match", "word_error_rate", "symbol_error_rate", "edit_distance"}) {
            CAPTURE(name);
            Metric metric = metric_table().build(Selection(metric_table(), name));
            for (const EvaluatedExample& e : of_grouped) metric.add(e);
            CHECK(a[name].get<double>() == *metric.value());
        }
    }
    TEST_CASE("tables and intervals from an evaluation's examples") {
        const GroupedRun run("grouped");
        Confusion confusion;
        ExampleStatistics statistics;
        Metric metric = make_edit_distance();
        for (const EvaluatedExample& e : run.examples()) {
            confusion.add(e);
            statistics.add(metric.statistics(e));
            metric.add(e);
        }
        CHECK(statistics.examples() == 3);
        const Interval interval = bootstrap(metric, statistics, {.resamples = 200}).value();
        CHECK(interval.low <= *metric.value());
        CHECK(interval.high >= *metric.value());
        CHECK_FALSE(confusion.classes().empty());
    }
}

}  // namespace metrics_evaluation_test
