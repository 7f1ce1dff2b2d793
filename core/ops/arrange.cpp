#include "core/ops/arrange.h"

#include <algorithm>

#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"

namespace attend::ATTEND_PRECISION {

namespace {
void check_ids(const char* op, std::span<const int32_t> ids, int64_t size) {
    for (std::size_t i = 0; i < ids.size(); ++i)
        require(ids[i] >= 0 && ids[i] < size, "{}: id out of range: id {} at place {}, table has {}", op, ids[i], i, size);
}

// y = x with axes a < b swapped, x [o, m, k, n, i] to [o, n, k, m, i]
void swap_axes(const real* x, Destination y, int64_t o, int64_t m, int64_t k, int64_t n, int64_t i) {
    for (int64_t p = 0; p < o; ++p)
        for (int64_t q = 0; q < n; ++q)
            for (int64_t r = 0; r < k; ++r)
                kernels::copy_rows(x + ((p * m * k + r) * n + q) * i, k * n * i,
                                   {y.data + ((p * n + q) * k + r) * m * i, y.write}, i, m, i);
}
}  // namespace

// y[o, before + k, i] = part[o, k, i]; dpart is that block of dy
Tensor concat(std::span<const Tensor> parts, int axis) {
    require(!parts.empty(), "concat: nothing to join: {} parts, at least {}", parts.size(), 1);
    const Shape& first = parts[0].shape();
    const int a = first.checked(axis);
    int64_t width = 0;
    for (const Tensor& p : parts) {
        require(p.rank() == first.rank() && p.shape().with(a, 0) == first.with(a, 0),
                "concat: shapes differ off axis {}: first {}, another {}", a, first, p.shape());
        width += p.dim(a);
    }
    Tensor y = Tensor::empty(first.with(a, width));
    const int64_t outer = first.outer(a), inner = first.inner(a);
    int64_t before = 0;
    Array<Input> inputs;
    Array<int64_t> widths;
    for (const Tensor& p : parts) {
        const int64_t n = p.dim(a) * inner;
        kernels::copy_rows(p.data(), n, {y.writable() + before, Write::set}, width * inner, outer, n);
        before += n;
        inputs.emplace_back(p);
        widths.push_back(n);
    }
    return record("concat", y, inputs, [widths = std::move(widths), outer, stride = width * inner](Backward& b) {
        int64_t from = 0;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            if (b.needs(static_cast<int>(i)))
                kernels::copy_rows(b.gradient() + from, stride, b.into(static_cast<int>(i)), widths[i], outer, widths[i]);
            from += widths[i];
        }
    });
}

Tensor stack(std::span<const Tensor> parts, int axis) {
    require(!parts.empty(), "stack: nothing to join: {} parts, at least {}", parts.size(), 1);
    Array<Tensor> lifted;
    for (const Tensor& p : parts) {
        require(p.shape() == parts[0].shape(), "stack: shapes differ: first {}, another {}", parts[0].shape(), p.shape());
        lifted.push_back(p.reshape(p.shape().inserted(axis, 1)));
    }
    return concat(lifted, axis);
}

// y[o, k, i] = x[o, begin + k, i]; dx is zero outside
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
    const int a = x.shape().checked(axis);
    require(0 <= begin && begin <= end && end <= x.dim(a),
            "slice: out of range: positions {} to {}, shape {} has {} on axis {}", begin, end, x.shape(), x.dim(a), a);
    if (a == 0)
        return x.rows(begin, end);
    const int64_t outer = x.shape().outer(a), inner = x.shape().inner(a), stride = x.dim(a) * inner;
    const int64_t n = (end - begin) * inner, from = begin * inner;
    Tensor y = Tensor::empty(x.shape().with(a, end - begin));
    kernels::copy_rows(x.data() + from, stride, {y.writable(), Write::set}, n, outer, n);
    return record("slice", y, {x}, [=](Backward& b) {
        const Destination dx = b.into(0);
        if (dx.write == Write::set)
            kernels::fill(0, dx.data, outer * stride);
        kernels::copy_rows(b.gradient(), n, {dx.data + from, Write::add}, stride, outer, n);
    });
}

Tensor step(const Tensor& x, int64_t t) {
    require(x.rank() >= 2 && t >= 0 && t < x.dim(1), "step: out of range: step {}, shape {}", t, x.shape());
    return slice(x, 1, t, t + 1).reshape(x.shape().without(1));
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
    const int a = std::min(x.shape().checked(axis_a), x.shape().checked(axis_b));
    const int b = std::max(x.shape().checked(axis_a), x.shape().checked(axis_b));
    if (a == b)
        return x;
    const int64_t o = x.shape().outer(a), m = x.dim(a), n = x.dim(b), i = x.shape().inner(b);
    const int64_t k = m * n == 0 ? 0 : x.shape().inner(a) / (n * std::max<int64_t>(1, i));
    Tensor y = Tensor::empty(x.shape().with(a, n).with(b, m));
    if (x.size() > 0)
        swap_axes(x.data(), {y.writable(), Write::set}, o, m, k, n, i);
    return record("transpose", y, {x}, [=, empty = x.size() == 0](Backward& g) {
        const Destination dx = g.into(0);
        if (!empty)
            swap_axes(g.gradient(), dx, o, n, k, m, i);
    });
}

// y[i] = table[ids[i]]; dtable[ids[i]] += dy[i]
Tensor embedding(const Tensor& table, std::span<const int32_t> ids, const Shape& shape) {
    require(table.rank() == 2, "embedding: a table has two axes: rank {}, shape {}", table.rank(), table.shape());
    require(shape.size() == static_cast<int64_t>(ids.size()), "embedding: sizes differ: {} ids, shape {}", ids.size(), shape);
    const int64_t size = table.dim(0), columns = table.dim(1);
    check_ids("embedding", ids, size);
    Tensor y = Tensor::empty(shape.inserted(shape.rank(), columns));
    kernels::gather_rows(table.data(), columns, ids.data(), static_cast<int64_t>(ids.size()), y.writable());
    return record("embedding", y, {table}, [ids = Array<int32_t>(ids.begin(), ids.end()), size, columns](Backward& b) {
        const Destination d = b.into(0);
        if (d.write == Write::set)
            kernels::fill(0, d.data, size * columns);
        kernels::scatter_add_rows(b.gradient(), ids.data(), static_cast<int64_t>(ids.size()), columns, d.data);
    });
}

// y[i] = x[numbers[i]], or 0; dx[numbers[i]] += dy[i]
Tensor elements(const Tensor& x, std::span<const int32_t> numbers, const Shape& shape) {
    require(shape.size() == static_cast<int64_t>(numbers.size()), "elements: sizes differ: {} numbers, shape {}",
            numbers.size(), shape);
    const int64_t size = x.size();
    Tensor y = Tensor::empty(shape);
    real* const to = y.writable();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        require(numbers[i] >= -1 && numbers[i] < size, "elements: number out of range: number {} at place {}, x has {}",
                numbers[i], i, size);
        to[i] = numbers[i] < 0 ? 0 : x.data()[numbers[i]];
    }
    return record("elements", y, {x}, [numbers = Array<int32_t>(numbers.begin(), numbers.end()), size](Backward& b) {
        const Destination d = b.into(0);
        if (d.write == Write::set)
            kernels::fill(0, d.data, size);
        const real* const dy = b.gradient();
        for (std::size_t i = 0; i < numbers.size(); ++i)
            if (numbers[i] >= 0)
                d.data[numbers[i]] += dy[i];
    });
}

namespace {
// body(element of x, element of y, count) for the neighbours of each position that are inside
template <class Body>
void each_neighbourhood(int64_t rows, int64_t columns, int64_t width, Body body) {
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t s = 0; s < columns; ++s) {
            const int64_t first = s - width / 2, begin = std::max<int64_t>(0, first), end = std::min(columns, first + width);
            if (begin < end)
                body(row * columns + begin, (row * columns + s) * width + begin - first, end - begin);
        }
}
}  // namespace

// y[b, s, i] = x[b, s + i - w / 2]; dx[b, r] = sum of dy[b, s, i] over s + i - w / 2 = r
Tensor neighbours(const Tensor& x, int64_t width) {
    require(x.rank() == 2, "neighbours: two axes are needed: x {}, rank {}", x, x.rank());
    require(width >= 1, "neighbours: width out of range: width {}, at least {}", width, 1);
    const int64_t rows = x.dim(0), columns = x.dim(1);
    Tensor y = Tensor::zeros({rows, columns, width});
    real* const to = y.writable();
    each_neighbourhood(rows, columns, width, [&](int64_t i, int64_t j, int64_t n) { std::copy_n(x.data() + i, n, to + j); });
    return record("neighbours", y, {x}, [=](Backward& b) {
        const Destination dx = b.into(0);
        const real* const dy = b.gradient();
        if (dx.write == Write::set)
            kernels::fill(0, dx.data, rows * columns);
        each_neighbourhood(rows, columns, width, [&](int64_t i, int64_t j, int64_t n) {
            for (int64_t k = 0; k < n; ++k) dx.data[i + k] += dy[j + k];
        });
    });
}

// y_s = y_{s-1} + x_s; dx_s = dx_{s+1} + dy_s
Tensor cumulative_sum(const Tensor& x) {
    require(x.rank() == 3, "cumulative_sum: three axes are needed: x {}, rank {}", x, x.rank());
    const int64_t batch = x.dim(0), steps = x.dim(1), columns = x.dim(2);
    Tensor y = Tensor::empty(x.shape());
    real* const to = y.writable();
    std::copy_n(x.data(), x.size(), to);
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t s = 1; s < steps; ++s) {
            real* const here = to + (b * steps + s) * columns;
            kernels::axpy(1, here - columns, {here, Write::add}, columns);
        }
    return record("cumulative_sum", y, {x}, [=](Backward& g) {
        const Destination dx = g.into(0);
        Tensor rest = Tensor::empty({columns});  // the sum of dy from step s on
        for (int64_t b = 0; b < batch; ++b) {
            kernels::fill(0, rest.writable(), columns);
            for (int64_t s = steps; s-- > 0;) {
                const int64_t here = (b * steps + s) * columns;
                kernels::axpy(1, g.gradient() + here, {rest.writable(), Write::add}, columns);
                kernels::axpy(1, rest.data(), {dx.data + here, dx.write}, columns);
            }
        }
    });
}

// y[i] = x[i, ids[i]]
Tensor pick(const Tensor& x, std::span<const int32_t> ids) {
    require(x.rank() == 2 && x.dim(0) == static_cast<int64_t>(ids.size()), "pick: one id a row: x {}, {} ids", x.shape(),
            ids.size());
    const int64_t columns = x.dim(1);
    check_ids("pick", ids, columns);
    Tensor y = Tensor::empty({x.dim(0)});
    for (std::size_t i = 0; i < ids.size(); ++i) y.writable()[i] = x.data()[static_cast<int64_t>(i) * columns + ids[i]];
    return record("pick", y, {x}, [ids = Array<int32_t>(ids.begin(), ids.end()), columns](Backward& b) {
        const Destination dx = b.into(0);
        if (dx.write == Write::set)
            kernels::fill(0, dx.data, static_cast<int64_t>(ids.size()) * columns);
        for (std::size_t i = 0; i < ids.size(); ++i) dx.data[static_cast<int64_t>(i) * columns + ids[i]] += b.gradient()[i];
    });
}

}  // namespace attend::ATTEND_PRECISION
