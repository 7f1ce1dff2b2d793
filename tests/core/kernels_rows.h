#pragma once
/// Kernels that turn rows of scores into weights, compared with a naive version at every width.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/base/range.h"
#include "tests/core/kernels_support.h"

namespace attend::ATTEND_PRECISION::kernel_test {

/// Whether the output may be the very array of the input.
enum class InPlace { allowed, refused };

/// A kernel with its backward, and what it computes of one row.
struct RowKernel {
    std::string name;
    std::function<Values(const Values& x, double scale)> naive;
    std::function<void(const real* x, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns)> forward;
    std::function<void(const real* y, const real* dy, real scale, const Range* ranges, Destination dx, int64_t rows,
                       int64_t columns)>
        backward;
    double scale = 1;
    InPlace in_place = InPlace::allowed;
    double tolerance = 10 * epsilon;
};

inline Values part(const Values& x, int64_t begin, int64_t end) { return Values(x.begin() + begin, x.begin() + end); }

/// Five rows: all columns, an inner range, none, more than all, the last column alone.
inline std::vector<Range> five_ranges(int64_t columns) {
    const int32_t n = static_cast<int32_t>(columns);
    return {{0, n}, {n / 3, n - n / 4}, {n / 2, n / 2}, {-2, n + 5}, {std::max(n - 1, 0), n}};
}

/// Forward and backward at every width from 0 to 130 on every instruction set; nothing outside of a range is read, and all of
/// it is written.
inline void check_row_kernel(const RowKernel& k) {
    constexpr int64_t rows = 5;
    for (int64_t columns = 0; columns <= 130; ++columns) {
        CAPTURE(k.name);
        CAPTURE(columns);
        const bool gradients = columns % 16 == 1 || columns <= 10;  // numeric gradients at some widths
        const Values dy = values(rows * columns, 9);
        const Values x = values(rows * columns, static_cast<uint32_t>(columns), -3, 3);
        for (const std::vector<Range>& ranges : {std::vector<Range>(), five_ranges(columns)}) {
            Values y(x.size(), 0.0), dx(x.size(), 0.0), input = x;
            for (int64_t row = 0; row < rows; ++row) {
                int64_t begin = 0, end = columns;
                if (!ranges.empty()) {
                    begin = std::max<int64_t>(ranges[static_cast<std::size_t>(row)].begin, 0);
                    end = std::min<int64_t>(ranges[static_cast<std::size_t>(row)].end, columns);
                }
                const int64_t first = row * columns;
                const Values inside = part(x, first + begin, first + end), g = part(dy, first + begin, first + end);
                const Values out = k.naive(inside, k.scale);
                std::copy(out.begin(), out.end(), y.begin() + first + begin);
                // What stands outside a range must not be read.
                std::fill(input.begin() + first, input.begin() + first + begin, nan);
                std::fill(input.begin() + first + end, input.begin() + first + columns, nan);
                if (!gradients)
                    continue;
                const Values slope = numeric_gradient(inside, [&](const Values& at) { return inner(k.naive(at, k.scale), g); });
                std::copy(slope.begin(), slope.end(), dx.begin() + first + begin);
            }
            const Range* r = ranges.empty() ? nullptr : ranges.data();
            each_target([&] {
                Buffer in(input), out = Buffer::unwritten(rows * columns, 3), g(dy);
                k.forward(in, static_cast<real>(k.scale), r, out, rows, columns);
                check_close(out, y, k.tolerance);
                if (gradients) {
                    check_destination(dx, gradient_tolerance, [&](Destination to) {
                        k.backward(out, g, static_cast<real>(k.scale), r, to, rows, columns);
                    });
                }
                if (k.in_place == InPlace::refused)
                    return;
                k.forward(in, static_cast<real>(k.scale), r, in, rows, columns);
                check_close(in, y, k.tolerance);
            });
        }
    }
}

}  // namespace attend::ATTEND_PRECISION::kernel_test
