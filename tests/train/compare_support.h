#pragma once
/// Learning curves of runs that were never made.
#include <cmath>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "train/study/compare/table.h"

namespace attend::ATTEND_PRECISION::testing {

/// The curves of one comparison: value(t) = (top + what the seed does to all variants + what this
/// run does)(1 - exp(-t / pace)), and a little noise on every evaluation.
struct Synthetic {
    int64_t seeds = 4;
    std::vector<double> tops;   ///< of each variant
    double seed_spread = 0.03;  ///< standard deviations
    double run_spread = 0.01;
    double noise = 0.002;
    /// Of the differences between two variants of one seed, at the last evaluation.
    double difference_spread() const {
        const double grown = 1 - std::exp(-last / pace);
        return std::sqrt(2 * (grown * grown * run_spread * run_spread + noise * noise));
    }
    static constexpr double last = 1000, pace = 250;
    static constexpr int evaluations = 5;

    std::vector<compare::VariantRecord> draw(Stream& stream) const {
        std::vector<double> of_seed;
        for (int64_t s = 0; s < seeds; ++s) of_seed.push_back(seed_spread * static_cast<double>(stream.normal()));
        std::vector<compare::VariantRecord> variants;
        for (const double top : tops) {
            compare::VariantRecord v{"v" + std::to_string(variants.size()), {}};
            for (int64_t s = 0; s < seeds; ++s) {
                compare::RunRecord run;
                run.seed = s + 1;
                run.ending = compare::Ending::finished;
                run.steps = static_cast<int64_t>(last);
                run.seconds = 10;
                const double reaches =
                    top + of_seed[static_cast<std::size_t>(s)] + run_spread * static_cast<double>(stream.normal());
                for (int i = 1; i <= evaluations; ++i) {
                    const double t = last * i / evaluations;
                    const double value = reaches * (1 - std::exp(-t / pace)) + noise * static_cast<double>(stream.normal());
                    run.lines.push_back({Split::valid, static_cast<int64_t>(t), t / 100, 64 * t, {{{"accuracy", value}}}});
                }
                v.runs.push_back(std::move(run));
            }
            variants.push_back(std::move(v));
        }
        return variants;
    }
};

inline compare::Settings accuracy_settings() {
    compare::Settings s;
    s.metric = "accuracy";
    s.better = Better::higher;
    s.bounds = {0, 1};
    return s;
}

}  // namespace attend::ATTEND_PRECISION::testing
