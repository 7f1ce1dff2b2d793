#include "core/broadcast.h"

#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"

namespace attend::ATTEND_PRECISION {

namespace {
// Axes of y with neighbours merged where both operands move (or stay) together, outermost first.
struct Axis {
    int64_t size, step_a, step_b;  // steps in elements, 0: repeated
};
struct Merged {
    std::size_t count = 0;
    std::array<Axis, Shape::max_rank> axes{};
};

Merged merge(const Shape& a, const Shape& b, const Shape& y) {
    Merged m;
    for (int i = -y.rank(); i < 0; ++i) {
        const int64_t n = y[i];
        if (n == 1)
            continue;
        const int64_t moves_a = -i <= a.rank() && a[i] != 1 ? a.inner(a.rank() + i) : 0;
        const int64_t moves_b = -i <= b.rank() && b[i] != 1 ? b.inner(b.rank() + i) : 0;
        Axis* last = m.count > 0 ? &m.axes[m.count - 1] : nullptr;
        if (last != nullptr && last->step_a == moves_a * n && last->step_b == moves_b * n)
            *last = {last->size * n, moves_a, moves_b};
        else
            m.axes[m.count++] = {n, moves_a, moves_b};
    }
    return m;
}
}  // namespace

void broadcast_runs(const Shape& a, const Shape& b, const Shape& y,
                    FunctionRef<void(int64_t, int64_t, int64_t, int64_t, bool, bool)> run) {
    if (y.size() == 0)
        return;
    const Merged m = merge(a, b, y);
    if (m.count == 0)
        return run(0, 0, 0, 1, true, true);
    const Axis& last = m.axes[m.count - 1];
    const int64_t n = last.size;
    std::array<int64_t, Shape::max_rank> index{};
    int64_t at_a = 0, at_b = 0;
    for (int64_t at = 0; at < y.size(); at += n) {
        run(at_a, at_b, at, n, last.step_a != 0, last.step_b != 0);
        for (std::size_t i = m.count - 1; i-- > 0;) {
            const Axis& axis = m.axes[i];
            at_a += axis.step_a;
            at_b += axis.step_b;
            if (++index[i] < axis.size)
                break;
            at_a -= axis.step_a * axis.size;
            at_b -= axis.step_b * axis.size;
            index[i] = 0;
        }
    }
}

void sum_to_shape(const Tensor& x, const Shape& shape, Destination to) {
    // A trailing block repeated over leading axes, as a bias is: sums of columns.
    bool suffix = true;
    for (int i = 1; i <= shape.rank() && suffix; ++i) suffix = shape[-i] == x.shape()[-i];
    if (suffix) {
        const int64_t columns = shape.size();
        const int64_t rows = columns == 0 ? 0 : x.size() / columns;
        return kernels::column_sums(x.data(), rows, columns, columns, to);
    }
    if (to.write == Write::set)
        kernels::fill(0, to.data, shape.size());
    broadcast_runs(x.shape(), shape, x.shape(), [&](int64_t from, int64_t at, int64_t, int64_t n, bool, bool moves) {
        if (moves)
            kernels::axpy(1, x.data() + from, {to.data + at, Write::add}, n);
        else
            to.data[at] += kernels::sum(x.data() + from, n);
    });
}

}  // namespace attend::ATTEND_PRECISION
