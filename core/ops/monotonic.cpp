#include "core/ops/monotonic.h"

#include <algorithm>

#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"
#include "core/kernels/softmax.h"

namespace attend::ATTEND_PRECISION {

namespace {

// body(first, n) for each row: its range has the n elements from flat element `first` on
template <class Body>
void each_range(const Ranges& ranges, int64_t rows, int64_t columns, Body body) {
    for (int64_t row = 0; row < rows; ++row) {
        const Range r = ranges.empty() ? Range{0, static_cast<int32_t>(columns)} : ranges[static_cast<std::size_t>(row)];
        body(row * columns + r.begin, int64_t{r.end} - r.begin);
    }
}

// Both inputs' gradients, made before they are written: the two may have one buffer.
void write_both(Backward& b, const Tensor& first, const Tensor& second) {
    if (b.needs(0))
        kernels::axpy(1, first.data(), b.into(0), first.size());
    if (b.needs(1))
        kernels::axpy(1, second.data(), b.into(1), second.size());
}

// body(first, n, k) for the chunk that ends at flat element k and begins n elements earlier, at `first`
template <class Body>
void each_chunk(const Ranges& ranges, int64_t rows, int64_t columns, int64_t width, Body body) {
    each_range(ranges, rows, columns, [&](int64_t begin, int64_t n) {
        for (int64_t k = begin; k < begin + n; ++k) {
            const int64_t first = std::max(begin, k - width + 1);
            body(first, k + 1 - first, k);
        }
    });
}

}  // namespace

// r_j = dq_j = p_j dy_j + (1 - p_j) r_{j+1}; dp_j = q_j (dy_j - r_{j+1}), dprevious_j = r_j
Tensor monotonic_alignment(const Tensor& p, const Tensor& previous, const Ranges& ranges) {
    const int64_t rows = p.shape().rows(), columns = p.shape().columns();
    require(p.rank() >= 1 && (!previous.defined() || previous.shape() == p.shape()),
            "monotonic_alignment: shapes do not fit: p {}, previous {}", p, previous);
    check_ranges("monotonic_alignment", ranges, rows, columns, "shape", p.shape());
    Tensor y = Tensor::zeros(p.shape()), q = Tensor::empty(p.shape());
    real *const to = y.writable(), *const reach = q.writable();
    each_range(ranges, rows, columns, [&](int64_t first, int64_t n) {
        real left = 0;  // the probability to reach this position
        for (int64_t j = first; j < first + n; ++j) {
            left += previous.defined() ? previous.data()[j] : real(j == first);
            reach[j] = left;
            to[j] = p.data()[j] * left;
            left *= 1 - p.data()[j];
        }
    });
    return record("monotonic_alignment", y, {p, previous}, [=, p = Saved(p), q = Saved(q)](Backward& b) {
        Tensor dp = Tensor::zeros(p.shape()), dprevious = Tensor::zeros(p.shape());
        const real* const dy = b.gradient();
        real *const to_p = dp.writable(), *const to_previous = dprevious.writable();
        each_range(ranges, rows, columns, [&](int64_t first, int64_t n) {
            real r = 0;
            for (int64_t j = first + n; j-- > first;) {
                to_p[j] = q.data()[j] * (dy[j] - r);
                r += p.data()[j] * (dy[j] - r);
                to_previous[j] = r;
            }
        });
        write_both(b, dp, dprevious);
    });
}

// With c_kj the softmax of u over the chunk that ends at k: y_j = sum_k a_k c_kj;
// da_k = sum_j c_kj dy_j, du_j = sum_k a_k c_kj (dy_j - da_k)
Tensor chunkwise(const Tensor& stops, const Tensor& u, int64_t width, const Ranges& ranges) {
    const int64_t rows = stops.shape().rows(), columns = stops.shape().columns();
    require(stops.rank() >= 1 && u.shape() == stops.shape(), "chunkwise: shapes do not fit: stops {}, u {}", stops, u);
    require(width >= 1, "chunkwise: width out of range: width {}, at least {}", width, 1);
    check_ranges("chunkwise", ranges, rows, columns, "shape", stops.shape());
    Tensor y = Tensor::zeros(stops.shape()), chunk = Tensor::empty({std::min(width, columns)});
    each_chunk(ranges, rows, columns, width, [&](int64_t first, int64_t n, int64_t k) {
        kernels::softmax(u.data() + first, 1, nullptr, chunk.writable(), 1, n);
        kernels::axpy(stops.data()[k], chunk.data(), {y.writable() + first, Write::add}, n);
    });
    return record("chunkwise", y, {stops, u}, [=, stops = Saved(stops), u = Saved(u)](Backward& b) {
        Tensor dstops = Tensor::zeros(u.shape()), du = Tensor::zeros(u.shape()), c = Tensor::empty({std::min(width, columns)});
        each_chunk(ranges, rows, columns, width, [&](int64_t first, int64_t n, int64_t k) {
            const real* const dy = b.gradient() + first;
            kernels::softmax(u.data() + first, 1, nullptr, c.writable(), 1, n);
            dstops.writable()[k] = kernels::dot(c.data(), dy, n);
            kernels::softmax_backward(c.data(), dy, stops.data()[k], nullptr, {du.writable() + first, Write::add}, 1, n);
        });
        write_both(b, dstops, du);
    });
}

}  // namespace attend::ATTEND_PRECISION
