#include "core/engine.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/broadcast.h"
#include "core/followed.h"
#include "core/gemm.h"
#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"
#include "core/parameters.h"

namespace attend::ATTEND_PRECISION {

namespace {
// Whether this thread records, and the serial number of its last node. Serials only order the nodes
// of one graph: a node's is greater than its inputs' even when a graph is continued on another
// thread.
struct Recording {
    bool enabled = true;
    uint64_t serial = 0;
};
thread_local Recording recording;
constinit thread_local const Followed::Each* follower = nullptr;

Edge edge_to(const Tensor& x, Input::Kind kind) {
    Edge e;
    if (x.node() != nullptr) {
        e.node = Ref<Node>::share(x.node());
        e.offset = x.data() - x.node()->base;
    } else if (x.recorded()) {
        e.parameter = x.parameter();
        e.offset = x.data() - (x.parameter()->store->data() + x.parameter()->offset);
    } else {
        return e;
    }
    e.shape = x.shape();
    e.kind = kind;
    return e;
}

const char* where(const char* module) { return *module ? module : "graph"; }

[[noreturn]] void fail_not_finite(const char* module, const char* what, const char* op, const real* x, int64_t n) {
    int64_t i = 0;
    while (i < n && std::isfinite(x[i])) ++i;
    const real first = i < n ? x[i] : real{0};
    // Which sign a NaN has is the processor's choice: the same failure gives the same message
    // everywhere.
    const real value = std::isnan(first) ? std::abs(first) : first;
    throw Diverged(
        fmt::format("{}: {} is not finite: op '{}', element {} of {}, value {}", where(module), what, op, i, n, value),
        NotFinite{where(module), what, op, i, n, static_cast<double>(value)});
}
}  // namespace

NoGrad::NoGrad() : Temporary(recording.enabled, false) {}

Followed::Followed(const Each& each) : here_(follower, &each) {}

namespace detail {

void check_finite(const char* op, const Tensor& output) {
    if (!kernels::all_finite(output.data(), output.size()))
        fail_not_finite(trace::module(), "output", op, output.data(), output.size());
    if (follower != nullptr)
        (*follower)(op, output);
}

bool wants_recording(std::span<const Input> inputs) {
    return recording.enabled && std::any_of(inputs.begin(), inputs.end(), [](const Input& i) { return i.tensor->recorded(); });
}

void link(Node& node, const char* op, const Tensor& output, std::span<const Input> inputs) {
    node.op = op;
    node.base = output.data();
    node.shape = output.shape();
    uint64_t serial = recording.serial;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        node.edges[i] = edge_to(*inputs[i].tensor, inputs[i].kind);
        if (node.edges[i].node)
            serial = std::max(serial, node.edges[i].node->serial);
    }
    recording.serial = node.serial = serial + 1;
    if (trace::checked())
        node.module = trace::module();
}

void retain(Node* node) { node->references.fetch_add(1, std::memory_order_relaxed); }

// Long graphs are taken apart with a work list: no recursion.
void release(Node* node) noexcept {
    const auto last = [](Node* n) { return n->references.fetch_sub(1, std::memory_order_acq_rel) == 1; };
    if (!last(node))
        return;
    node->next = nullptr;
    while (node != nullptr) {
        Node* dead = node;
        node = dead->next;
        for (Edge& e : dead->edges) {
            Node* input = e.node.take();
            if (input != nullptr && last(input)) {
                input->next = node;
                node = input;
            }
            e.~Edge();
        }
        const std::size_t bytes = dead->block_bytes;
        dead->~Node();
        memory::release(dead, bytes);
    }
}

}  // namespace detail

Tensor watch(const Tensor& x) {
    const Input input(x);
    const Tensor y = detail::attach("watch", x, {&input, 1}, [](Backward& b) {
        if (b.needs(0)) {
            const Tensor dy = b.gradient_tensor();
            kernels::axpy(1, dy.data(), b.into(0), dy.size());
        }
    });
    y.node()->watched = true;
    return y;
}

// ---- Gradients -------------------------------------------------------------------------------------------------------

Gradients::Gradients(const ParameterStore& store)
    : store_(&store),
      arena_(Tensor::zeros({store.size()})),
      written_(store.table().size()),
      uses_left_(store.table().size()),
      pending_(store.table().size()) {}

void Gradients::reset() {
    std::fill(written_.begin(), written_.end(), uint8_t{0});
    watched_.clear();
}

void Gradients::finish() {
    if (store_ == nullptr)
        return;
    for (const Parameter& p : store_->table())
        if (!written_[p.index]) {
            std::fill_n(data() + p.offset, p.shape.size(), real{0});
            written_[p.index] = 1;
        }
}

real* Gradients::data() { return const_cast<real*>(arena_.data()); }
const real* Gradients::data() const { return arena_.data(); }
int64_t Gradients::size() const { return arena_.defined() ? arena_.size() : 0; }

Tensor Gradients::of(const Tensor& x) const {
    if (const Parameter* p = x.parameter(); p != nullptr) {
        require(p->store == store_, "gradients: parameter of another store: '{}' {}, these gradients have {} parameters",
                p->name, p->shape, pending_.size());
        if (p->index >= written_.size() || !written_[p->index])
            return Tensor::zeros(x.shape());
        const int64_t first = x.data() - p->store->data();
        return Tensor::of(x.shape(), {data() + first, static_cast<std::size_t>(x.size())});
    }
    require(x.node() != nullptr && x.node()->watched,
            "gradients: neither a parameter nor watched: shape {}, {} watched tensors", x.shape(), watched_.size());
    for (const auto& [node, gradient] : watched_)
        if (node.get() == x.node())
            return gradient.part(x.data() - node->base, x.shape());
    return Tensor::zeros(x.shape());
}

// ---- the pass --------------------------------------------------------------------------------------------------------

struct BackwardPass {
    Gradients& sink;
    Array<Node*> order;

    static bool wanted(const Edge& e, const Gradients& sink) {
        return static_cast<bool>(e.node) || (e.parameter != nullptr && e.parameter->store == sink.store_);
    }

    void check_room() const {
        require(sink.store_ == nullptr || sink.store_->table().size() == sink.written_.size(),
                "backward: parameters were added since these gradients were made: {} parameters, room for {}",
                sink.store_ == nullptr ? 0 : sink.store_->table().size(), sink.written_.size());
    }

    // Whether the gradient of any input is asked for.
    bool wanted(const Node& node) const {
        return std::any_of(node.edges.begin(), node.edges.end(), [this](const Edge& e) { return wanted(e, sink); });
    }

    void reach(Node& node) {
        ensure(!node.used, "backward: graph used twice: op '{}', shape {}", node.op, node.shape);
        if (!node.reached) {
            node.reached = true;
            order.push_back(&node);
        }
    }

    // Descending serials, found order where equal. (std::stable_sort would ask the system for its
    // buffer.)
    void sort() {
        Array<std::tuple<uint64_t, std::size_t, Node*>> places;
        places.reserve(order.size());
        for (std::size_t i = 0; i < order.size(); ++i) places.emplace_back(~order[i]->serial, i, order[i]);
        std::sort(places.begin(), places.end());
        std::transform(places.begin(), places.end(), order.begin(), [](const auto& place) { return std::get<Node*>(place); });
    }

    // All nodes below the outputs, without recursion; counts the deferred uses of each parameter.
    void collect(Node* output) {
        if (output == nullptr)
            return;
        std::size_t i = order.size();
        for (reach(*output); i < order.size(); ++i) {
            for (const Edge& e : order[i]->edges) {
                if (e.node)
                    reach(*e.node);
                if (e.kind == Input::Kind::deferred && e.parameter != nullptr && wanted(e, sink))
                    ++sink.uses_left_[e.parameter->index];
            }
        }
    }

    static Destination destination(const Edge& e, Gradients& sink) {
        if (e.node) {
            Node& node = *e.node;
            const bool whole = e.shape.size() == node.shape.size();
            if (!node.gradient) {
                node.gradient = Ref<detail::Storage>::adopt(detail::Storage::make(node.shape.size()));
                if (whole)
                    return {node.gradient->data(), Write::set};
                kernels::fill(0, node.gradient->data(), node.shape.size());
            }
            return {node.gradient->data() + e.offset, Write::add};
        }
        real* first = sink.data() + e.parameter->offset;
        if (!sink.written_[e.parameter->index]) {
            sink.written_[e.parameter->index] = 1;
            if (e.shape.size() == e.parameter->shape.size())
                return {first, Write::set};
            kernels::fill(0, first, e.parameter->shape.size());
        }
        return {first + e.offset, Write::add};
    }

    static void product(const Tensor& x, const Tensor& dy, const Destination& d) {
        const int64_t in = x.shape().columns(), out = dy.shape().columns(), rows = x.shape().rows();
        gemm(Transpose::yes, Transpose::no, in, out, rows, 1, x.data(), in, dy.data(), out, d.beta(), d.data, out);
    }

    // One product over all uses of each view of a parameter, in the order of the views' first uses.
    static void flush(const Parameter& p, Gradients& sink) {
        Array<Gradients::PendingProduct>& pending = sink.pending_[p.index];
        while (!pending.empty()) {
            const int64_t offset = pending.front().offset;
            Tensor x = pending.front().x, dy = pending.front().dy;
            const int64_t in = x.shape().columns(), out = dy.shape().columns();
            const auto same = [=](const Gradients::PendingProduct& q) {
                return q.offset == offset && q.x.shape().columns() == in && q.dy.shape().columns() == out;
            };
            int64_t rows = 0;
            for (const Gradients::PendingProduct& q : pending) rows += same(q) ? q.x.shape().rows() : 0;
            if (rows != x.shape().rows()) {
                x = Tensor::empty({rows, in});
                dy = Tensor::empty({rows, out});
                int64_t row = 0;
                for (const Gradients::PendingProduct& q : pending)
                    if (same(q)) {
                        std::copy_n(q.x.data(), q.x.size(), x.writable() + row * in);
                        std::copy_n(q.dy.data(), q.dy.size(), dy.writable() + row * out);
                        row += q.x.shape().rows();
                    }
            }
            Edge e;
            e.parameter = &p;
            e.offset = offset;
            e.shape = {in, out};
            product(x, dy, destination(e, sink));
            pending.erase(std::remove_if(pending.begin(), pending.end(), same), pending.end());
        }
    }

    void run(Node& node) {
        ensure(static_cast<bool>(node.gradient), "backward: no gradient came: op '{}', shape {}", node.op, node.shape);
        const Ref<Node> alive = Ref<Node>::share(&node);
        if (node.watched)
            sink.watched_.emplace_back(alive, Tensor::over(node.gradient, node.shape));
        Backward b(node, sink);
        const trace::Scope module(trace::checked() ? node.module : trace::module());
        if (wanted(node)) {
            node.run(b);
            b.finish();
        }
        if (trace::checked())
            check(node);
        node.used = true;
        node.gradient = {};
        node.free_saved();
    }

    // After an exception: this graph is spent, and the sink is ready for another after reset().
    void abandon() {
        for (Node* node : order) {
            node->used = true;
            node->gradient = {};
        }
        for (auto& pending : sink.pending_) pending.clear();
        std::fill(sink.uses_left_.begin(), sink.uses_left_.end(), 0);
    }

    void check(const Node& node) const {
        for (const Edge& e : node.edges)
            if (e.node && e.node->gradient && !kernels::all_finite(e.node->gradient->data(), e.node->shape.size()))
                fail_not_finite(node.module, "gradient", node.op, e.node->gradient->data(), e.node->shape.size());
            else if (e.parameter != nullptr && wanted(e, sink) && sink.written_[e.parameter->index] &&
                     !kernels::all_finite(sink.data() + e.parameter->offset, e.parameter->shape.size()))
                fail_not_finite(e.parameter->name.c_str(), "gradient", node.op, sink.data() + e.parameter->offset,
                                e.parameter->shape.size());
    }
};

const real* Backward::gradient() const { return node_.gradient->data(); }
Tensor Backward::gradient_tensor() const { return Tensor::over(node_.gradient, node_.shape); }
Edge& Backward::edge(int input) const { return node_.edges[static_cast<std::size_t>(input)]; }
bool Backward::needs(int input) const { return BackwardPass::wanted(edge(input), sink_); }

Destination Backward::into(int input) {
    Edge& e = edge(input);
    ensure(e.kind != Input::Kind::deferred, "op '{}': a deferred input takes products: input {} of {}", node_.op, input,
           node_.edges.size());
    if (input < 64)
        asked_ |= uint64_t{1} << input;
    if (e.kind != Input::Kind::broadcast || e.shape == node_.shape)
        return BackwardPass::destination(e, sink_);
    broadcast_.emplace_back(input, Tensor::empty(node_.shape));
    return {broadcast_.back().second.writable(), Write::set};
}

bool Backward::distinct(std::initializer_list<int> inputs) const {
    for (const int* i = inputs.begin(); i != inputs.end(); ++i)
        for (const int* j = i + 1; j != inputs.end(); ++j) {
            const Edge &a = edge(*i), &b = edge(*j);
            if (needs(*i) && needs(*j) && a.node.get() == b.node.get() && a.parameter == b.parameter)
                return false;
        }
    return true;
}

void Backward::add_product(int input, const Tensor& x, const Tensor& dy) {
    Edge& e = edge(input);
    if (input < 64)
        asked_ |= uint64_t{1} << input;
    ensure(e.shape.size() == x.shape().columns() * dy.shape().columns() && x.shape().rows() == dy.shape().rows(),
           "op '{}': product of another shape: x {}, dy {}, weight {}", node_.op, x.shape(), dy.shape(), e.shape);
    if (e.parameter == nullptr || e.kind != Input::Kind::deferred)
        return BackwardPass::product(x, dy, BackwardPass::destination(e, sink_));
    const std::size_t index = e.parameter->index;
    sink_.pending_[index].push_back({e.offset, x.detach(), dy.detach()});
    if (--sink_.uses_left_[index] == 0)
        BackwardPass::flush(*e.parameter, sink_);
}

void Backward::finish() {
    for (const auto& [input, gradient] : broadcast_) {
        const Edge& e = edge(input);
        sum_to_shape(gradient, e.shape, BackwardPass::destination(e, sink_));
    }
    for (int i = 0; i < static_cast<int>(node_.edges.size()) && i < 64; ++i)
        ensure(!needs(i) || ((asked_ >> i) & 1) != 0, "op '{}': backward wrote no gradient: input {} of {}", node_.op, i,
               node_.edges.size());
}

void backward(std::span<const Tensor> outputs, std::span<const Tensor> cotangents, Gradients& sink) {
    require(cotangents.empty() || cotangents.size() == outputs.size(), "backward: counts differ: {} outputs, {} cotangents",
            outputs.size(), cotangents.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Tensor& y = outputs[i];
        require(y.recorded(), "backward: output is not recorded: output {}, shape {}", i, y.shape());
        if (cotangents.empty())
            require(y.size() == 1, "backward: a cotangent is needed: output {} has shape {}, {} elements", i, y.shape(),
                    y.size());
        else
            require(cotangents[i].shape() == y.shape(), "backward: cotangent of another shape: output {}, cotangent {}",
                    y.shape(), cotangents[i].shape());
    }
    BackwardPass pass{sink, {}};
    pass.check_room();
    try {
        for (const Tensor& y : outputs) pass.collect(y.node());
        pass.sort();
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const Tensor seed = cotangents.empty() ? Tensor::full(outputs[i].shape(), 1) : cotangents[i];
            const Edge e = edge_to(outputs[i], Input::Kind::plain);
            if (BackwardPass::wanted(e, sink))
                kernels::axpy(1, seed.data(), BackwardPass::destination(e, sink), seed.size());
        }
        for (Node* node : pass.order) pass.run(*node);
    } catch (...) {
        pass.abandon();
        throw;
    }
}

void backward(const Tensor& loss, Gradients& sink) { backward({&loss, 1}, {}, sink); }

}  // namespace attend::ATTEND_PRECISION
