#include "train/study/lab/measure.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/parallel.h"
#include "core/engine.h"
#include "core/ops.h"
#include "nn/estimators/marginal.h"
#include "optim/optimizer.h"
#include "train/config/clock.h"
#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/experiment/loss.h"
#include "train/records/checkpoint.h"
#include "train/study/lab/estimators.h"
#include "train/study/lab/judge.h"
#include "train/study/lab/rank.h"

namespace attend::ATTEND_PRECISION {

using namespace lab;

namespace {

constexpr int64_t group_count = 16;
constexpr const char* built_estimator = "lab.";  // parameters of an estimator that is built here

// An experiment's model with the weights of a place and one estimator over it.
struct LabBench {
    ModelInStore made;
    std::unique_ptr<Estimator> built;
    const Estimator* estimator = nullptr;
    Blocks blocks;
};

// The module of a site; of multi-head attention that of all heads ("decoder.0.cross.heads.1" is a
// site of "decoder.0.cross").
std::string module_of(const Site& site) {
    const std::size_t heads = site.path.rfind(".heads.");
    return heads == std::string::npos ? site.path : site.path.substr(0, heads);
}

// "decoder.0.cross" as "decoder.*.cross".
std::string of_all_layers(const std::string& path) {
    std::string out;
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('.', begin), path.size());
        const std::string word = path.substr(begin, end - begin);
        const bool number = std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
        out += (out.empty() ? "" : ".") + (number ? "*" : word);
        begin = end + 1;
    }
    return out;
}

// Name of the block of each attention's module: its path, or that of all layers where they are
// several.
std::map<std::string, std::string> attention_blocks(const Sites& sites) {
    std::map<std::string, std::string> names;
    std::map<std::string, int> layers;
    for (const Site& s : sites)
        if (names.emplace(module_of(s), "").second)
            ++layers[of_all_layers(module_of(s))];
    for (auto& [path, name] : names) name = layers[of_all_layers(path)] > 1 ? of_all_layers(path) : path;
    return names;
}

// Blocks (lab::Block) of parameters 0 ... `count` - 1 of the store; those of its own estimator do not
// count.
Blocks blocks_of(const ParameterStore& store, std::size_t count, const Sites& sites) {
    const std::map<std::string, std::string> attentions = attention_blocks(sites);
    Blocks out;
    out.of.resize(static_cast<std::size_t>(store.size()), -1);
    for (std::size_t i = 0; i < count; ++i) {
        const Parameter& p = store.table()[i];
        if (!p.trainable || is_of_estimator(p.name))
            continue;
        std::string name = p.name.substr(0, p.name.find('.'));
        for (const auto& [path, block] : attentions)
            if (p.name.starts_with(path + "."))
                name = block;
        auto at = std::find(out.names.begin(), out.names.end(), name);
        if (at == out.names.end())
            at = out.names.insert(at, name);
        std::fill_n(out.of.begin() + p.offset, p.shape.size(), static_cast<int32_t>(at - out.names.begin()));
    }
    return out;
}

// The exact objective of an aim where choices of one step reach no other: all positions of every
// step are read,
//     expected  sum_t sum_s p_s l_ts      marginal  -sum_t log sum_s p_s e^(-l_ts)
//     bound     sum_t sum_s q_s (l_ts + ln q_s - ln p_s), q of `with`'s inference network.
class ExactObjective final : public Estimator {
  public:
    ExactObjective(Aim aim, const Estimator& with) : aim_(aim), with_(with) {}
    Aim aim() const override { return aim_; }
    bool needs_independence() const override { return true; }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        if (aim_ == Aim::marginal)
            return marginal(rollouts.by_position_one_by_one([](const Tensor& weights) { return with_weight(weights); }),
                            Tensor::full({1, 1, 1}, 1), rollouts.mask(), normaliser);
        const std::unique_ptr<Proposal> q = with_.proposal(rollouts.target());
        const WayOfChoosing each_in_turn = choose_forced(each_position(rollouts), q ? choose_proposed(*q) : choose_drawn());
        const Rollout rollout = rollouts(*each_in_turn, rollouts.positions());
        const Tensor mask = rollouts.mask().reshape({rollouts.rows(), 1, rollouts.targets()});
        Tensor each = rollout.loss * (aim_ == Aim::bound ? exp(rollout.log_proposal()) : rollout.probability());
        if (aim_ == Aim::bound)  // the divergence of a step is that of every position's copy: one of them counts
            each = each + scale(rollout.divergence() * mask, static_cast<real>(1 / static_cast<double>(rollouts.positions())));
        Estimated out;
        out.loss = scale(sum(each * mask), static_cast<real>(1 / normaliser));
        out.target_loss = Tensor::zeros({rollouts.rows(), rollouts.targets()});
        return out;
    }

  private:
    Aim aim_;
    const Estimator& with_;
};

class Lab {
  public:
    Lab(const Experiment& experiment, const std::string& saved, const Setup& setup)
        : setup_(setup),
          task_(make_task(experiment, saved)),
          experiment_(resolve_for(experiment, *task_)),
          workers_(setup.threads) {
        const Batch whole = task_->batches(Split::train, training_order(experiment_))->at(0);
        batch_ = whole.slice(0, setup.rows == 0 ? whole.rows() : std::min(setup.rows, whole.rows()));
        counts_ = loss_counts(batch_);
        require(counts_.targets > 0, "lab: the rows have no targets: rows {}, targets {}", batch_.rows(), counts_.targets);
    }

    Report go(const std::vector<lab::Place>& places) {
        Report report;
        report.name = experiment_.name;
        report.rows = batch_.rows();
        report.targets = counts_.targets;
        report.draws = setup_.draws;
        for (const lab::Place& place : places) {
            const LabBench own = bench(place, nullptr);
            require(own.estimator != nullptr,
                    "lab: the model makes no hard choices, so there is nothing to estimate; --set model.attention.select=hard");
            report.exact = independent(own.made.model->sites());
            report.objective = aim_name(own.estimator->aim());
            report.checkpoints.push_back(measured(place));
        }
        report.recommendation = recommend(report);
        return report;
    }

  private:
    // With the estimator of `selection`, or the model's own.
    LabBench bench(const lab::Place& place, const Selection* selection) const {
        LabBench b{make_model(experiment_, *task_), nullptr, nullptr, {}};
        if (place.folder.empty())
            take_weights(experiment_.init, *b.made.model, *b.made.store);
        else
            load_model(place.folder, *b.made.store);
        const std::size_t of_model = b.made.store->table().size();  // before those of the estimator
        if (selection != nullptr)
            b.built = estimator_table().build(*selection, Scope(*b.made.store, "lab"), b.made.model->estimator_setup());
        b.estimator = selection != nullptr ? b.built.get() : b.made.model->estimator();
        b.blocks = blocks_of(*b.made.store, of_model, b.made.model->sites());
        return b;
    }

    // Estimate number `draw`: evaluation mode, so that nothing but choices is drawn.
    Tensor loss(const LabBench& b, const Estimator& estimator, const lab::Place& place, uint64_t draw,
                StateUpdates* updates) const {
        const uint64_t seed = hash_name(fmt::format("lab.{}.{}", experiment_.seed, draw));
        const Context context{.seed = seed, .step = static_cast<uint32_t>(place.step), .updates = updates};
        const LossOptions options{.normaliser = static_cast<double>(counts_.targets), .ignored = id_ignored};
        return b.made.model->estimate(estimator, score_input(batch_), options, context).loss;
    }

    // An estimator's own network and state learn what they are for; the model's weights stay.
    void adapt(LabBench& b, const lab::Place& place) {
        // A parameter or a state of the estimator in hand: of one that was built here, or of the
        // model's own.
        const auto is_own = [&](const auto& p) {
            return b.built ? p.name.starts_with(built_estimator) : is_of_estimator(p.name);
        };
        const ParameterStore& store = *b.made.store;
        if (std::ranges::none_of(store.table(), is_own) && std::ranges::none_of(store.states(), is_own))
            return;
        if (!b.built && !place.folder.empty())  // it has learnt with the model
            return;
        Selection adam(optimizer_table(), "adam");
        const std::unique_ptr<Optimizer> optimizer = optimizer_table().build(adam, *b.made.store);
        Gradients gradients(*b.made.store);
        std::vector<StateUpdates> updates(1, StateUpdates(*b.made.store));
        for (int64_t i = 0; i < setup_.adapt; ++i) {
            gradients.reset();
            updates.front().reset();
            backward(loss(b, *b.estimator, place, static_cast<uint64_t>(i) + (uint64_t{1} << 40), updates.data()), gradients);
            gradients.finish();
            std::vector<real> own(static_cast<std::size_t>(b.made.store->size()));
            for (const Parameter& p : store.table())
                if (is_own(p))
                    std::copy_n(gradients.data() + p.offset, p.shape.size(), own.data() + p.offset);
            update(*optimizer, *b.made.store, own.data(), {.step = i, .learning_rate = 0.01}, workers_);
            StateUpdates::apply(updates, *b.made.store);
        }
    }

    // `count` estimates in groups, each group by one thread.
    Groups draw(const LabBench& b, const Estimator& estimator, const lab::Place& place, int64_t count, uint64_t first,
                const std::vector<double>* direction) {
        Groups out;
        const int64_t groups = count == 1 ? 1 : group_count;
        out.each = std::max<int64_t>(1, count / groups);
        out.means.resize(static_cast<std::size_t>(groups));
        out.squares.resize(static_cast<std::size_t>(groups));
        out.products.resize(direction == nullptr ? 0 : static_cast<std::size_t>(groups));
        const std::size_t blocks = b.blocks.names.size();
        workers_.run(static_cast<int>(groups), [&](int number) {
            const auto group = static_cast<std::size_t>(number);
            Gradients gradients(*b.made.store);
            std::vector<double> sum(b.blocks.of.size());
            std::vector<double> squares, products;
            for (int64_t i = 0; i < out.each; ++i) {
                gradients.reset();
                backward(loss(b, estimator, place, first + static_cast<uint64_t>(number * out.each + i), nullptr), gradients);
                gradients.finish();
                squares.resize(squares.size() + blocks);
                products.resize(squares.size());
                double* const square = squares.data() + squares.size() - blocks;
                double* const product = products.data() + squares.size() - blocks;
                for (std::size_t e = 0; e < sum.size(); ++e) {
                    const int32_t block = b.blocks.of[e];
                    if (block < 0)
                        continue;
                    const auto g = static_cast<double>(gradients.data()[e]);
                    sum[e] += g;
                    square[block] += g * g;
                    product[block] += direction == nullptr ? 0 : g * (*direction)[e];
                }
            }
            out.squares[group] = std::move(squares);
            if (direction != nullptr)
                out.products[group] = std::move(products);
            for (double& x : sum) x /= static_cast<double>(out.each);
            out.means[group] = std::move(sum);
        });
        return out;
    }

    // Of an estimate's seconds, alone on the machine as far as we are concerned, the median of seven,
    // and the standard error of its logarithm.
    void take_time(Row& row, const LabBench& b, const lab::Place& place) const {
        std::vector<double> all;
        Gradients gradients(*b.made.store);
        for (uint64_t i = 0; i < 7; ++i) {
            const Clock::time_point began = Clock::now();
            gradients.reset();
            backward(loss(b, *b.estimator, place, i, nullptr), gradients);
            gradients.finish();
            all.push_back(seconds_since(began));
        }
        std::ranges::sort(all);
        row.seconds = all[3];
        // Of seven normal values the second and the last but one are expected 2 * 0.757 deviations
        // apart, and the error of their median is 0.46 deviations (David and Nagaraja 2003, table 4.1).
        row.seconds_error = 0.46 * std::log(all[5] / all[1]) / (2 * 0.757);
    }

    // g of an aim: exact, or the mean of many draws of an unbiased estimator of small variance.
    Groups reference(const LabBench& b, const lab::Place& place) {
        Groups& known = references_[b.estimator->aim()];
        if (known.means.empty() || b.estimator->aim() == Aim::bound)  // which is of its own inference network
            known = reference_of(b, place);
        Groups out = known;  // the model's parameters come first in every store
        for (std::vector<double>& mean : out.means) mean.resize(b.blocks.of.size());
        return out;
    }
    Groups reference_of(const LabBench& b, const lab::Place& place) {
        if (independent(b.made.model->sites()))
            return draw(b, ExactObjective(b.estimator->aim(), *b.estimator), place, 1, 0, nullptr);
        if (b.estimator->aim() == Aim::bound)  // there is no other estimator of it
            return draw(b, *b.estimator, place, 4 * setup_.draws, uint64_t{1} << 41, nullptr);
        Setup many;
        many.estimators = {R"({"type": "reinforce", "baseline": "leave_one_out", "samples": 16})"};
        const std::unique_ptr<Estimator> estimator = estimator_table().build(
            candidates(many).front(), Scope(*b.made.store, "reference"), b.made.model->estimator_setup());
        return draw(b, *estimator, place, setup_.draws, uint64_t{1} << 41, nullptr);
    }

    // With the estimator of `selection`, or the model's own.
    Row row_of(const lab::Place& place, const Selection* selection) {
        Row row;
        if (selection != nullptr)
            row = described(*selection);
        try {
            LabBench b = bench(place, selection);
            if (selection == nullptr)
                row = described(b.made.model->hard()->estimator);
            row.configured = selection == nullptr;
            row.aim = b.estimator->aim();
            row.unbiased = b.estimator->unbiased();
            const bool alone = independent(b.made.model->sites());
            if (!alone && (b.estimator->needs_independence() || row.aim == Aim::marginal))
                row.skipped = "what is chosen at a step affects later steps";
            else
                estimate(row, b, place);
        } catch (const Error& error) {
            if (selection == nullptr)
                throw;
            row.skipped = error.what();  // as too few samples for a baseline, a network for one site where there are many
        }
        return row;
    }
    void estimate(Row& row, LabBench& b, const lab::Place& place) {
        adapt(b, place);
        const Groups expected = reference(b, place);
        const std::vector<double> g = expected.mean();
        take_time(row, b, place);
        judge(row, draw(b, *b.estimator, place, b.estimator->draws() ? setup_.draws : 1, 0, &g), expected, b.blocks);
    }

    static bool is_configured(const Row& own, const Selection& s) {
        const Row row = described(s);
        return row.estimator == own.estimator && row.options == own.options;
    }
    Measured measured(const lab::Place& place) {
        references_.clear();
        Measured out{place.step, {}};
        out.rows.push_back(row_of(place, nullptr));
        for (const Selection& s : candidates(setup_))
            if (!is_configured(out.rows.front(), s))
                out.rows.push_back(row_of(place, &s));
        return out;
    }

    std::map<Aim, Groups> references_;  // of the place in hand
    Setup setup_;
    std::unique_ptr<Task> task_;
    Experiment experiment_;
    Workers workers_;
    Batch batch_;
    LossCounts counts_;
};

}  // namespace

Report measure_estimators(const Experiment& experiment, const std::string& saved, const std::vector<lab::Place>& places,
                          const Setup& setup) {
    require(setup.draws >= 3 * group_count, "lab: too few draws for an interval: draws {}, least {}", setup.draws,
            3 * group_count);
    require(!places.empty() && setup.threads >= 1, "lab: nothing to do: checkpoints {}, threads {}", places.size(),
            setup.threads);
    return Lab(experiment, saved, setup).go(places);
}

}  // namespace attend::ATTEND_PRECISION
