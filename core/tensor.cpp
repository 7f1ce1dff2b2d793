#include "core/tensor.h"

#include <algorithm>
#include <new>

#include "core/engine.h"
#include "core/parameters.h"

namespace attend::ATTEND_PRECISION {

namespace detail {
Storage* Storage::make(int64_t size) {
    const std::size_t bytes = memory::alignment + static_cast<std::size_t>(size) * sizeof(real);
    auto* s = new (memory::allocate(bytes)) Storage;
    s->bytes = bytes;
    return s;
}
void release(Storage* s) noexcept {
    if (s->references.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    const std::size_t bytes = s->bytes;
    s->~Storage();
    memory::release(s, bytes);
}
}  // namespace detail

void Tensor::fail_undefined() {
    fail("tensor: undefined where one is needed: an op or a module was given a tensor that is not there: defined 0, least 1");
}

Tensor Tensor::empty(const Shape& shape) {
    return over(Ref<detail::Storage>::adopt(detail::Storage::make(shape.size())), shape);
}

Tensor Tensor::over(Ref<detail::Storage> storage, const Shape& shape) {
    Tensor t;
    t.shape_ = shape;
    t.data_ = storage->data();
    t.storage_ = std::move(storage);
    return t;
}

Tensor Tensor::full(const Shape& shape, real value) {
    Tensor t = empty(shape);
    std::fill_n(t.data_, shape.size(), value);
    return t;
}

Tensor Tensor::of(const Shape& shape, std::span<const real> values) {
    require(static_cast<int64_t>(values.size()) == shape.size(), "tensor: count of values differs: shape {} has {}, given {}",
            shape, shape.size(), values.size());
    Tensor t = empty(shape);
    std::copy(values.begin(), values.end(), t.data_);
    return t;
}

real* Tensor::writable() {
    ensure(!node_ && parameter_ == nullptr, "tensor {}: written to although it is part of a graph", shape_);
    return data_;
}

real Tensor::item() const {
    require(size() == 1 && defined(), "item: not one element: shape {}, size {}", shape_, size());
    return data_[0];
}

Tensor Tensor::reshape(const Shape& shape) const {
    require(shape.size() == size(), "reshape: sizes differ: from {} with {} elements, to {} with {}", shape_, size(), shape,
            shape.size());
    Tensor t = *this;
    t.shape_ = shape;
    return t;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
    require(rank() >= 1, "rows: a scalar has no rows: rank {}, least 1", rank());
    require(0 <= begin && begin <= end && end <= dim(0), "rows: out of range: rows {} to {}, shape {} has {}", begin, end,
            shape_, dim(0));
    return part(begin * shape_.inner(0), shape_.with(0, end - begin));
}

Tensor Tensor::part(int64_t offset, const Shape& shape) const {
    require(offset >= 0 && offset + shape.size() <= size(), "part: out of range: elements {} to {}, shape {} has {}", offset,
            offset + shape.size(), shape_, size());
    Tensor t = *this;
    t.shape_ = shape;
    t.data_ += offset;
    return t;
}

Tensor Tensor::detach() const {
    Tensor t = *this;
    t.node_ = {};
    t.parameter_ = nullptr;
    return t;
}

std::string Tensor::text() const {
    if (!defined())
        return "nothing";
    return parameter_ == nullptr ? shape_.text() : fmt::format("'{}' {}", parameter_->name, shape_);
}

bool Tensor::recorded() const { return node_ || (parameter_ != nullptr && parameter_->trainable); }

Tensor Tensor::with_node(Ref<Node> node) const {
    Tensor t = detach();
    t.node_ = std::move(node);
    return t;
}

Tensor Tensor::of_parameter(const Parameter* parameter, real* data, const Shape& shape) {
    Tensor t;
    t.shape_ = shape;
    t.data_ = data;
    t.parameter_ = parameter;
    return t;
}

}  // namespace attend::ATTEND_PRECISION
