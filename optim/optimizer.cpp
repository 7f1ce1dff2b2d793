#include "optim/optimizer.h"

#include <cmath>

#include "core/kernels/reduce.h"
#include "core/kernels/update.h"
#include "optim/adadelta.h"
#include "optim/adafactor.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/adamw.h"
#include "optim/lion.h"
#include "optim/nadam.h"
#include "optim/radam.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"

namespace attend::ATTEND_PRECISION {

// Elements of one block, the unit of parallel passes over the arena. Fixed, so that sums do not
// depend on the threads.
constexpr int64_t arena_block = 16384;

void Optimizer::prepare(const ParameterStore&, const real*, const UpdateStep&, Workers&) {}

void update(Optimizer& optimizer, ParameterStore& store, const real* gradient, const UpdateStep& step, Workers& workers) {
    optimizer.prepare(store, gradient, step, workers);
    workers.blocks(store.size(), arena_block,
                   [&](int64_t, int64_t begin, int64_t end) { optimizer.update(store, gradient, step, begin, end); });
}

double gradient_norm(const real* gradient, int64_t size, Workers& workers) {
    require(size >= 0, "gradient_norm: the size must not be negative: size {}, least 0", size);
    Array<double> squares(static_cast<std::size_t>((size + arena_block - 1) / arena_block), 0.0);
    workers.blocks(size, arena_block, [&](int64_t block, int64_t begin, int64_t end) {
        squares[static_cast<std::size_t>(block)] = kernels::sum_of_squares(gradient + begin, end - begin);
    });
    double sum = 0;
    for (double s : squares) sum += s;
    return std::sqrt(sum);
}

double clip_factor(double norm, double limit) {
    require(std::isfinite(limit) && limit >= 0, "clip_factor: the limit must be finite and not negative: limit {}, least 0",
            limit);
    if (limit == 0)
        return 1;
    const double factor = limit / (norm + 1e-6);
    return factor >= 1 ? 1 : factor;  // a norm that is NaN gives NaN
}

void clip_value(real* gradient, int64_t size, double limit, Workers& workers) {
    require(size >= 0, "clip_value: the size must not be negative: size {}, least 0", size);
    require(std::isfinite(limit) && limit >= 0, "clip_value: the limit must be finite and not negative: limit {}, least 0",
            limit);
    if (limit == 0)
        return;
    workers.blocks(size, arena_block, [&](int64_t, int64_t begin, int64_t end) {
        kernels::clip(gradient + begin, static_cast<real>(limit), end - begin);
    });
}

const OptimizerTable& optimizer_table() {
    static const OptimizerTable table(
        "optimizer",
        {
            OptimizerTable::row<Sgd, SgdOptions>("sgd", "stochastic gradient descent, with momentum and Nesterov's variant"),
            OptimizerTable::row<Adam, AdamOptions>("adam", "Adam (Kingma and Ba 2015), weight decay in the gradient"),
            OptimizerTable::row<Adamw, AdamwOptions>("adamw", "Adam with decoupled weight decay (Loshchilov and Hutter 2019)"),
            OptimizerTable::row<Adadelta, AdadeltaOptions>("adadelta",
                                                           "Adadelta (Zeiler 2012), as Bahdanau et al. 2015 with rho 0.95"),
            OptimizerTable::row<Adagrad, AdagradOptions>(
                "adagrad", "Adagrad (Duchi et al. 2011): steps shrink with the sum of squared gradients"),
            OptimizerTable::row<Rmsprop, RmspropOptions>(
                "rmsprop", "RMSprop (Tieleman and Hinton 2012), centered and with momentum by option"),
            OptimizerTable::row<Nadam, NadamOptions>("nadam", "Adam with Nesterov momentum (Dozat 2016)"),
            OptimizerTable::row<Radam, AdamOptions>("radam", "rectified Adam (Liu et al. 2020), which needs no warm-up"),
            OptimizerTable::row<Adafactor, AdafactorOptions>(
                "adafactor", "Adafactor (Shazeer and Stern 2018): a matrix's state is one row and one column"),
            OptimizerTable::row<Lion, LionOptions>(
                "lion", "Lion (Chen et al. 2023): the sign of an interpolated momentum; small rates"),
        });
    return table;
}
const registry::AtStart optimizer_listed(optimizer_table());

}  // namespace attend::ATTEND_PRECISION
