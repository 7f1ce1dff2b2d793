#pragma once
/// What a caller tells a model: training or evaluation, the random draws, what to collect, hard
/// choices. An argument, never a global.
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/parameters.h"
#include "core/real.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION {

enum class Mode { train, evaluate };

/// What a map's columns are: positions of a source, or of the sequence that the rows are of
/// (self-attention).
enum class Columns { source, own };

/// One attention map: weights [B, T, S] of one site.
struct AttentionMap {
    std::string site;  ///< module path, for multi-head with the head's number
    int64_t step = 0;  ///< time index when the site ran one step at a time (then T = 1)
    Tensor weights;
    Columns columns = Columns::source;
};

/// Collects attention maps, in evaluation only, so collecting never changes what training computes.
struct Taps {
    std::vector<AttentionMap> maps;
};

/// What hard selections do in one pass of a model.
enum class Choose {
    own,               ///< what their own options say
    drawn,             ///< one position, drawn
    likeliest,         ///< one position, the likeliest
    softly,            ///< read with the weights, as soft attention does
    straight_through,  ///< drawn; the gradient goes to the weights as if they had been read with (Bengio 2013)
    relaxed,           ///< softmax((ln weights + Gumbel noise) / temperature) (Jang 2017; Maddison 2017)
    relaxed_hard,      ///< the largest of those; the gradient goes to them as if they had been read with (Jang 2017, 2.2)
    /// softmax(z / temperature) of z = ln weights + Gumbel noise drawn so that its largest is the
    /// forced choice: differentiated as a free z, or as z given the choice (Tucker 2017, appendix
    /// C; core of REBAR). Both have the same values.
    relaxed_free,
    relaxed_given,
};

/// The hard choices of a site in one call: for every row of the batch, K samples of T queries,
/// sample by sample.
struct Decision {
    std::string site;
    int64_t step = 0;      ///< place of the first query
    Array<int32_t> index;  ///< [B * K * T] chosen position, -1 where a query may see none
    Tensor weights;        ///< [B, K T, S] the site's own, recorded
    Tensor query;          ///< [B, K T, Dq], recorded
    Tensor values;         ///< [B, S, Dv] what is read, recorded
    Tensor proposal = {};  ///< [B, K T, S] what they were drawn from instead of the weights, recorded; undefined: the weights
};

/// A distribution to draw choices from in place of the weights: an inference network (Deng et al.
/// 2018).
class Proposal {
  public:
    virtual ~Proposal() = default;
    /// Of the site's weights [B, K T, S], queries [B, K T, Dq] of K `samples`, and values [B, S,
    /// Dv], the first query at `position`: [B, K T, S].
    virtual Tensor operator()(const Tensor& weights, const Tensor& query, const Tensor& values, int64_t position,
                              int64_t samples) const = 0;
};

/// How hard selections choose in one pass, and what they chose.
struct Decisions {
    Choose how = Choose::own;
    int64_t samples = 1;  ///< K
    std::vector<Decision> taken;
    std::vector<Array<int32_t>> forced;  ///< not empty: the choices to make, in the order in which they are collected
    double temperature = 1;              ///< of relaxed choices
    const Proposal* proposal = nullptr;  ///< what choices are drawn from; null: the weights
};

struct Context {
    Mode mode = Mode::evaluate;
    uint64_t seed = 0;
    uint32_t step = 0;      ///< training step, from 0
    uint32_t sample = 0;    ///< sample number of an estimator
    int64_t first_row = 0;  ///< this shard's first row in the whole batch
    Taps* taps = nullptr;
    Decisions* decisions = nullptr;
    StateUpdates* updates = nullptr;

    bool training() const { return mode == Mode::train; }
    /// Draws of the module whose path hashes to `path`; `call` is the time or call index.
    Draws draws(uint64_t path, uint32_t call) const { return Draws{stream_key(seed, path), step, call, sample, first_row}; }
};

}  // namespace attend::ATTEND_PRECISION
