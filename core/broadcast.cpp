#include "core/broadcast.h"

#include <algorithm>

#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"

namespace attend::ATTEND_PRECISION {

namespace {
// Axes of y with neighbours merged where both operands move (or stay) together, outermost first.
struct Merged {
    int axes = 0;
    std::array<int64_t, Shape::max_rank> size{}, step_a{}, step_b{};  // steps in elements, 0: repeated
};

Merged merge(const Shape& a, const Shape& b, const Shape& y) {
    Merged m;
    for (int i = -y.rank(); i < 0; ++i) {
        const int64_t n = y[i];
        if (n == 1)
            continue;
        const int64_t moves_a = -i <= a.rank() && a[i] != 1 ? a.inner(a.rank() + i) : 0;
        const int64_t moves_b = -i <= b.rank() && b[i] != 1 ? b.inner(b.rank() + i) : 0;
        const auto last = static_cast<std::size_t>(m.axes - 1);
        if (m.axes > 0 && m.step_a[last] == moves_a * n && m.step_b[last] == moves_b * n) {
            m.size[last] *= n;
            m.step_a[last] = moves_a;
            m.step_b[last] = moves_b;
        } else {
            const auto next = static_cast<std::size_t>(m.axes++);
            m.size[next] = n;
            m.step_a[next] = moves_a;
            m.step_b[next] = moves_b;
        }
    }
    return m;
}
}  // namespace

void broadcast_runs(const Shape& a, const Shape& b, const Shape& y,
                    FunctionRef<void(int64_t, int64_t, int64_t, int64_t, bool, bool)> run) {
    if (y.size() == 0)
        return;
    const Merged m = merge(a, b, y);
    if (m.axes == 0)
        return run(0, 0, 0, 1, true, true);
    const auto last = static_cast<std::size_t>(m.axes - 1);
    const int64_t n = m.size[last];
    std::array<int64_t, Shape::max_rank> index{};
    int64_t at_a = 0, at_b = 0;
    for (int64_t at = 0; at < y.size(); at += n) {
        run(at_a, at_b, at, n, m.step_a[last] != 0, m.step_b[last] != 0);
        for (std::size_t i = last; i-- > 0;) {
            at_a += m.step_a[i];
            at_b += m.step_b[i];
            if (++index[i] < m.size[i])
                break;
            at_a -= m.step_a[i] * m.size[i];
            at_b -= m.step_b[i] * m.size[i];
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
