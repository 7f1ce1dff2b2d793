#pragma once
/// `--by` and `--bins` of eval: metrics by the length of the examples.
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "train/cli/cli.h"
#include "train/evaluate/metrics/bootstrap.h"
#include "train/records/by_length.h"

namespace attend::cli {

struct LengthArguments {
    std::string by, bins;
};

/// Adds `--by source|target` and `--bins 10,20,30`.
void add_lengths(CommandLine& app, LengthArguments& arguments);

/// All metrics of an evaluation by length. Bins without examples are left out.
struct MetricsByLength {
    Side side = Side::source;
    std::vector<std::string> metrics;
    struct Cell {
        std::optional<double> value;
        std::optional<Interval> interval;  ///< of two examples or more
    };
    struct Line {
        LengthBin bin;
        int64_t examples = 0;
        double length = 0;        ///< mean
        std::vector<Cell> cells;  ///< as many as metrics
    };
    std::vector<Line> lines;
};

/// None where `--by` was not given. Throws Error for bins that are none, and for sources where there
/// are none.
std::optional<MetricsByLength> metrics_by_length(const LengthArguments& arguments, const ExampleScores& scores,
                                                 const BootstrapSetup& intervals, Workers& workers);
/// Throws Error for arguments that cannot be, before an evaluation that takes long.
void check_lengths(const LengthArguments& arguments, bool sources);

/// For people: a few metrics a table.
std::string text_of(const MetricsByLength& table);
/// For programs, as JSON: {"side": "source", "bins": [{"from": 1, "to": 10, "length": 6.2, "examples": 50, "metrics": {"loss":
/// 0.1}, "intervals": {"loss": [0.05, 0.2]}}]}; "to" of a bin without end is null.
std::string json_of(const MetricsByLength& table);

}  // namespace attend::cli
