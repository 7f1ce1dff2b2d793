#include "optim/adafactor.h"

#include <cmath>

#include "core/kernels/reduce.h"

namespace attend::ATTEND_PRECISION {

namespace {
// Rows and columns of a tile: its sums, the scratch of a pass, are then less than a fiftieth of its
// elements.
constexpr int64_t tile_rows = 64, tile_columns = 1024;

std::size_t at(int64_t index) { return static_cast<std::size_t>(index); }
}  // namespace

Adafactor::Adafactor(const AdafactorOptions& o, const ParameterStore& store) : ArenaOptimizer(o, store, {}) { lay_out(store); }

void Adafactor::require_unchanged(const ParameterStore& store) const {
    ensure(store.table().size() == layouts_.size(),
           "optimizer adafactor: the arena has changed since the optimizer was made: parameters {}, made for {}",
           store.table().size(), layouts_.size());
}

void Adafactor::lay_out(const ParameterStore& store) {
    int64_t rows = 0, columns = 0, row_sums = 0, column_sums = 0;
    for (const Parameter& p : store.table()) {
        Layout l{};
        l.columns = p.shape.columns();
        l.rows = p.shape.rank() >= 2 ? p.shape[-2] : 1;
        l.matrices = p.shape.rank() >= 2 ? p.shape.outer(p.shape.rank() - 2) : 1;
        l.row_begin = rows;
        l.column_begin = columns;
        l.tile_begin = tiles_.size();
        for (int64_t m = 0; m < l.matrices && p.shape.size() > 0; ++m)
            for (int64_t r = 0; r < l.rows; r += tile_rows)
                for (int64_t c = 0; c < l.columns; c += tile_columns) {
                    const Tile t{
                        p.index,  m,          r, std::min(tile_rows, l.rows - r), c, std::min(tile_columns, l.columns - c),
                        row_sums, column_sums};
                    tiles_.push_back(t);
                    row_sums += t.rows;
                    column_sums += t.columns;
                }
        l.tile_end = tiles_.size();
        rows += l.matrices * l.rows;
        columns += l.matrices * l.columns;
        layouts_.push_back(l);
    }
    for (Array<real>* x : {&row_means_, &row_factor_}) x->assign(at(rows), real{0});
    for (Array<real>* x : {&column_means_, &column_factor_}) x->assign(at(columns), real{0});
    row_sums_.resize(at(row_sums));
    column_sums_.resize(at(column_sums));
    update_squares_.resize(tiles_.size());
    value_squares_.resize(tiles_.size());
    rates_.resize(layouts_.size());
}

std::vector<OptimizerState> Adafactor::state(const ParameterStore& store) {
    require_unchanged(store);
    std::vector<OptimizerState> pieces;
    for (const Parameter& p : store.table()) {
        const Layout& l = layouts_[p.index];
        real *rows = row_means_.data() + l.row_begin, *columns = column_means_.data() + l.column_begin;
        if (p.shape.rank() < 2) {
            pieces.push_back({"squares." + p.name, p.shape, columns});
        } else {
            pieces.push_back({"rows." + p.name, p.shape.without(-1), rows});
            pieces.push_back({"columns." + p.name, p.shape.without(-2), columns});
        }
    }
    return pieces;
}

// R, C and their factors from the sums of the tiles; `share` is 1 - b.
void Adafactor::follow(const Layout& l, double share) {
    Array<double> rows(at(l.matrices * l.rows), 0.0), columns(at(l.matrices * l.columns), 0.0);
    for (std::size_t k = l.tile_begin; k < l.tile_end; ++k) {
        const Tile& t = tiles_[k];
        for (int64_t i = 0; i < t.rows; ++i)
            rows[at(t.matrix * l.rows + t.row + i)] += static_cast<double>(row_sums_[at(t.row_sum_begin + i)]);
        for (int64_t j = 0; j < t.columns; ++j)
            columns[at(t.matrix * l.columns + t.column + j)] += static_cast<double>(column_sums_[at(t.column_sum_begin + j)]);
    }
    const auto mean = [&](real& kept, double sum, int64_t count) {
        const double now = sum / static_cast<double>(count) + o_.epsilon;
        kept = static_cast<real>((1 - share) * static_cast<double>(kept) + share * now);
        return static_cast<double>(kept);
    };
    for (int64_t m = 0; m < l.matrices; ++m) {
        double sum = 0;
        for (int64_t i = m * l.rows; i < (m + 1) * l.rows; ++i)
            sum += mean(row_means_[at(l.row_begin + i)], rows[at(i)], l.columns);
        const double whole = sum / static_cast<double>(l.rows);
        for (int64_t i = m * l.rows; i < (m + 1) * l.rows; ++i)
            row_factor_[at(l.row_begin + i)] =
                static_cast<real>(std::sqrt(whole / static_cast<double>(row_means_[at(l.row_begin + i)])));
        for (int64_t j = m * l.columns; j < (m + 1) * l.columns; ++j)
            column_factor_[at(l.column_begin + j)] =
                static_cast<real>(1 / std::sqrt(mean(column_means_[at(l.column_begin + j)], columns[at(j)], l.rows)));
    }
}

void Adafactor::prepare(const ParameterStore& store, const real* gradient, const UpdateStep& step, Workers& workers) {
    require_unchanged(store);
    const real scale = static_cast<real>(step.gradient_scale);
    const double t = static_cast<double>(step.step + 1);
    const int64_t tiles = static_cast<int64_t>(tiles_.size()), parameters = static_cast<int64_t>(layouts_.size());
    // body(tile, its parameter's layout, first element in the arena) for the tiles of parameters
    // that are trained.
    const auto each_tile = [&](auto body) {
        workers.blocks(tiles, 1, [&](int64_t k, int64_t, int64_t) {
            const Tile& tile = tiles_[at(k)];
            const Parameter& p = store.table()[tile.parameter];
            const Layout& l = layouts_[tile.parameter];
            if (p.trainable)
                body(at(k), tile, l, p.offset + (tile.matrix * l.rows + tile.row) * l.columns + tile.column);
        });
    };
    const auto each_parameter = [&](auto body) {
        workers.blocks(parameters, 1, [&](int64_t i, int64_t, int64_t) {
            const Parameter& p = store.table()[at(i)];
            if (p.trainable && p.shape.size() > 0)
                body(p, layouts_[at(i)]);
        });
    };
    each_tile([&](std::size_t k, const Tile& tile, const Layout& l, int64_t first) {
        kernels::tile_squares(scale, gradient + first, tile.rows, tile.columns, l.columns, &row_sums_[at(tile.row_sum_begin)],
                              &column_sums_[at(tile.column_sum_begin)]);
        value_squares_[k] = 0;
        if (o_.relative_step)
            for (int64_t r = 0; r < tile.rows; ++r)
                value_squares_[k] += kernels::sum_of_squares(store.data() + first + r * l.columns, tile.columns);
    });
    each_parameter([&](const Parameter&, const Layout& l) { follow(l, std::pow(t, -o_.decay_exponent)); });
    each_tile([&](std::size_t k, const Tile& tile, const Layout& l, int64_t first) {
        update_squares_[k] =
            kernels::tile_weighted_squares(scale, gradient + first, tile.rows, tile.columns, l.columns,
                                           &row_factor_[at(l.row_begin + tile.matrix * l.rows + tile.row)],
                                           &column_factor_[at(l.column_begin + tile.matrix * l.columns + tile.column)]);
    });
    each_parameter([&](const Parameter& p, const Layout& l) {
        double updates = 0, values = 0;
        for (std::size_t k = l.tile_begin; k < l.tile_end; ++k) {
            updates += update_squares_[k];
            values += value_squares_[k];
        }
        const double size = static_cast<double>(p.shape.size());
        double rate = step.learning_rate;
        if (o_.relative_step)
            rate = std::min(rate, 1 / std::sqrt(t)) * std::max(o_.least_scale, std::sqrt(values / size));
        rates_[p.index] = rate / std::max(1.0, std::sqrt(updates / size) / o_.clip_threshold);
    });
    prepared_ = step.step;
}

void Adafactor::apply(const Segment& s, const UpdateStep& step) {
    ensure(prepared_ == step.step, "optimizer adafactor: prepare() comes before update(): prepared for step {}, asked for {}",
           prepared_, step.step);
    const Layout& l = layouts_[s.parameter->index];
    const real shrink = static_cast<real>(s.decays ? 1 - step.learning_rate * o_.weight_decay : 1);
    const double rate = rates_[s.parameter->index] * step.gradient_scale;
    // Stretches of one row each.
    const int64_t begin = s.offset - s.parameter->offset;
    for (int64_t done = 0; done < s.size;) {
        const int64_t row = (begin + done) / l.columns, column = (begin + done) % l.columns;
        const int64_t n = std::min(l.columns - column, s.size - done);
        kernels::adafactor(shrink, static_cast<real>(rate * static_cast<double>(row_factor_[at(l.row_begin + row)])),
                           s.value + done, s.gradient + done,
                           &column_factor_[at(l.column_begin + row / l.rows * l.columns + column)], n);
        done += n;
    }
}

}  // namespace attend::ATTEND_PRECISION
