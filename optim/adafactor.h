#pragma once
/// Adafactor (Shazeer and Stern 2018, "Adafactor: adaptive learning rates with sublinear memory
/// cost", algorithms 4 and 5, without momentum): of the running squares of a matrix only the means
/// of rows and of columns are kept.
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct AdafactorOptions : UpdateOptions {
    bool relative_step = true;
    double decay_exponent = 0.8;
    double clip_threshold = 1;
    double epsilon = 1e-30;
    double least_scale = 1e-3;
    AdafactorOptions() : UpdateOptions(1e-2) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.flag("relative_step", relative_step,
               "multiply the rate, at most 1 / sqrt(t) in step t, by the root mean square of each parameter");
        v.number("decay_exponent", decay_exponent, {1e-6, 1}, "step t keeps the share 1 - t^-this of the running mean squares");
        v.number("clip_threshold", clip_threshold, {1e-6, 1e6},
                 "limit of the root mean square of each parameter's update, before it is multiplied by the rate");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the squared gradients");
        v.number("least_scale", least_scale, {0, 1000}, "relative_step: lower limit of the root mean square of a parameter");
        decoupled_decay_field(v);
    }
};

/// For a parameter X [n, m] and t from 1, b = 1 - t^-decay_exponent:
///     R_i = b R_i + (1 - b) mean_j (g_ij^2 + epsilon),  C_j = b C_j + (1 - b) mean_i (g_ij^2 + epsilon)
///     U_ij = g_ij / sqrt(R_i C_j / mean(R))
///     X = (1 - learning_rate weight_decay) X - a U / max(1, rms(U) / clip_threshold)
/// with a = min(learning_rate, 1 / sqrt(t)) max(least_scale, rms(X)), or a = learning_rate without
/// relative_step. A vector is a matrix of one row, whose R drops out. Of more axes than two the
/// last two are the matrix (as torch.optim.Adafactor), and rms is over the complete parameter.
class Adafactor final : public ArenaOptimizer<AdafactorOptions> {
  public:
    Adafactor(const AdafactorOptions& o, const ParameterStore& store);
    /// "rows.NAME" and "columns.NAME" for parameters of two or more dimensions, "squares.NAME" for
    /// others.
    std::vector<OptimizerState> state(const ParameterStore& store) override;
    /// Updates R and C and finds each parameter's a / max(1, ...): passes over fixed tiles, whose
    /// sums are added in order.
    void prepare(const ParameterStore& store, const real* gradient, const UpdateStep& step, Workers& workers) override;

  private:
    // The matrices of one parameter, and where its numbers lie in the flat arrays below.
    struct Layout {
        int64_t matrices, rows, columns;
        int64_t row_begin, column_begin;
        std::size_t tile_begin, tile_end;
    };
    // A part of one matrix, the unit of parallel passes.
    struct Tile {
        std::size_t parameter;
        int64_t matrix, row, rows, column, columns;
        int64_t row_sum_begin, column_sum_begin;  // its place in row_sums_, column_sums_
    };
    void lay_out(const ParameterStore& store);
    void require_unchanged(const ParameterStore& store) const;
    void follow(const Layout& l, double share);
    void apply(const Segment& s, const UpdateStep& step) override;

    std::vector<Layout> layouts_;  // by parameter
    std::vector<Tile> tiles_;
    Array<real> row_means_, column_means_;                // the state R, C
    Array<real> row_factor_, column_factor_;              // sqrt(mean(R) / R), sqrt(1 / C)
    Array<real> row_sums_, column_sums_;                  // of each tile
    std::vector<double> update_squares_, value_squares_;  // of each tile
    std::vector<double> rates_;                           // a / max(1, rms(U) / clip_threshold) by parameter
    int64_t prepared_ = -1;
};

}  // namespace attend::ATTEND_PRECISION
