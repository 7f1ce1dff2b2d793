#include "core/ops/linear_chunk.h"

#include <algorithm>

#include "core/gemm.h"
#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/linear_attention.h"
#include "core/kernels/reduce.h"

namespace attend::ATTEND_PRECISION {

using kernels::ConstRows;
using kernels::Rows;
using kernels::Step;

namespace {

struct Factor {
    ConstRows rows;
    Transpose transposed = Transpose::no;
};
ConstRows read_only(Rows x) { return {x.data, x.stride}; }

// c [m, n] (=|+=) scale op(a) op(b) over k
void chunk_product(int64_t m, int64_t n, int64_t k, Factor a, Factor b, Rows c, Write write, real scale = 1) {
    gemm(a.transposed, b.transposed, m, n, k, scale, a.rows.data, a.rows.stride, b.rows.data, b.rows.stride,
         write == Write::add ? real{1} : real{0}, c.data, c.stride);
}

// Of a lower square matrix [n, n] the rows of a block of positions have no columns after it: a quarter of the work is left
// out with two blocks. What is above the blocks on the diagonal is neither written nor read.
constexpr int64_t block = LinearChunk::length / 2;

// square = scale a b^T, a and b [n, k]
void lower_product(int64_t n, int64_t k, ConstRows a, ConstRows b, real* square, real scale = 1) {
    for (int64_t i = 0; i < n; i += block)
        chunk_product(std::min(block, n - i), std::min(i + block, n), k, {{a[i], a.stride}}, {b, Transpose::yes},
                      {square + i * n, n}, Write::set, scale);
}
// c (=|+=) square b, b [n, columns]
void lower_times(int64_t n, int64_t columns, const real* square, ConstRows b, Rows c, Write write) {
    for (int64_t i = 0; i < n; i += block)
        chunk_product(std::min(block, n - i), columns, std::min(i + block, n), {{square + i * n, n}}, {b}, {c[i], c.stride},
                      write);
}
// c += square^T b
void lower_transposed_times(int64_t n, int64_t columns, const real* square, ConstRows b, Rows c) {
    for (int64_t i = 0; i < n; i += block)
        chunk_product(std::min(block, n - i), columns, n - i, {{square + i * (n + 1), n}, Transpose::yes}, {{b[i], b.stride}},
                      {c[i], c.stride}, Write::add);
}

// y (=|+=) a b, element by element
void square_product(const real* a, const real* b, real* y, Write write, int64_t n) {
    kernels::multiply(a, Step::one, b, Step::one, {y, write}, n);
}

}  // namespace

LinearChunk::LinearChunk(const LinearOperands& in) : in_(in), s_(in.sizes) {
    const int64_t square = length * length, state_wide = length * s_.rows, wide = length * std::max(s_.rows, s_.key_size);
    memory_ = Tensor::empty({6 * square + 4 * state_wide + 2 * wide + 3 * length});
    for (real** x : {&decays_, &products_, &lower_, &scores_, &dscores_, &ddecays_}) *x = take(square);
    for (real** x : {&fresh_, &written_, &du_, &dx_}) *x = take(state_wide);
    for (real** x : {&wide_, &scaled_}) *x = take(wide);
    for (real** x : {&from_start_, &rates_, &dfrom_start_}) *x = take(length);
}

real* LinearChunk::take(int64_t size) { return memory_.writable() + std::exchange(taken_, taken_ + size); }

void LinearChunk::enter(int64_t row, int64_t head, int64_t number, const real* state) {
    const int64_t first = row * s_.steps + number * length, r = s_.rows;
    n_ = std::min(length, s_.length(row) - number * length);
    write_ = first * s_.states + head;
    read_ = first * s_.heads + head * s_.group();
    state_ = state;
    kernels::decay_products(in_.alpha.defined() ? in_.alpha.data() + write_ : nullptr, s_.states, n_, decays_, from_start_);
    u_ = of_states(in_.values.data(), s_.value_size);
    if (!s_.normalised() && !in_.beta.defined())
        return;
    real* const v = in_.beta.defined() ? fresh_ : written_;
    kernels::copy_rows(u_.data, u_.stride, {v, Write::set}, r, n_, s_.value_size);
    for (int64_t i = 0; i < n_ && s_.normalised(); ++i) v[i * r + s_.value_size] = 1;
    u_ = {written_, r};
    if (in_.beta.defined())
        solve();
}

// (I + W diag(b)) X = V - p * (K S^T), U = b * X, where X holds V at first
void LinearChunk::solve() {
    const int64_t r = s_.rows;
    if (state_ != nullptr) {
        chunk_product(n_, r, s_.key_size, {keys()}, {{state_, s_.key_size}, Transpose::yes}, {written_, r}, Write::set);
        kernels::scale_rows(-1, from_start_, 1, {written_, r}, {fresh_, r}, Write::add, n_, r);
    }
    lower_product(n_, s_.key_size, keys(), keys(), products_);
    kernels::copy_rows(in_.beta.data() + write_, s_.states, {rates_, Write::set}, 1, n_, 1);
    square_product(products_, decays_, lower_, Write::set, n_ * n_);
    for (int64_t i = 1; i < n_; ++i) square_product(lower_ + i * n_, rates_, lower_ + i * n_, Write::set, i);
    kernels::solve_lower(lower_, n_, {fresh_, r}, r);
    kernels::scale_rows(1, rates_, 1, {fresh_, r}, {written_, r}, Write::set, n_, r);
}

// O = p * (Q S^T) + (D * Q K^T) U
void LinearChunk::read(LinearReadings to) {
    const int64_t r = s_.rows, values = s_.value_size;
    for (int64_t reader = 0; reader < s_.group(); ++reader) {
        const Rows y = of_heads(to.outputs, reader, values), x = s_.normalised() ? Rows{wide_, r} : y;
        lower_product(n_, s_.key_size, queries(reader), keys(), scores_);
        square_product(scores_, decays_, scores_, Write::set, n_ * n_);
        if (state_ != nullptr) {
            chunk_product(n_, r, s_.key_size, {queries(reader)}, {{state_, s_.key_size}, Transpose::yes}, x, Write::set);
            kernels::scale_rows(1, from_start_, 1, read_only(x), x, Write::set, n_, r);
        }
        lower_times(n_, r, scores_, u_, x, state_ != nullptr ? Write::add : Write::set);
        if (s_.normalised())
            kernels::divide_by_last(read_only(x), y, to.shares + read_ + reader, s_.heads, n_, values);
    }
}

// S' = p_n S + U^T (e * K)
void LinearChunk::advance(real* next) {
    const int64_t k = s_.key_size;
    kernels::scale_rows(1, decays_ + (n_ - 1) * n_, 1, keys(), {wide_, k}, Write::set, n_, k);
    if (state_ != nullptr)
        kernels::axpy(from_start_[n_ - 1], state_, {next, Write::set}, s_.state_size());
    chunk_product(s_.rows, k, n_, {u_, Transpose::yes}, {{wide_, k}}, {next, k}, state_ != nullptr ? Write::add : Write::set);
}

void LinearChunk::backward(const LinearRead& read, LinearSlopes to, real* dstate) {
    const int64_t r = s_.rows, values = s_.value_size;
    std::fill_n(du_, n_ * r, real{0});
    std::fill_n(ddecays_, to.alpha != nullptr ? n_ * n_ : 0, real{0});
    std::fill_n(dfrom_start_, n_, real{0});
    through_state(to, dstate);
    for (int64_t reader = 0; reader < s_.group() && read.slopes != nullptr; ++reader) {
        ConstRows dx = of_heads(read.slopes, reader, values);
        if (s_.normalised()) {
            kernels::divide_by_last_backward(of_heads(read.outputs, reader, values), dx, read.shares + read_ + reader, s_.heads,
                                             {dx_, r}, n_, values);
            dx = {dx_, r};
        }
        through_reading(reader, dx, to, dstate);
    }
    if (in_.beta.defined())
        through_solution(to, dstate);
    if (to.values != nullptr) {
        const Rows dv = of_states(to.values, values);
        kernels::copy_rows(du_, r, {dv.data, Write::add}, dv.stride, n_, values);
    }
    if (to.alpha != nullptr)
        kernels::decay_products_backward(in_.alpha.data() + write_, s_.states, n_, decays_, from_start_, ddecays_, dfrom_start_,
                                         {to.alpha + write_, Write::add});
}

// S' = p_n S + U^T (e * K): dU = e * (K dS'^T), dK += e * (U dS'), de = (U dS') K by rows, dS = p_n dS', dp_n = dS' S
void LinearChunk::through_state(LinearSlopes to, real* dstate) {
    const int64_t r = s_.rows, k = s_.key_size, size = s_.state_size();
    if (kernels::sum_of_squares(dstate, size) == 0)
        return;  // nothing reads S', as after the last chunk when the last state is not used
    const real* const left = decays_ + (n_ - 1) * n_;
    chunk_product(n_, r, k, {keys()}, {{dstate, k}, Transpose::yes}, {du_, r}, Write::set);
    kernels::scale_rows(1, left, 1, {du_, r}, {du_, r}, Write::set, n_, r);
    chunk_product(n_, k, r, {u_}, {{dstate, k}}, {wide_, k}, Write::set);
    if (to.keys != nullptr)
        kernels::scale_rows(1, left, 1, {wide_, k}, of_states(to.keys, k), Write::add, n_, k);
    if (to.alpha != nullptr)
        kernels::dot_rows(1, {wide_, k}, keys(), {ddecays_ + (n_ - 1) * n_, Write::set}, 1, n_, k);
    if (state_ == nullptr)
        return;
    if (to.alpha != nullptr)
        dfrom_start_[n_ - 1] = kernels::dot(dstate, state_, size);
    kernels::axpy(from_start_[n_ - 1], dstate, {dstate, Write::set}, size);
}

// Of Y = scale p * (X S^T) with dY = up: dX += scale p * (up S), dS += scale (p * up)^T X, dp = scale (up S) X by rows
void LinearChunk::through_product_with_state(ConstRows x, ConstRows up, real scale, Rows dx, LinearSlopes to, real* dstate) {
    const int64_t r = s_.rows, k = s_.key_size;
    if (state_ == nullptr)
        return;
    chunk_product(n_, k, r, {up}, {{state_, k}}, {wide_, k}, Write::set);
    if (dx.data != nullptr)
        kernels::scale_rows(scale, from_start_, 1, {wide_, k}, dx, Write::add, n_, k);
    if (to.alpha != nullptr)
        kernels::dot_rows(scale, {wide_, k}, x, {dfrom_start_, Write::add}, 1, n_, k);
    kernels::scale_rows(scale, from_start_, 1, up, {scaled_, r}, Write::set, n_, r);
    chunk_product(r, k, n_, {{scaled_, r}, Transpose::yes}, {x}, {dstate, k}, Write::add);
}

// O = p * (Q S^T) + A U with A = D * B, B = Q K^T: dU += A^T dO, dA = dO U^T, dD += dA * B, dB = D * dA, dQ += dB K, dK +=
// dB^T Q
void LinearChunk::through_reading(int64_t reader, ConstRows dx, LinearSlopes to, real* dstate) {
    const int64_t r = s_.rows, k = s_.key_size;
    const Rows dq = to.q == nullptr ? Rows{} : of_heads(to.q, reader, k);
    lower_product(n_, k, queries(reader), keys(), scores_);
    lower_product(n_, r, dx, u_, dscores_);
    if (to.alpha != nullptr)
        square_product(dscores_, scores_, ddecays_, Write::add, n_ * n_);
    square_product(scores_, decays_, scores_, Write::set, n_ * n_);
    square_product(dscores_, decays_, dscores_, Write::set, n_ * n_);
    lower_transposed_times(n_, r, scores_, dx, {du_, r});
    if (dq.data != nullptr)
        lower_times(n_, k, dscores_, keys(), dq, Write::add);
    if (to.keys != nullptr)
        lower_transposed_times(n_, k, dscores_, queries(reader), of_states(to.keys, k));
    through_product_with_state(queries(reader), dx, 1, dq, to, dstate);
}

// With Y = (I + diag(b) W)^-T dU: db = Y X by rows, and the gradient of V - p * (K S^T) is dE = b * Y, which du_ holds
// then; dW = -dE U^T below the diagonal, dD += dW * C with C = K K^T, dC = D * dW, dK += (dC + dC^T) K
void LinearChunk::through_solution(LinearSlopes to, real* dstate) {
    const int64_t r = s_.rows, k = s_.key_size, square = n_ * n_;
    square_product(products_, decays_, lower_, Write::set, square);
    kernels::scale_rows(1, rates_, 1, {lower_, n_}, {lower_, n_}, Write::set, n_, n_);
    kernels::solve_lower_transposed(lower_, n_, {du_, r}, r);
    if (to.beta != nullptr)
        kernels::dot_rows(1, {du_, r}, {fresh_, r}, {to.beta + write_, Write::add}, s_.states, n_, r);
    kernels::scale_rows(1, rates_, 1, {du_, r}, {du_, r}, Write::set, n_, r);
    lower_product(n_, r, {du_, r}, u_, dscores_, -1);
    if (to.alpha != nullptr)
        square_product(dscores_, products_, ddecays_, Write::add, square);
    const Rows dk = to.keys == nullptr ? Rows{} : of_states(to.keys, k);
    if (dk.data != nullptr) {
        square_product(dscores_, decays_, dscores_, Write::set, square);
        for (int64_t i = 0; i < n_; ++i) dscores_[i * (n_ + 1)] = 0;
        lower_times(n_, k, dscores_, keys(), dk, Write::add);
        lower_transposed_times(n_, k, dscores_, keys(), dk);
    }
    through_product_with_state(keys(), {du_, r}, -1, dk, to, dstate);
}

}  // namespace attend::ATTEND_PRECISION
