#include "core/ops/relative.h"

#include "core/kernels/copy.h"
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

}  // namespace attend::ATTEND_PRECISION
