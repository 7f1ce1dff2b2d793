#include "core/parameters.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "core/base/interruption.h"

namespace attend::ATTEND_PRECISION {

// Address space taken once, pages made usable as the table grows: handles never move.
struct ParameterStore::Arena {
    static constexpr std::size_t most = std::size_t{1} << 36;  // 64 GiB of addresses, no memory
    static constexpr std::size_t page = std::size_t{1} << 16;
    real* base = nullptr;
    int64_t size = 0;
    std::size_t usable = 0, reserved = 0;

    // At most `share` of the addresses that the process may have (`ulimit -v`), and less where the
    // system refuses that.
    explicit Arena(double share) {
        const double allowed = share * static_cast<double>(memory::address_limit());
        const std::size_t wanted = allowed < static_cast<double>(most) ? static_cast<std::size_t>(allowed) / page * page : most;
        for (reserved = std::max(wanted, page); reserved >= page; reserved = reserved / 2 / page * page) {
            void* p = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (p != MAP_FAILED) {
                base = static_cast<real*>(p);
                return;
            }
        }
        const int code = errno;
        ensure(false, "parameters: no address space: least {} bytes, error {}", page, std::strerror(code));
    }
    ~Arena() { munmap(base, reserved); }
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // Offset of `n` new elements, the end padded with zeros to 64 bytes.
    int64_t grow(int64_t n) {
        constexpr auto unit = static_cast<int64_t>(memory::alignment / sizeof(real));
        const int64_t offset = size, next = size + (n + unit - 1) / unit * unit;
        const std::size_t bytes = static_cast<std::size_t>(next) * sizeof(real);
        require(bytes <= reserved, "parameters: too many for the addresses that were reserved: {} bytes asked, {} reserved{}",
                bytes, reserved,
                reserved == most ? "" : "; 'ulimit -v' (or the machine) allows this process no more: raise it");
        if (bytes > usable) {
            const std::size_t wanted = (bytes + page - 1) / page * page;
            ensure(mprotect(base, wanted, PROT_READ | PROT_WRITE) == 0, "parameters: out of memory: {} bytes asked, {} in use",
                   wanted, usable);
            usable = wanted;
        }
        size = next;
        return offset;
    }
};

Init Init::xavier(int64_t in, int64_t out) {
    return uniform(std::sqrt(6.0 / static_cast<double>(std::max<int64_t>(1, in + out))));
}

namespace {
void fill(real* values, const Shape& shape, const Init& init, Stream stream) {
    const auto scale = static_cast<real>(init.scale);
    for (real& v : std::span(values, static_cast<std::size_t>(shape.size())))
        v = init.kind == Init::Kind::constant  ? scale
            : init.kind == Init::Kind::uniform ? stream.uniform(-scale, scale)
                                               : scale * static_cast<real>(stream.normal());
}

// Of the addresses of a process that is limited: training also has gradients by shard, the
// optimizer's arrays, averages.
constexpr double parameters_share = 1.0 / 8, state_share = 1.0 / 128;
}  // namespace

ParameterStore::ParameterStore(uint64_t seed)
    : seed_(seed), arena_(std::make_unique<Arena>(parameters_share)), state_arena_(std::make_unique<Arena>(state_share)) {}
ParameterStore::~ParameterStore() = default;

Tensor ParameterStore::add(const std::string& name, const Shape& shape, const Init& init) {
    interruption_point();
    const Parameter* taken = find(name);
    require(taken == nullptr,
            "parameters: name taken: '{}' {}, already there with shape {}; share a parameter by passing its tensor", name,
            shape.text(), taken ? taken->shape.text() : "");
    const auto bytes = static_cast<double>(size() + shape.size()) * sizeof(real),
               limit = static_cast<double>(memory::physical());
    require(bytes <= limit, "parameters: more than this machine's memory: '{}' {} makes them {:.0f} MiB, memory {:.0f} MiB",
            name, shape.text(), bytes / 0x1p20, limit / 0x1p20);
    table_.push_back(
        {.name = name, .shape = shape, .offset = arena_->grow(shape.size()), .index = table_.size(), .store = this});
    fill(values(table_.back()), shape, init, Stream(seed_, "init." + name));
    return tensor(table_.back());
}

int64_t ParameterStore::size() const { return arena_->size; }
int64_t ParameterStore::count() const {
    int64_t n = 0;
    for (const Parameter& p : table_) n += p.shape.size();
    return n;
}
int64_t ParameterStore::reserved_bytes() const { return static_cast<int64_t>(arena_->reserved); }
real* ParameterStore::data() { return arena_->base; }
const real* ParameterStore::data() const { return arena_->base; }

const Parameter* ParameterStore::find(const std::string& name) const {
    const auto found = std::ranges::find(table_, name, &Parameter::name);
    return found == table_.end() ? nullptr : &*found;
}

Tensor ParameterStore::tensor(const Parameter& p) const { return Tensor::of_parameter(&p, arena_->base + p.offset, p.shape); }

bool ParameterStore::freeze(const std::string& name) {
    const auto found = std::ranges::find(table_, name, &Parameter::name);
    if (found != table_.end())
        found->trainable = false;
    return found != table_.end();
}

const NamedState& ParameterStore::add_state(const std::string& name, const Shape& shape, double initial, double decay) {
    for (const NamedState& s : states_)
        require(s.name != name, "named state: name taken: '{}' {}, already there with shape {}", name, shape, s.shape);
    states_.push_back({name, shape, state_arena_->grow(shape.size()), decay, states_.size()});
    std::fill_n(state_values(states_.back()), shape.size(), static_cast<real>(initial));
    state_updates_.push_back(0);
    return states_.back();
}

Tensor ParameterStore::state(const NamedState& s) const {
    return Tensor::of(s.shape, {state_arena_->base + s.offset, static_cast<std::size_t>(s.shape.size())});
}
real* ParameterStore::state_values(const NamedState& s) { return state_arena_->base + s.offset; }
int64_t& ParameterStore::state_updates(const NamedState& s) { return state_updates_[s.index]; }
int64_t ParameterStore::state_size() const { return state_arena_->size; }

StateUpdates::StateUpdates(const ParameterStore& store)
    : sums_(static_cast<std::size_t>(store.state_size()), 0.0), counts_(store.states().size(), 0.0) {}

void StateUpdates::reset() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(counts_.begin(), counts_.end(), 0.0);
}

void StateUpdates::add(const NamedState& state, const Tensor& sum, double count) {
    require(sum.shape() == state.shape, "named state '{}': update of another shape: state {}, update {}", state.name,
            state.shape, sum.shape());
    require(state.index < counts_.size(), "named state '{}': added since these updates were made: state {}, room for {}",
            state.name, state.index, counts_.size());
    for (int64_t i = 0; i < sum.size(); ++i)
        sums_[static_cast<std::size_t>(state.offset + i)] += static_cast<double>(sum.data()[i]);
    counts_[state.index] += count;
}

void StateUpdates::apply(std::span<const StateUpdates> shards, ParameterStore& store) {
    for (const StateUpdates& shard : shards)
        require(shard.counts_.size() == store.states().size(),
                "named state: added since these updates were made: {} states, room for {}", store.states().size(),
                shard.counts_.size());
    for (const NamedState& s : store.states()) {
        double count = 0;
        for (const StateUpdates& shard : shards) count += shard.counts_[s.index];
        if (count == 0)
            continue;
        const double keep = store.state_updates(s)++ == 0 ? 0 : s.decay;
        real* values = store.state_values(s);
        for (int64_t i = 0; i < s.shape.size(); ++i) {
            double sum = 0;
            for (const StateUpdates& shard : shards) sum += shard.sums_[static_cast<std::size_t>(s.offset + i)];
            values[i] = static_cast<real>(keep * static_cast<double>(values[i]) + (1 - keep) * sum / count);
        }
    }
}

std::string Scope::join(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}
Scope Scope::in(std::string_view name) const { return Scope(*store_, join(name)); }
Tensor Scope::add(std::string_view name, const Shape& shape, const Init& init) const {
    return store_->add(join(name), shape, init);
}
const NamedState& Scope::add_state(std::string_view name, const Shape& shape, double initial, double decay) const {
    return store_->add_state(join(name), shape, initial, decay);
}

}  // namespace attend::ATTEND_PRECISION
