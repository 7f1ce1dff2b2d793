#pragma once
/// What every factor of the attention algebra sees.
///
///     scores   e = score(query, keys)              score.h
///     bias     what their positions add to them       bias.h
///     range    which positions a query may see     window.h
///     weights  a = align(e) over the range         align.h
///     choice   a itself, or one position drawn     select.h
///     context  c = sum_s a_s value_s               attention.h
#include <memory>

#include "core/base/ids.h"
#include "core/context.h"
#include "core/tensor.h"
#include "nn/attention/numbering.h"

namespace attend::ATTEND_PRECISION {

/// Results of a step that the next one reads: empty at the first step, and where queries run in
/// parallel.
struct Previous {
    Tensor weights;  ///< [B, 1, S] as read with
    Tensor score;    ///< what the score returned, for its own use (a coverage)
    Tensor align;    ///< what the alignment returned, for its own use (an expected alignment)
};

/// One call of an attention: queries [B, T, Dq] over the S positions of a source.
struct Call {
    Tensor query;                                     ///< [B, T, Dq]
    Tensor keys;                                      ///< what Score::prepare made of the memory: [B, S, ...]
    Array<int32_t> lengths;                           ///< B lengths of the source
    int64_t source = 0;                               ///< S
    int64_t position = 0;                             ///< position of the first query in its own sequence
    Previous previous;                                ///< of the step before
    Tensor values = {};                               ///< [B, S, Dv] what is read
    int64_t number = 0;                               ///< Site::number
    Tensor places = {};                               ///< [B, S, P] what PositionBias::prepare made of the memory; or undefined
    Context context = {};                             ///< training or evaluation, and draws
    int64_t samples = 1;                              ///< K that the queries of a row are, sample by sample (Pass::samples)
    std::shared_ptr<const Numbering> numbering = {};  ///< of self-attention's positions (Pass::numbering); null: 0, 1, 2 ...

    int64_t batch() const { return query.dim(0); }
    int64_t queries() const { return query.dim(1); }
    /// Position of a row's query number `q` in its own sequence.
    int64_t position_of(int64_t q) const { return position + q % (queries() / samples); }
    /// How far source position s is after query number `q` of row b, in self-attention.
    int64_t distance(int64_t b, int64_t q, int64_t s) const {
        return numbering ? numbering->at(b, s) - numbering->at(b, position_of(q)) : s - position_of(q);
    }
};

}  // namespace attend::ATTEND_PRECISION
