#include "core/ops/relative.h"

#include <cmath>
#include <utility>

#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/relative.h"

namespace attend::ATTEND_PRECISION {

// y_ts = e_ts + p_t,c(s - t); de = dy, dp_tj = sum of dy_ts over the s of distance j
Tensor relative_scores(const Tensor& scores, const Tensor& products, int64_t first_position, const Ranges& ranges) {
    require(scores.rank() == 3 && products.rank() == 3 && scores.dim(0) == products.dim(0) && scores.dim(1) == products.dim(1),
            "relative_scores: shapes do not fit: scores {}, products {}", scores, products);
    require(products.dim(2) % 2 == 1, "relative_scores: distances are 2 k + 1: products {}, distances {}", products,
            products.dim(2));
    require(first_position >= 0 && first_position <= 0x7fffffff - scores.dim(1),
            "relative_scores: position out of range: first position {}, queries {}", first_position, scores.dim(1));
    const kernels::RelativeSizes sizes{scores.dim(0), scores.dim(1), scores.dim(2), products.dim(2) / 2, first_position};
    check_ranges("relative_scores", ranges, sizes.batch * sizes.queries, sizes.keys, "scores", scores.shape());
    Tensor y = Tensor::empty(scores.shape());
    kernels::relative_scores(sizes, scores.data(), products.data(), first_of(ranges), y.writable());
    return record("relative_scores", y, {scores, products}, [=](Backward& b) {
        if (b.needs(0))
            kernels::copy_rows(b.gradient(), 0, b.into(0), 0, 1, sizes.batch * sizes.queries * sizes.keys);
        if (b.needs(1))
            kernels::relative_scores_backward(sizes, b.gradient(), first_of(ranges), b.into(1));
    });
}

int64_t distance_bucket(int64_t distance, int64_t buckets, int64_t max_distance, BucketSides sides) {
    const int64_t parts = sides == BucketSides::both ? 2 : 1, side = buckets / parts, exact = side / 2;
    require(buckets >= 2 * parts && buckets % (2 * parts) == 0, "buckets: must divide by {}: buckets {}", 2 * parts, buckets);
    require(max_distance > exact, "buckets: max distance out of range: max distance {}, more than {}", max_distance, exact);
    const int64_t first = sides == BucketSides::both && distance > 0 ? side : 0;
    const int64_t away = sides == BucketSides::both && distance > 0 ? distance : distance < 0 ? -distance : 0;
    if (away < exact)
        return first + away;
    if (away >= max_distance)
        return first + side - 1;
    // exact + floor((side - exact) ln(away / exact) / ln(max / exact)); where this is a whole number, rounding may
    // leave it a little below.
    const double grown = std::log(static_cast<double>(away) / static_cast<double>(exact)) /
                         std::log(static_cast<double>(max_distance) / static_cast<double>(exact));
    return first + exact + static_cast<int64_t>(static_cast<double>(side - exact) * grown + 1e-9);
}

namespace {
// body(first, n, j) for each row of scores: it sees n elements from flat element `first` on; the distance of that one is
// number j of all distances, where number 0 is that of key 0 and the last query.
template <class Body>
void each_seen(const Shape& scores, const Ranges& ranges, Body body) {
    const int64_t queries = scores[1], keys = scores[2];
    for (int64_t row = 0; row < scores[0] * queries; ++row) {
        const Range r = ranges.empty() ? Range{0, static_cast<int32_t>(keys)} : ranges[static_cast<std::size_t>(row)];
        body(row * keys + r.begin, int64_t{r.end} - r.begin, r.begin + queries - 1 - row % queries);
    }
}
}  // namespace

// y_ts = e_ts + w_b(s - t); de = dy, dw_j = sum of dy_ts over the distances of bucket j
Tensor bucket_bias(const Tensor& scores, const Tensor& weight, int64_t max_distance, BucketSides sides, int64_t first_position,
                   const Ranges& ranges) {
    require(scores.rank() == 3 && weight.rank() == 1, "bucket_bias: shapes do not fit: scores {}, weight {}", scores, weight);
    require(first_position >= 0 && first_position <= 0x7fffffff - scores.dim(1),
            "bucket_bias: position out of range: first position {}, queries {}", first_position, scores.dim(1));
    const int64_t rows = scores.dim(0) * scores.dim(1), keys = scores.dim(2), buckets = weight.dim(0);
    check_ranges("bucket_bias", ranges, rows, keys, "scores", scores.shape());
    // Along a row the distances grow by 1, so one array of all distances has every row in it.
    const int64_t distances = scores.dim(1) + keys;
    Array<int32_t> bucket(static_cast<std::size_t>(distances));
    Tensor bias = Tensor::empty({distances});
    for (int64_t j = 0; j < distances; ++j) {
        const int64_t b = distance_bucket(j + 1 - scores.dim(1) - first_position, buckets, max_distance, sides);
        bucket[static_cast<std::size_t>(j)] = static_cast<int32_t>(b);
        bias.writable()[j] = weight.data()[b];
    }
    Tensor y = Tensor::empty(scores.shape());
    kernels::copy_rows(scores.data(), 0, {y.writable(), Write::set}, 0, 1, scores.size());
    each_seen(scores.shape(), ranges, [&](int64_t first, int64_t n, int64_t j) {
        kernels::axpy(1, bias.data() + j, {y.writable() + first, Write::add}, n);
    });
    return record("bucket_bias", y, {scores, weight}, [=, bucket = std::move(bucket), shape = scores.shape()](Backward& b) {
        if (b.needs(0))
            kernels::copy_rows(b.gradient(), 0, b.into(0), 0, 1, shape.size());
        if (b.needs(1)) {
            Tensor dbias = Tensor::zeros({distances}), dweight = Tensor::zeros({buckets});
            each_seen(shape, ranges, [&](int64_t first, int64_t n, int64_t j) {
                kernels::axpy(1, b.gradient() + first, {dbias.writable() + j, Write::add}, n);
            });
            for (std::size_t j = 0; j < bucket.size(); ++j) dweight.writable()[bucket[j]] += dbias.data()[j];
            kernels::axpy(1, dweight.data(), b.into(1), buckets);
        }
    });
}

}  // namespace attend::ATTEND_PRECISION
