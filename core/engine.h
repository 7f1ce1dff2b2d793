#pragma once
/// The autograd engine. An op computes, then records what its backward needs; backward() walks the
/// graph.
///
///     Tensor tanh(const Tensor& x) {
///         Tensor y = Tensor::empty(x.shape());
///         kernels::tanh(x.data(), y.writable(), x.size());
///         return record("tanh", y, {x}, [y = Saved(y)](Backward& b) {
///             kernels::tanh_backward(y.data(), b.gradient(), b.into(0), y.size());
///         });
///     }
///
/// The engine does once what every op would otherwise repeat: skipping inputs that need no
/// gradient, summing over broadcast axes, accumulating, freeing saved tensors as soon as used,
/// destroying long graphs without recursion.
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "core/base/trace.h"
#include "core/destination.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION {

class Backward;
class Gradients;
class ParameterStore;

/// How an op declares an input.
struct Input {
    enum class Kind {
        plain,
        broadcast,  ///< the backward writes a gradient of the output's shape; the engine sums it to the input's shape
        deferred,   ///< a weight whose gradient is a product that the engine may postpone (Backward::add_product)
    };
    Input(const Tensor& t, Kind k = Kind::plain) : tensor(&t), kind(k) {}
    const Tensor* tensor;
    Kind kind;
};
inline Input broadcast(const Tensor& t) { return {t, Input::Kind::broadcast}; }
inline Input deferred(const Tensor& t) { return {t, Input::Kind::deferred}; }

/// Where the gradient of one input goes.
struct Edge {
    Ref<Node> node;                        ///< made by an op, or watched
    const Parameter* parameter = nullptr;  ///< or a parameter
    int64_t offset = 0;                    ///< first element within the node's buffer or the parameter
    Shape shape;                           ///< the input's shape
    Input::Kind kind = Input::Kind::plain;
};

/// One recorded op. Owns one gradient buffer while backward runs; views of its output share it.
class Node {
  public:
    virtual ~Node() = default;
    virtual void run(Backward& b) = 0;
    virtual void free_saved() = 0;

    std::atomic<int32_t> references{1};
    uint64_t serial = 0;  ///< greater than that of any input
    const char* op = "";
    const char* module = "";     ///< module path, known in checked mode only
    const real* base = nullptr;  ///< first element of the output
    Shape shape;                 ///< of the output
    std::span<Edge> edges;
    Ref<detail::Storage> gradient;  ///< none until first written
    Node* next = nullptr;           ///< work list of destruction
    std::size_t block_bytes = 0;
    bool reached = false, used = false, watched = false;
};

/// While one exists, nothing is recorded on this thread. (Thread-local; see docs/decisions.md.)
struct NoGrad : Temporary<bool> {
    NoGrad();
};

/// x as a leaf whose gradient backward() returns (Gradients::of).
Tensor watch(const Tensor& x);

/// What a backward function receives.
class Backward {
  public:
    Backward(Node& node, Gradients& sink) : node_(node), sink_(sink) {}
    /// dL/d(output), the output's shape.
    const real* gradient() const;
    /// The same as a tensor that may be kept (deferred products do).
    Tensor gradient_tensor() const;
    /// Whether the gradient of `input` is needed.
    bool needs(int input) const;
    /// Where to write the gradient of `input`; ask once for each needed input, and write before
    /// asking for the next.
    Destination into(int input);
    /// The same, or a destination without data when it is not needed. Several may be written at
    /// once only if they are distinct().
    Destination wanted(int input) { return needs(input) ? into(input) : Destination{}; }
    /// Whether no two of these inputs have their gradients in one buffer, so that one kernel may
    /// write them all in one pass. (They share one when a tensor, or views of one, are given to an
    /// op twice.)
    bool distinct(std::initializer_list<int> inputs) const;
    /// d(weight) += x^T dy with x [M, in], dy [M, out], for an input declared `deferred`: postponed
    /// to the last use of a parameter in the graph and then one product over all uses; at once for
    /// any other tensor.
    void add_product(int input, const Tensor& x, const Tensor& dy);
    /// For nested backward calls (recomputation).
    Gradients& sink() { return sink_; }

  private:
    friend struct BackwardPass;
    Edge& edge(int input) const;
    void finish();  // sums broadcast gradients; checks that each needed input was written
    Node& node_;
    Gradients& sink_;
    uint64_t asked_ = 0;
    Array<std::pair<int, Tensor>> broadcast_;  // gradients that finish() sums, by input
};

/// Gradients of one store's parameters in one flat arena with the store's layout, and of watched
/// tensors. Filled by backward(), which adds to what is there since reset().
class Gradients {
  public:
    explicit Gradients(const ParameterStore& store);
    /// For graphs without parameters.
    Gradients() = default;
    Gradients(Gradients&&) noexcept = default;
    Gradients& operator=(Gradients&&) noexcept = default;

    /// Forgets everything; costs no pass over the arena.
    void reset();
    /// Writes zeros where no gradient came. Call before reading data().
    void finish();
    /// The flat arena, store.size() elements, padding zero.
    real* data();
    const real* data() const;
    int64_t size() const;
    /// The gradient of a parameter (or view of one) or of a watched tensor; zeros if none came.
    /// Throws Error for other tensors.
    Tensor of(const Tensor& x) const;

  private:
    friend class Backward;
    friend struct BackwardPass;
    // A product x^T dy for a weight, kept until the weight's last use.
    struct PendingProduct {
        int64_t offset;  // of the weight's view within the parameter
        Tensor x, dy;
    };
    const ParameterStore* store_ = nullptr;
    Tensor arena_;
    Array<uint8_t> written_;                      // per parameter: its range holds this step's values
    Array<int32_t> uses_left_;                    // per parameter: deferred uses still to come in running passes
    std::vector<Array<PendingProduct>> pending_;  // per parameter
    Array<std::pair<Ref<Node>, Tensor>> watched_;
};

/// Reverse pass from `outputs` with their cotangents (none given: every output must have one
/// element, cotangent 1). Adds the gradients of sink's parameters and of watched tensors to `sink`.
/// Frees saved tensors as it goes, so a graph is used once; may be called inside a backward
/// function on another graph. Throws Error when an output is not recorded or a cotangent has
/// another shape, and MachineError when a graph is used twice. No double backward.
void backward(std::span<const Tensor> outputs, std::span<const Tensor> cotangents, Gradients& sink);
void backward(const Tensor& loss, Gradients& sink);

namespace detail {
/// A node with room for `edges` edges after it, or null when nothing is to be recorded.
bool wants_recording(std::span<const Input> inputs);
void link(Node& node, const char* op, const Tensor& output, std::span<const Input> inputs);
void check_finite(const char* op, const Tensor& output);

template <class F>
class NodeOf final : public Node {
  public:
    explicit NodeOf(F f) : f_(std::move(f)) {}
    ~NodeOf() override { free_saved(); }
    void run(Backward& b) override { f_(b); }
    void free_saved() override {
        if (!freed_)
            f_.~F();
        freed_ = true;
    }

  private:
    union {
        F f_;  // destroyed as soon as used
    };
    bool freed_ = false;
};

/// `output` as made from `inputs`, with a new node.
template <class F>
Tensor attach(const char* op, const Tensor& output, std::span<const Input> inputs, F&& backward_function) {
    using N = NodeOf<std::decay_t<F>>;
    static_assert(sizeof(N) % alignof(Edge) == 0);
    const std::size_t bytes = sizeof(N) + inputs.size() * sizeof(Edge);
    char* block = static_cast<char*>(memory::allocate(bytes));
    N* node = new (block) N(std::forward<F>(backward_function));
    Edge* edges = reinterpret_cast<Edge*>(block + sizeof(N));
    for (std::size_t i = 0; i < inputs.size(); ++i) new (edges + i) Edge();
    node->edges = {edges, inputs.size()};
    node->block_bytes = bytes;
    Ref<Node> owner = Ref<Node>::adopt(node);
    link(*node, op, output, inputs);
    return output.with_node(std::move(owner));
}
}  // namespace detail

/// Ends every op: attaches `backward_function` to `output` if recording is on and an input is
/// recorded.
template <class F>
Tensor record(const char* op, const Tensor& output, std::span<const Input> inputs, F&& backward_function) {
    if (trace::checked()) [[unlikely]]
        detail::check_finite(op, output);
    if (!detail::wants_recording(inputs))
        return output;
    return detail::attach(op, output, inputs, std::forward<F>(backward_function));
}
template <class F>
Tensor record(const char* op, const Tensor& output, std::initializer_list<Input> inputs, F&& backward_function) {
    return record(op, output, std::span<const Input>(inputs.begin(), inputs.size()), std::forward<F>(backward_function));
}

}  // namespace attend::ATTEND_PRECISION
