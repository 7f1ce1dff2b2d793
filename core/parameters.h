#pragma once
/// Parameters are one flat arena with an ordered table of names; so are the named state (moving
/// baselines, running scales).
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "core/real.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION {

class ParameterStore;

/// How a parameter starts. Values come from a stream keyed by the parameter's name.
struct Init {
    enum class Kind { constant, uniform, normal };
    Kind kind = Kind::constant;
    double scale = 0;  ///< the constant; the bound of uniform(-scale, scale); the standard deviation
    static Init zeros() { return {Kind::constant, 0}; }
    static Init ones() { return {Kind::constant, 1}; }
    static Init constant(double value) { return {Kind::constant, value}; }
    static Init uniform(double bound) { return {Kind::uniform, bound}; }
    static Init normal(double deviation) { return {Kind::normal, deviation}; }
    /// Uniform with bound sqrt(6 / (in + out)) (Glorot and Bengio 2010, eq. 16).
    static Init xavier(int64_t in, int64_t out);
};

/// One row of the store's table.
struct Parameter {
    std::string name;  ///< "decoder.2.cross.query.weight"
    Shape shape;
    int64_t offset = 0;  ///< first element in the arena; a multiple of 64 bytes
    std::size_t index = 0;
    bool trainable = true;
    const ParameterStore* store = nullptr;
};

/// Named state: read-only during a step; shards return sums and counts, added in shard order and
/// applied after the step.
struct NamedState {
    std::string name;
    Shape shape;
    int64_t offset = 0;
    double decay = 0;  ///< new = decay * old + (1 - decay) * sum / count; the first update sets new = sum / count
    std::size_t index = 0;
};

/// Reserves address space and grows in place, so handles stay valid. Padding between parameters is
/// zero and stays zero. Optimiser, norm, checkpoint and all-reduce are single passes over [data(),
/// data() + size()).
class ParameterStore {
  public:
    /// Draws initial values under `seed`. Throws MachineError when address space cannot be
    /// reserved.
    explicit ParameterStore(uint64_t seed);
    ~ParameterStore();

    /// Adds a parameter and fills it. The tensor is a handle that is not reference-counted: threads
    /// share it, and the store must outlive it. Throws Error for a name that is taken (sharing is
    /// explicit: pass the tensor).
    Tensor add(const std::string& name, const Shape& shape, const Init& init);

    /// Elements of the arena, padding included; number of parameters' own elements.
    int64_t size() const;
    int64_t count() const;
    /// Bytes of addresses that all parameters may take: 64 GiB, less where the process is limited
    /// (`ulimit -v`).
    int64_t reserved_bytes() const;
    real* data();
    const real* data() const;
    const std::deque<Parameter>& table() const { return table_; }
    /// The row of that name, or null.
    const Parameter* find(const std::string& name) const;
    /// A parameter's tensor (recorded if trainable), and its values for writing.
    Tensor tensor(const Parameter& p) const;
    real* values(const Parameter& p) { return data() + p.offset; }
    /// Excludes a parameter from gradients. Returns whether the name exists.
    bool freeze(const std::string& name);

    /// Named state.
    const NamedState& add_state(const std::string& name, const Shape& shape, double initial, double decay);
    const std::deque<NamedState>& states() const { return states_; }
    /// The values of a state as an unrecorded tensor: a copy.
    Tensor state(const NamedState& s) const;
    real* state_values(const NamedState& s);
    /// Updates seen so far (part of a checkpoint).
    int64_t& state_updates(const NamedState& s);
    int64_t state_size() const;

    uint64_t seed() const { return seed_; }

  private:
    struct Arena;
    uint64_t seed_;
    std::unique_ptr<Arena> arena_, state_arena_;
    std::deque<Parameter> table_;
    std::deque<NamedState> states_;
    std::deque<int64_t> state_updates_;
};

/// What one shard adds to named state in a step.
class StateUpdates {
  public:
    explicit StateUpdates(const ParameterStore& store);
    void reset();
    /// Adds `sum` (the state's shape) over `count` observations.
    void add(const NamedState& state, const Tensor& sum, double count);
    /// Applies the updates of all shards, in order, to the store.
    static void apply(std::span<const StateUpdates> shards, ParameterStore& store);

  private:
    Array<double> sums_, counts_;
};

/// Names parameters for a module's constructor: Scope(store).in("decoder").in("0").
class Scope {
  public:
    explicit Scope(ParameterStore& store, std::string path = "") : store_(&store), path_(std::move(path)) {}
    Scope in(std::string_view name) const;
    Scope in(int64_t index) const { return in(std::to_string(index)); }
    Tensor add(std::string_view name, const Shape& shape, const Init& init) const;
    const NamedState& add_state(std::string_view name, const Shape& shape, double initial, double decay) const;
    const std::string& path() const { return path_; }
    ParameterStore& store() const { return *store_; }

  private:
    std::string join(std::string_view name) const;
    ParameterStore* store_;
    std::string path_;
};

}  // namespace attend::ATTEND_PRECISION
