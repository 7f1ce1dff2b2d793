#pragma once
/// One chunk of the linear family of attention (linear_attention.h), for the ops alone. One head of
/// one row, in matrices of the chunk's n positions: Q, K [n, Kk], V [n, R], S [R, Kk] the state before
/// the chunk, S' the one after it, D the products of decays, p those from the chunk's start
/// (kernels::decay_products), e the last row of D, b the betas, W = D * K K^T below the diagonal. A
/// vector before * scales rows.
///     (I + W diag(b)) X = V - p * (K S^T),  U = b * X               (without beta: U = V)
///     O = p * (Q S^T) + (D * Q K^T) U,      S' = p_n S + U^T (e * K)
/// u_t is what position t writes: S_t = alpha_t S_{t-1} + u_t k_t^T with u_t = beta_t x_t, where x_t =
/// v_t - alpha_t S_{t-1} k_t is what is new in v_t (Yang, Wang, Zhang et al. 2024, section 3; with decay
/// Yang, Kautz and Hatamizadeh 2025, section 3.3). They invert I + W diag(b) for all chunks at once, to
/// compute these in parallel; chunks one after another know S, and solving once is enough.
#include "core/engine.h"
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION {

struct LinearSizes {
    int64_t batch = 0, steps = 0, heads = 0, states = 0;  ///< heads of queries, and of keys
    int64_t key_size = 0, value_size = 0, rows = 0;       ///< rows of a state: value_size, or one more
    Array<int32_t> lengths;

    bool normalised() const { return rows != value_size; }
    int64_t group() const { return heads / states; }
    int64_t state_size() const { return rows * key_size; }
    int64_t length(int64_t b) const { return lengths.empty() ? steps : lengths[static_cast<std::size_t>(b)]; }
    Shape state_shape() const { return {batch, states, rows, key_size}; }
};

/// What all chunks are computed from; `q` may be undefined, then nothing is read.
struct LinearOperands {
    LinearSizes sizes;
    Saved q, keys, values, alpha, beta;
};

/// Where gradients are added, each of its tensor's shape; null where not wanted.
struct LinearSlopes {
    real *q = nullptr, *keys = nullptr, *values = nullptr, *alpha = nullptr, *beta = nullptr;
};

/// The outputs of queries [B, T, H Kv]; with the normaliser, what they were multiplied with [B, T, H],
/// 1 / (z q); and for the backward the outputs' gradients.
struct LinearReadings {
    real *outputs = nullptr, *shares = nullptr;
};
struct LinearRead {
    const real *outputs = nullptr, *shares = nullptr, *slopes = nullptr;
};

class LinearChunk {
  public:
    static constexpr int64_t length = 64;  ///< positions, at most

    /// Allocates working memory; `in` must outlive it.
    explicit LinearChunk(const LinearOperands& in);
    LinearChunk(const LinearChunk&) = delete;

    /// Goes to chunk `number` of a row and key head, and computes what it writes. `state` [R, Kk] is S;
    /// null: zero.
    void enter(int64_t row, int64_t head, int64_t number, const real* state);
    /// What the queries of its positions read.
    void read(LinearReadings to);
    /// S', after enter().
    void advance(real* next);
    /// After enter(): adds the gradients of its inputs; `dstate` [R, Kk] holds that of S' and then that of
    /// S. Where read.slopes is null nothing was read.
    void backward(const LinearRead& read, LinearSlopes to, real* dstate);

  private:
    using Rows = kernels::Rows;
    using ConstRows = kernels::ConstRows;
    real* take(int64_t size);
    // The chunk's rows of something of key heads, of its keys, and of something of query heads.
    template <class T>
    kernels::RowsOf<T> of_states(T* all, int64_t size) const {
        return {all + write_ * size, s_.states * size};
    }
    ConstRows keys() const { return of_states(in_.keys.data(), s_.key_size); }
    template <class T>
    kernels::RowsOf<T> of_heads(T* all, int64_t reader, int64_t size) const {
        return {all + (read_ + reader) * size, s_.heads * size};
    }
    ConstRows queries(int64_t reader) const { return of_heads(in_.q.data(), reader, s_.key_size); }
    void solve();
    void through_state(LinearSlopes to, real* dstate);
    void through_reading(int64_t reader, ConstRows dx, LinearSlopes to, real* dstate);
    void through_solution(LinearSlopes to, real* dstate);
    void through_product_with_state(ConstRows rows, ConstRows up, real scale, Rows drows, LinearSlopes to, real* dstate);

    const LinearOperands& in_;
    const LinearSizes& s_;
    Tensor memory_;
    int64_t taken_ = 0;
    real *decays_, *products_, *lower_;     // D, K K^T, and W scaled: [n, n]
    real *fresh_, *written_;                // X, U: [n, R]
    real *from_start_, *rates_;             // p, b
    real *scores_, *dscores_, *ddecays_;    // [n, n]
    real *du_, *dx_;                        // dU [n, R]; gradient of outputs and what divides them [n, R]
    real *wide_, *scaled_;                  // [n, max(R, Kk)]
    real* dfrom_start_;                     // dp
    int64_t n_ = 0, write_ = 0, read_ = 0;  // positions; the first one's number among all of key heads, of query heads
    const real* state_ = nullptr;           // S
    ConstRows u_;                           // U, or V in place
};

}  // namespace attend::ATTEND_PRECISION
