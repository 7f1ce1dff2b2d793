#include "nn/models/row_order.h"

#include <vector>

#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

Array<int32_t> targets_in_order(const Ids& target, int32_t ignored, Order order) {
    Array<int32_t> out(target.values.size(), ignored);
    for (int64_t b = 0; b < target.rows; ++b)
        for (int64_t t = 0; t < target.length(b); ++t)
            out[static_cast<std::size_t>(order == Order::time ? t * target.rows + b : b * target.columns + t)] =
                target.at(b, t);
    return out;
}

TargetPlaces target_places(const Ids& target, int32_t ignored) {
    TargetPlaces out;
    for (int64_t r = 0; r < target.rows; ++r)
        for (int64_t t = 0; t < target.length(r); ++t)
            if (target.at(r, t) != ignored) {
                out.places.push_back(static_cast<int32_t>(r * target.columns + t));
                out.ids.push_back(target.at(r, t));
            }
    return out;
}

Array<int32_t> transposed(const Array<int32_t>& values, int64_t rows) {
    const int64_t steps = rows == 0 ? 0 : static_cast<int64_t>(values.size()) / rows;
    Array<int32_t> out(values.size());
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t t = 0; t < steps; ++t)
            out[static_cast<std::size_t>(r * steps + t)] = values[static_cast<std::size_t>(t * rows + r)];
    return out;
}

Ids repeated(const Ids& ids, int64_t k) {
    Ids out;
    out.rows = ids.rows * k;
    out.columns = ids.columns;
    for (int64_t b = 0; b < ids.rows; ++b)
        for (int64_t i = 0; i < k; ++i) {
            const auto row = ids.values.begin() + b * ids.columns;
            out.values.insert(out.values.end(), row, row + ids.columns);
            out.lengths.push_back(ids.lengths[static_cast<std::size_t>(b)]);
        }
    return out;
}

Tensor repeated(const Tensor& x, int64_t k) {
    if (k == 1 || !x.defined())
        return x;
    const Tensor flat = x.reshape({x.dim(0), x.shape().inner(0)});
    const std::vector<Tensor> copies(static_cast<std::size_t>(k), flat);
    return concat(std::span<const Tensor>(copies), -1).reshape(x.shape().with(0, x.dim(0) * k));
}

}  // namespace attend::ATTEND_PRECISION
