#include "train/study/prove/prove.h"

#include <algorithm>

#include "train/config/clock.h"
#include "train/config/words.h"
#include "train/learn/restored.h"
#include "train/study/plan/plan.h"

namespace attend::prove {

std::span<const Property> properties() {
    static constexpr Property table[] = {
        {"causality", "what comes later changes no bit of an earlier loss", causality},
        {"padding", "padding and the other rows of a batch change no loss", padding},
        {"no draws", "evaluation draws nothing: the same rows give the same bits", no_draws},
        {"window", "a query may see what its window says, all of it and nothing else", window},
        {"masked", "a masked position gets neither weight nor gradient, and moves nothing", masked},
        {"map", "the map that is shown is the one that is used", map},
        {"scale", "scores of scaled_dot are divided by the root of the width", scale},
        {"query, key, value", "all three get their gradient, and so do their parameters", query_key_value},
        {"gradients", "gradients are those of central differences", gradients},
        {"accumulation", "several batches added up have the gradient of one", accumulation},
        {"cached decoding", "decoding step by step gives the losses of one pass", cached},
        {"beam of one", "a beam of one is greedy decoding", beam},
        {"threads", "the number of threads changes no bit", threads},
        {"resuming", "a checkpoint and a new start change no bit", resumed},
    };
    return table;
}

Subject subject_of_config(const Experiment& asked, const std::string& path) {
    plan::Built built = plan::build(asked);
    push_weights(*built.made.store, static_cast<uint64_t>(asked.seed));
    Subject s = subject_of(std::move(built.experiment), *built.task, std::move(built.made));
    s.path = path;
    return s;
}

Subject subject_of_run(const std::string& path) {
    Restored run = restore(path, Data::splits);
    Subject s = subject_of(std::move(run.experiment), *run.task, std::move(run.made));
    s.path = path;
    s.trained = true;
    // The gradients' check, in double, makes its own model: with the run's weights.
    s.experiment.init.from = path;
    s.experiment.init.take = "*";
    s.experiment.init.vocabulary = "taken";
    return s;
}

Report prove(const Subject& s) {
    const auto begin = Clock::now();
    Report report;
    report.model = fmt::format("{}: {}, {} parameters, {} of attention", s.path, s.experiment.model.name(),
                               s.made.store->count(), counted(static_cast<int64_t>(s.model().sites().size()), "site"));
    report.weights = s.trained ? "of the run" : "initial, with noise added: small or special values would hide faults";
    report.rows = fmt::format("{} of a training batch, cut to {} source and {} target symbols at most", s.batch.rows(),
                              s.batch.source.columns, s.batch.input.columns);
    if (s.large())
        report.rows += "; a large model: fewer rows and trials than for a small one";
    for (const Property& p : properties()) {
        const auto since = Clock::now();
        report.findings.push_back(p.prove(s));
        report.findings.back().seconds = seconds_since(since);
        report.findings.back().property = p.name;
        report.findings.back().claim = p.claim;
    }
    report.seconds = seconds_since(begin);
    return report;
}

}  // namespace attend::prove
