#pragma once
/// What the optimisers here share: options, flat state arrays with the layout of the arena, and the
/// loop over its parameters.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/kernels/update.h"
#include "optim/optimizer.h"

namespace attend::ATTEND_PRECISION {

/// The greatest value of options that must stay below 1 and still be below 1 as a float.
constexpr double below_one = 0.9999999;

/// x as `real` holds it.
inline double as_real(double x) { return static_cast<double>(static_cast<real>(x)); }

/// The options that all have.
struct UpdateOptions {
    double learning_rate, weight_decay;

  protected:
    explicit UpdateOptions(double rate, double decay = 0) : learning_rate(rate), weight_decay(decay) {}
    void rate_field(Visitor& v, const char* help = "peak learning rate") {
        v.number("learning_rate", learning_rate, {0, 1000}, help);
    }
    void decay_field(Visitor& v) { decay_field(v, "adds this times the weights to the gradient (two or more dimensions)"); }
    void decoupled_decay_field(Visitor& v) {
        decay_field(v, "each step shrinks weights of two or more dimensions by rate times this");
    }

  private:
    void decay_field(Visitor& v, const char* help) { v.number("weight_decay", weight_decay, {0, 1000}, help); }
};

/// A stretch of one parameter within the arena: what a derived optimiser updates with one kernel
/// call.
struct Segment {
    real* value;           ///< first element of the stretch
    const real* gradient;  ///< its gradient
    int64_t offset;        ///< the same element's place in the state arrays
    int64_t size;
    bool decays;  ///< whether the parameter has two or more dimensions
    const Parameter* parameter;
};

class ArenaStates : public Optimizer {
  public:
    /// "m.encoder.embedding.weight": each state array cut like the arena.
    std::vector<OptimizerState> state(const ParameterStore& store) override {
        require_unchanged(store);
        std::vector<OptimizerState> pieces;
        for (std::size_t i = 0; i < names_.size(); ++i)
            for (const Parameter& p : store.table())
                pieces.push_back({names_[i] + "." + p.name, p.shape, states_[i].data() + p.offset});
        return pieces;
    }

    /// Throws MachineError when the range is not within the arena, or the arena has grown since the
    /// optimiser was made.
    void update(ParameterStore& store, const real* gradient, const UpdateStep& step, int64_t begin, int64_t end) final {
        require_unchanged(store);
        ensure(0 <= begin && begin <= end && end <= size_, "optimizer: range outside of the arena: range {} to {}, elements {}",
               begin, end, size_);
        ensure(step.step >= 0, "optimizer: steps are counted from 0: step {}", step.step);
        const auto& table = store.table();
        // The first parameter that begins after `begin`, and the one before it, which may contain
        // it.
        auto p =
            std::upper_bound(table.begin(), table.end(), begin, [](int64_t at, const Parameter& q) { return at < q.offset; });
        if (p != table.begin())
            --p;
        for (; p != table.end() && p->offset < end; ++p) {
            const int64_t first = std::max(begin, p->offset);
            const int64_t last = std::min(end, p->offset + p->shape.size());
            if (p->trainable && first < last)
                apply({store.data() + first, gradient + first, first, last - first, p->shape.rank() >= 2, &*p}, step);
        }
    }

  protected:
    /// State arrays of zeros, one a name.
    ArenaStates(const ParameterStore& store, std::vector<std::string> names) : size_(store.size()), names_(std::move(names)) {
        for (std::size_t i = 0; i < names_.size(); ++i) states_.emplace_back(static_cast<std::size_t>(size_), real{0});
    }
    /// Updates one stretch. Stretches of different calls are disjoint and may run at the same time.
    virtual void apply(const Segment& s, const UpdateStep& step) = 0;
    /// The state array that belongs to a segment.
    real* state_of(std::size_t index, const Segment& s) { return states_[index].data() + s.offset; }

    /// Starts a state array at `value` within the parameters; padding stays zero.
    void fill_state(std::size_t index, const ParameterStore& store, real value) {
        for (const Parameter& p : store.table()) std::fill_n(states_[index].data() + p.offset, p.shape.size(), value);
    }

  private:
    void require_unchanged(const ParameterStore& store) const {
        ensure(store.size() == size_, "optimizer: the arena has changed since the optimizer was made: elements {}, made for {}",
               store.size(), size_);
    }
    int64_t size_;
    std::vector<std::string> names_;
    std::vector<Array<real>> states_;
};

/// An optimiser with options O (UpdateOptions and more).
template <class O>
class ArenaOptimizer : public ArenaStates {
  public:
    double learning_rate() const final { return o_.learning_rate; }

  protected:
    ArenaOptimizer(const O& o, const ParameterStore& store, std::vector<std::string> names)
        : ArenaStates(store, std::move(names)), o_(o) {}
    kernels::UpdateNumbers numbers(const Segment& s, const UpdateStep& step) const {
        return {step.gradient_scale, step.learning_rate, s.decays ? o_.weight_decay : 0};
    }
    const O o_;
};

}  // namespace attend::ATTEND_PRECISION
