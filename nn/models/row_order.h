#pragma once
/// Rows of a batch in the orders that models need.
#include "core/base/ids.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION {

enum class Order {
    rows,  ///< row by row: element b * T + t
    time,  ///< step by step: element t * B + b
};

/// Targets [B, T] in that order; positions after a row's length are ignored.
Array<int32_t> targets_in_order(const Ids& target, int32_t ignored, Order order);
/// Values in the order of time of `rows` rows, put in the order of rows.
template <class T>
Array<T> from_time(const Array<T>& values, int64_t rows) {
    const int64_t steps = rows == 0 ? 0 : static_cast<int64_t>(values.size()) / rows;
    Array<T> out(values.size());
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t t = 0; t < steps; ++t)
            out[static_cast<std::size_t>(r * steps + t)] = values[static_cast<std::size_t>(t * rows + r)];
    return out;
}
/// Every row K times, one after the other: row b becomes rows b * K ... b * K + K - 1.
Ids repeated(const Ids& ids, int64_t k);
/// The same of a tensor [B, ...]; an undefined one stays undefined.
Tensor repeated(const Tensor& x, int64_t k);

}  // namespace attend::ATTEND_PRECISION
