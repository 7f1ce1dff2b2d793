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
/// The positions of targets [B, T] that have a loss, row by row: element b T + t, and which id it is.
struct TargetPlaces {
    Array<int32_t> places, ids;
};
TargetPlaces target_places(const Ids& target, int32_t ignored);
/// Values [n / rows, rows] as [rows, n / rows]: the order of time as that of rows, and the other way
/// round.
Array<int32_t> transposed(const Array<int32_t>& values, int64_t rows);
/// Every row K times, one after the other: row b becomes rows b * K ... b * K + K - 1.
Ids repeated(const Ids& ids, int64_t k);
/// The same of a tensor [B, ...]; an undefined one stays undefined.
Tensor repeated(const Tensor& x, int64_t k);

}  // namespace attend::ATTEND_PRECISION
