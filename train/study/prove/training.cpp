// The training step: several batches as one, any number of threads, and a checkpoint in between.
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "train/learn/step.h"
#include "train/records/checkpoint.h"
#include "train/study/prove/properties.h"

namespace attend::prove {

namespace {

// A model with the optimiser of its experiment, and steps of it; the weights are as before when it
// ends.
class Bench {
  public:
    Bench(const Subject& s, const Model& model, ParameterStore& store, int64_t shards, int threads)
        : store_(store),
          before_(store.data(), store.data() + store.size()),
          optimizer_(optimizer_table().build(s.experiment.optimizer, store)),
          schedule_(schedule_table().build(s.experiment.schedule, optimizer_->learning_rate(), s.experiment.train.steps)),
          workers_(threads),
          step_({model, store, *s.objective, *optimizer_, *schedule_, workers_}, settings(s, shards)) {
        for (const NamedState& state : store.states()) {
            const real* values = store.state_values(state);
            states_.emplace_back(values, values + state.shape.size());
            updates_.push_back(store.state_updates(state));
        }
    }
    ~Bench() {
        std::copy(before_.begin(), before_.end(), store_.data());
        std::size_t i = 0;
        for (const NamedState& state : store_.states()) {
            std::copy(states_[i].begin(), states_[i].end(), store_.state_values(state));
            store_.state_updates(state) = updates_[i++];
        }
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    std::vector<real> gradient(int64_t step, std::span<const Batch> batches) {
        step_.run(step, batches);
        return {step_.gradient(), step_.gradient() + store_.size()};
    }
    std::vector<real> values() const { return {store_.data(), store_.data() + store_.size()}; }
    Checkpointed trained() { return {store_, *optimizer_, nullptr}; }

  private:
    static StepSettings settings(const Subject& s, int64_t shards) {
        StepSettings all = step_settings(s.experiment);
        all.shards = shards;
        return all;
    }

    ParameterStore& store_;
    std::vector<real> before_;
    std::vector<std::vector<real>> states_;
    std::vector<int64_t> updates_;
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<Schedule> schedule_;
    Workers workers_;
    TrainingStep step_;
};

int64_t differing(const std::vector<real>& a, const std::vector<real>& b) {
    int64_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) count += std::memcmp(&a[i], &b[i], sizeof(real)) != 0 ? 1 : 0;
    return count;
}

// The first parameter in which two arenas differ by more than `limit`.
std::string parameter_apart(const ParameterStore& store, const std::vector<real>& a, const std::vector<real>& b, double limit) {
    for (const Parameter& p : store.table())
        for (int64_t i = p.offset; i < p.offset + p.shape.size(); ++i)
            if (worse(0, std::abs(static_cast<double>(a[static_cast<std::size_t>(i)] - b[static_cast<std::size_t>(i)]))) >
                limit)
                return p.name;
    return "no parameter";
}

// The first row once more in front of all; of longer rows what is beyond its length becomes `padding`.
Ids with_first_twice(const Ids& ids, int32_t padding) {
    if (ids.rows == 0)
        return ids;
    Ids out(ids.rows + 1, ids.columns);
    std::copy_n(ids.row(0), ids.columns, out.values.begin());
    std::copy(ids.values.begin(), ids.values.end(), out.values.begin() + ids.columns);
    out.lengths.assign(1, ids.lengths[0]);
    for (const int32_t length : ids.lengths) out.lengths.push_back(std::min(length, ids.lengths[0]));
    for (int64_t r = 1; r < out.rows; ++r)
        for (int64_t c = out.length(r); c < ids.length(r - 1); ++c) out.at(r, c) = padding;
    return out;
}
Batch with_first_twice(const Batch& b) {
    Batch out;
    out.source = with_first_twice(b.source, id_pad);
    out.input = with_first_twice(b.input, id_pad);
    out.target = with_first_twice(b.target, id_ignored);
    out.segments = with_first_twice(b.segments, id_pad);
    out.labels = b.labels;
    if (!b.labels.empty())
        out.labels.insert(out.labels.begin(), b.labels.front());
    out.examples = b.examples;
    out.examples.insert(out.examples.begin(), b.examples.front());
    return out;
}

int64_t last_step(const Subject& s) { return std::max<int64_t>(0, s.experiment.train.steps - 1); }

constexpr const char* the_step = "training step";

// A folder that goes away with it.
class Scratch {
  public:
    Scratch() {
        std::string name = (std::filesystem::temp_directory_path() / "attend_prove_XXXXXX").string();
        ensure(::mkdtemp(name.data()) != nullptr, "prove: no temporary folder can be made: {}", name);
        path_ = name;
    }
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace

Finding accumulation(const Subject& s) {
    if (s.batch.rows() < 2)
        return not_applicable("the batch has one row");
    // The longest row stands in both parts: what is drawn for a row may depend on the columns.
    const Batch both = with_first_twice(s.batch);
    const std::vector<Batch> parts = {both.slice(0, 1), both.slice(1, both.rows())};
    if (loss_counts(parts[0]).all() == 0 || loss_counts(parts[1]).all() == 0)
        return not_applicable("one of two parts of the rows has no target");
    const auto gradient = [&](std::span<const Batch> batches) {
        return Bench(s, s.model(), *s.made.store, 1, 1).gradient(last_step(s), batches);
    };
    const std::vector<real> whole = gradient({&both, 1}), added = gradient(parts);
    double largest = 1e-30, worst = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        largest = worse(largest, std::abs(static_cast<double>(whole[i])));
        worst = worse(worst, std::abs(static_cast<double>(whole[i] - added[i])));
    }
    Figures figures(rounding(1e-3));
    figures.note(worst / largest, [&]() -> Blame {
        return {the_step,
                fmt::format("the gradient of {} and {} targets one after the other is {:.2g} of its size off that of both "
                            "at once, first in {}",
                            loss_counts(parts[0]).all(), loss_counts(parts[1]).all(), worst / largest,
                            parameter_apart(*s.made.store, whole, added, 1e-3 * largest))};
    });
    return figures.finding(fmt::format("the gradient of two batches of {} and {} targets added up, beside that of one",
                                       loss_counts(parts[0]).all(), loss_counts(parts[1]).all()));
}

Finding threads(const Subject& s) {
    const int64_t shards = std::min<int64_t>(s.batch.rows(), 3);
    Figures figures(0);
    std::vector<real> first, first_values;
    const std::vector<int> numbers = s.large() ? std::vector<int>{1, 2} : std::vector<int>{1, 2, 3};
    for (const int threads : numbers) {
        Bench bench(s, s.model(), *s.made.store, shards, threads);
        const std::vector<real> gradient = bench.gradient(last_step(s), {&s.batch, 1});
        const std::vector<real> values = bench.values();
        if (threads == 1) {
            first = gradient;
            first_values = values;
        }
        const int64_t count = differing(first, gradient) + differing(first_values, values);
        figures.note(static_cast<double>(count), [&]() -> Blame {
            return {the_step, fmt::format("{} threads in place of one change {} numbers, first of {}", threads, count,
                                          parameter_apart(*s.made.store, first, gradient, 0))};
        });
    }
    return figures.finding(fmt::format("gradient and weights after a step of {} shards on 1 to {} threads: numbers that differ",
                                       shards, numbers.back()));
}

Finding resumed(const Subject& s) {
    const Scratch scratch;
    Figures figures(0);
    std::vector<real> straight;
    {
        Bench bench(s, s.model(), *s.made.store, 1, 1);
        for (int64_t step = 0; step < 2; ++step) bench.gradient(step, {&s.batch, 1});
        save_checkpoint(scratch.path() / "checkpoint", bench.trained(), {});
        bench.gradient(2, {&s.batch, 1});
        straight = bench.values();
    }
    ModelInStore made = make_model(s.experiment, s.vocabularies);
    Bench bench(s, *made.model, *made.store, 1, 1);
    load_checkpoint(scratch.path() / "checkpoint", bench.trained());
    bench.gradient(2, {&s.batch, 1});
    const int64_t count = differing(straight, bench.values());
    figures.note(static_cast<double>(count), [&]() -> Blame {
        return {"checkpoint", fmt::format("the step after it differs in {} weights, first of {}", count,
                                          parameter_apart(*s.made.store, straight, bench.values(), 0))};
    });
    return figures.finding("three steps, and the third again from a checkpoint after two: weights that differ");
}

}  // namespace attend::prove
