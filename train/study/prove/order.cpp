// What a loss may depend on: nothing later, no padding, no other row, no draw in evaluation.
#include <algorithm>
#include <cstring>
#include <limits>

#include "core/engine.h"
#include "core/followed.h"
#include "train/config/words.h"
#include "train/study/prove/properties.h"

namespace attend::prove {

namespace {

constexpr int64_t most_places = 12;  // at which a future begins
constexpr const char* elsewhere = "outside of attention";

// Another id of the vocabulary: the next one, special symbols left out where there are others.
int32_t other_id(int32_t id, int64_t vocabulary) {
    const int32_t first = vocabulary > first_free_id + 1 ? first_free_id : 0;
    const auto next = static_cast<int32_t>(id + 1);
    return next < first || next >= vocabulary ? (id == first ? first + 1 : first) : next;
}

// The largest difference of losses [B, T] before column `before`, over the columns that both have.
double loss_difference(const Tensor& a, const Tensor& b, int64_t before) {
    double worst = 0;
    for (int64_t r = 0; r < std::min(a.dim(0), b.dim(0)); ++r)
        for (int64_t t = 0; t < std::min({a.dim(1), b.dim(1), before}); ++t) {
            const double d = std::abs(static_cast<double>(a.data()[r * a.dim(1) + t] - b.data()[r * b.dim(1) + t]));
            worst = worse(worst, d);
        }
    return worst;
}

double label_difference(const Tensor& a, const Tensor& b) {
    double worst = 0;
    for (int64_t r = 0; a.defined() && r < std::min(a.size(), b.size()); ++r)
        worst = worse(worst, std::abs(static_cast<double>(a.data()[r] - b.data()[r])));
    return worst;
}

constexpr int64_t all_columns = std::numeric_limits<int64_t>::max();

int64_t most_targets_of_a_row(const Batch& batch) {
    int64_t most = 0;
    for (int64_t r = 0; r < batch.rows(); ++r) most = std::max(most, loss_counts(batch.slice(r, r + 1)).targets);
    return most;
}

}  // namespace

Finding causality(const Subject& s) {
    if (s.vocabularies.targets != TargetKind::following)
        return not_applicable(fmt::format("targets are '{}', not what follows: every position may be seen",
                                          target_kind_name(s.vocabularies.targets)));
    const Sides sides = sides_of(s.batch);
    Figures figures(0);
    int64_t changes = 0;
    double moved = 0;
    std::vector<Pass> passes = {evaluating(s), looking(s)};
    const bool trains = s.model().estimator() == nullptr;  // an estimator's draws may look at the targets
    if (trains)
        passes.push_back(training(s));
    for (const Pass& pass : passes) {
        const Passed before = run(s, s.batch, pass);
        const int64_t columns = s.batch.input.columns, apart = std::max<int64_t>(1, columns / (s.large() ? 4 : most_places));
        for (int64_t t = 1; t < columns; t += apart) {
            Batch changed = s.batch;
            for (int64_t r = 0; r < changed.rows(); ++r)
                for (int64_t i = t; i < changed.input.length(r); ++i)
                    changed.input.at(r, i) = other_id(changed.input.at(r, i), s.vocabularies.target_vocabulary);
            const Passed after = run(s, changed, pass);
            ++changes;
            moved = worse(moved, loss_difference(before.losses, after.losses, all_columns));
            const double d = loss_difference(before.losses, after.losses, t);
            figures.note(d, [&]() -> Blame {
                return {blamed(first_apart(before, after, sides, 0, t), elsewhere),
                        fmt::format("inputs changed from position {} on: an earlier loss moves by {:.2g}, in {}", t, d,
                                    pass.training()     ? "training"
                                    : pass.keeps_maps() ? "evaluation with maps"
                                                        : "evaluation")};
            });
        }
    }
    const int64_t most_targets = most_targets_of_a_row(s.batch);
    if (!figures.failed() && moved == 0) {
        if (most_targets < 2)
            return not_applicable("the rows have one target each: no loss has an input of its own");
        figures.note(HUGE_VAL, [&]() -> Blame {
            return {"model", fmt::format("inputs move no loss: {} changes of all inputs from a position on, rows of up to {} "
                                         "targets",
                                         changes, most_targets)};
        });
    }
    return figures.finding(fmt::format("{} changes of later inputs, in evaluation with and without maps{}", changes,
                                       trains ? " and in training" : ""));
}

Finding padding(const Subject& s) {
    const Sides sides = sides_of(s.batch);
    Figures figures(rounding(2e-5));
    const Passed plain = run(s, s.batch, evaluating(s));
    const double size = std::max(largest(plain.losses), plain.labels.defined() ? largest(plain.labels) : 0);
    int64_t tried = 0;
    const auto compare = [&](const Passed& a, const Passed& b, const Sides& of, const char* what) {
        ++tried;
        const double d =
            std::max(loss_difference(a.losses, b.losses, all_columns), label_difference(a.labels, b.labels)) / size;
        figures.note(d, [&]() -> Blame {
            return {blamed(first_apart(a, b, of, rounding(1e-5), all_columns), elsewhere),
                    fmt::format("{} moves a loss by {:.2g} of the largest", what, d)};
        });
    };
    const PositionLimits limits = s.model().positions();
    constexpr int64_t more = 3;
    const bool fits = (limits.input == 0 || s.batch.input.columns + more <= limits.input) &&
                      (limits.source == 0 || s.batch.source.columns + more <= limits.source) &&
                      std::ranges::all_of(s.model().sites(), [&](const Site& site) {
                          return site.room == 0 || std::max(s.batch.source.columns, s.batch.input.columns) + more <= site.room;
                      });
    const auto filler = static_cast<int32_t>(s.vocabularies.target_vocabulary - 1);
    const int32_t shared = s.vocabularies.source_vocabulary == 0
                               ? filler
                               : std::min(filler, static_cast<int32_t>(s.vocabularies.source_vocabulary - 1));
    compare(plain, run(s, cut(s.batch, sides, 0, shared), evaluating(s)), sides, "another id in the padding");
    if (fits) {
        compare(plain, run(s, cut(s.batch, sides, more, id_pad), evaluating(s)), sides, "more padding");
        compare(plain, run(s, cut(s.batch, sides, more, shared), evaluating(s)), sides, "more padding of another id");
        compare(plain, run(s, cut(s.batch, sides, more, shared), looking(s)), sides, "more padding, with maps,");
    }
    for (int64_t r = 0; r < s.batch.rows(); ++r) {
        const Batch alone = s.batch.slice(r, r + 1);
        if (loss_counts(alone).all() == 0)
            continue;
        // A site's choices that are drawn know rows by their number.
        Pass pass = evaluating(s);
        pass.first_row = r;
        Passed row = plain;
        row.losses = plain.losses.rows(r, r + 1);
        if (plain.labels.defined())
            row.labels = plain.labels.rows(r, r + 1);
        for (Reading& reading : row.readings) reading.context = reading.context.rows(r, r + 1);
        compare(row, run(s, alone, pass), sides_of(alone), "to be alone in the batch");
    }
    return figures.finding(fmt::format("{} forms of the same rows: more padding, other ids in it, each row alone{}", tried,
                                       fits ? "" : " (no wider rows: the model has no positions for them)"));
}

namespace {

// Of every op that a pass ran: its module, its name, and a sum of its bits.
struct Step {
    std::string module;
    const char* op;
    uint64_t bits;
};

std::vector<Step> steps_of(const Subject& s, const Pass& pass) {
    const NoGrad off;
    std::vector<Step> steps;
    const auto each = [&](const char* op, const Tensor& output) {
        uint64_t bits = 1469598103934665603U;  // FNV-1a
        for (int64_t i = 0; i < output.size(); ++i) {
            uint64_t one = 0;
            std::memcpy(&one, output.data() + i, sizeof(real));
            bits = (bits ^ one) * 1099511628211U;
        }
        steps.push_back({trace::module(), op, bits});
    };
    const Followed::Each reference = each;
    const Followed followed(reference);
    s.model().score(score_input(s.batch), LossOptions{.ignored = id_ignored}, pass);
    return steps;
}

}  // namespace

Finding no_draws(const Subject& s) {
    const HardChoice* hard = s.model().hard();
    if (hard != nullptr && hard->evaluate == HardChoice::Evaluate::drawn)
        return not_applicable("model.attention.select.evaluate is 'drawn': evaluation is asked to draw");
    Figures figures(0);
    const Pass first = evaluating(s);
    Pass other = first;
    other.seed += 1;
    other.step = 7;
    const std::vector<Step> a = steps_of(s, first), b = steps_of(s, other), c = steps_of(s, first);
    int64_t differ = 0;
    Blame blame;
    for (const std::vector<Step>* x : {&b, &c})
        for (std::size_t i = 0; i < std::max(a.size(), x->size()); ++i)
            if (i >= a.size() || i >= x->size() || a[i].bits != (*x)[i].bits) {
                const Step& at = i < a.size() ? a[i] : (*x)[i];
                if (differ++ == 0)
                    blame = {blamed(at.module, "model"),
                             fmt::format("op '{}' gives other bits in a second evaluation of the same rows", at.op)};
            }
    figures.note(static_cast<double>(differ), [&] { return blame; });
    return figures.finding(
        fmt::format("{} ops of two evaluations with other seeds, and of one again: ops that differ", a.size()));
}

}  // namespace attend::prove
