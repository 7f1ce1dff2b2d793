#pragma once
/// Tensor: a cheap value handle. Shape, contiguous 64-byte-aligned storage and, when recording, the
/// node that made it.
#include <atomic>
#include <initializer_list>
#include <utility>
#include <vector>

#include "core/base/memory.h"
#include "core/base/shape.h"
#include "core/real.h"

namespace attend::ATTEND_PRECISION {

class Node;
struct Parameter;

namespace detail {
void retain(Node* node);
void release(Node* node) noexcept;

/// Reference-counted block of reals from the caching allocator.
struct Storage {
    std::atomic<int32_t> references{1};
    std::size_t bytes = 0;
    real* data() { return reinterpret_cast<real*>(reinterpret_cast<char*>(this) + memory::alignment); }
    static Storage* make(int64_t size);
};
inline void retain(Storage* s) { s->references.fetch_add(1, std::memory_order_relaxed); }
void release(Storage* s) noexcept;
}  // namespace detail

/// Intrusive reference.
template <class T>
class Ref {
  public:
    Ref() = default;
    static Ref adopt(T* p) { return Ref(p); }
    static Ref share(T* p) {
        if (p)
            detail::retain(p);
        return adopt(p);
    }
    Ref(const Ref& o) : Ref(share(o.p_).take()) {}
    Ref(Ref&& o) noexcept : Ref(o.take()) {}
    Ref& operator=(Ref o) noexcept {
        std::swap(p_, o.p_);
        return *this;
    }
    ~Ref() {
        if (p_)
            detail::release(p_);
    }
    T* get() const { return p_; }
    T* operator->() const { return p_; }
    T& operator*() const { return *p_; }
    explicit operator bool() const { return p_ != nullptr; }
    /// Gives the reference away without counting.
    T* take() { return std::exchange(p_, nullptr); }

  private:
    explicit Ref(T* p) : p_(p) {}
    T* p_ = nullptr;
};

class Tensor {
  public:
    /// A tensor that is not there; defined() is false.
    Tensor() = default;
    /// Uninitialised (NaN in debug builds).
    static Tensor empty(const Shape& shape);
    static Tensor zeros(const Shape& shape) { return full(shape, 0); }
    static Tensor full(const Shape& shape, real value);
    static Tensor scalar(real value) { return full({}, value); }
    /// Throws Error when the count of values is not the shape's.
    static Tensor of(const Shape& shape, std::span<const real> values);
    static Tensor of(const Shape& shape, std::initializer_list<real> values) {
        return of(shape, std::span<const real>(values.begin(), values.size()));
    }

    bool defined() const { return data_ != nullptr; }
    /// Throws Error when the tensor is undefined: every op looks at the shapes of the inputs it
    /// needs before it reads them, so this one place refuses what is not there. The same for
    /// size(), rank() and dim(), which throws for a missing axis too.
    const Shape& shape() const {
        if (data_ == nullptr) [[unlikely]]
            fail_undefined();
        return shape_;
    }
    int64_t size() const { return shape().size(); }
    int rank() const { return shape().rank(); }
    int64_t dim(int axis) const { return shape()[axis]; }

    const real* data() const { return data_; }
    /// For writing a tensor that nothing was recorded on. Throws MachineError on a recorded tensor
    /// or a parameter.
    real* writable();
    /// The one element. Throws Error unless there is exactly one.
    real item() const;
    std::vector<real> values() const { return {data_, data_ + size()}; }

    /// The same elements in another shape: a view. Throws Error when the sizes differ.
    Tensor reshape(const Shape& shape) const;
    /// Rows [begin, end) of the leading axis: a view. Throws Error when out of range.
    Tensor rows(int64_t begin, int64_t end) const;
    /// Row i of the leading axis, that axis removed: a view.
    Tensor row(int64_t i) const { return rows(i, i + 1).reshape(shape_.without(0)); }
    /// `shape.size()` elements from flat element `offset` on, in that shape: a view. For ops with
    /// several outputs.
    Tensor part(int64_t offset, const Shape& shape) const;
    /// The same values, not recorded.
    Tensor detach() const;

    /// What messages say: "[4, 3]", of a parameter "'head.weight' [4, 3]", and "nothing" when
    /// undefined.
    std::string text() const;
    /// Whether gradients flow through it: it was made by a recorded op, is watched, or is a
    /// trainable parameter.
    bool recorded() const;
    Node* node() const { return node_.get(); }
    const Parameter* parameter() const { return parameter_; }

    /// For the engine and the parameter store.
    static Tensor over(Ref<detail::Storage> storage, const Shape& shape);
    Tensor with_node(Ref<Node> node) const;
    static Tensor of_parameter(const Parameter* parameter, real* data, const Shape& shape);

  private:
    [[noreturn]] static void fail_undefined();
    Shape shape_;
    real* data_ = nullptr;
    Ref<detail::Storage> storage_;  // none for parameters: the store owns their memory
    Ref<Node> node_;
    const Parameter* parameter_ = nullptr;
};

/// What a backward function keeps of a tensor: its values without its history, so that saved
/// tensors keep no graph alive.
struct Saved : Tensor {
    Saved() = default;
    explicit Saved(const Tensor& x) : Tensor(x.detach()) {}
};

}  // namespace attend::ATTEND_PRECISION

/// As for Shape: "{}" writes text() only when a message is made.
template <>
struct fmt::formatter<attend::Tensor> {
    constexpr auto parse(format_parse_context& context) { return context.begin(); }
    auto format(const attend::Tensor& tensor, format_context& context) const {
        return fmt::format_to(context.out(), "{}", tensor.text());
    }
};
