#pragma once
/// Ways of choosing: how a site with hard attention chooses positions in one pass. Each stands in a
/// file of its own (choose_NAME.cpp) and has one line here. They have no state, so that all shards
/// of a batch share one.
#include <memory>

#include "nn/attention/call.h"
#include "nn/attention/pass.h"
#include "nn/attention/seen.h"

namespace attend::ATTEND_PRECISION {

/// What a way of choosing sees: one call of a site.
struct ChoiceInput {
    const Tensor& weights;  ///< [B, K T, S], each row a distribution, or 0 where a query sees nothing
    const Call& call;       ///< its number, queries, values, and the place of the first query
    uint64_t stream;        ///< hashed name of its draws
    const Pass& pass;       ///< draws, and the samples K
};

struct Chosen {
    Tensor read;                ///< [B, K T, S] what the values are read with
    Array<int32_t> index = {};  ///< [B * K * T] the chosen positions, -1: none; empty: nothing was chosen
    Tensor proposal = {};       ///< [B, K T, S] what they were drawn from; undefined: the weights
};

class Choosing {
  public:
    virtual ~Choosing() = default;
    virtual Chosen operator()(const ChoiceInput& input) const = 0;
    /// What choices are drawn from instead of the weights; undefined: the weights.
    virtual Tensor proposal(const ChoiceInput&) const { return {}; }
};

/// A distribution to draw choices from in place of the weights: an inference network (Deng et al.
/// 2018).
class Proposal {
  public:
    virtual ~Proposal() = default;
    /// [B, K T, S] for the call of a site.
    virtual Tensor operator()(const ChoiceInput& input) const = 0;
};

/// How the noise of a `given` choice is differentiated; its values are the same.
enum class GivenSlope {
    free,   ///< as noise of which nothing is known
    given,  ///< as noise whose largest is the choice
};

using WayOfChoosing = std::unique_ptr<const Choosing>;

/// No choice: reads with the weights, as soft attention does.
WayOfChoosing choose_softly();
/// One position, drawn from the weights (Xu et al. 2015, 4.1).
WayOfChoosing choose_drawn();
/// One position, drawn from `proposal`, which must outlive it.
WayOfChoosing choose_proposed(const Proposal& proposal);
/// One position, the likeliest; of equals the first.
WayOfChoosing choose_likeliest();
/// Drawn; the gradient goes to the weights as if they had been read with (Bengio, Leonard and
/// Courville 2013, 4).
WayOfChoosing choose_straight_through();
/// Reads with softmax((ln weights + Gumbel noise) / temperature) (Jang, Gu and Poole 2017, eq. 2;
/// Maddison, Mnih and Teh 2017).
WayOfChoosing choose_relaxed(double temperature);
/// Reads the largest of those; the gradient goes to them as if they had been read with (Jang 2017,
/// 2.2).
WayOfChoosing choose_relaxed_hard(double temperature);
/// Samples 2 m and 2 m + 1 together, with opposite noise: each is a draw of the weights, and the
/// two agree only where one position has more than half of the weight (Dong, Mnih and Tucker 2021, their stick-breaking). For
/// queries whose samples have the same weights. Throws Error where the number of samples is odd.
WayOfChoosing choose_coupled();
/// The largest of ln weights + Gumbel noise, which is a draw of the weights, with the gradient of
/// implicit maximum likelihood: where dz comes back, that of ln weights is (z - z') / step, z' the
/// largest of ln weights + noise - step dz (Niepert, Minervini and Franceschi 2021, algorithm 1).
WayOfChoosing choose_perturbed(double step);
/// Reads with softmax(z / temperature) of z = ln weights + Gumbel noise drawn so that its largest
/// is the given choice (Tucker et al. 2017, appendix C; core of REBAR). Throws as choose_forced.
WayOfChoosing choose_given(Choices choices, double temperature, GivenSlope slope);
/// The choices of the caller, which can include positions that a query may not see; where there are
/// none for a call, as `otherwise` says, whose proposal is kept too. Throws Error, with the numbers,
/// when a call has another number of queries or a position is out of range.
WayOfChoosing choose_forced(Choices choices, WayOfChoosing otherwise = choose_drawn());

/// 1 at the chosen position, else 0: what is read of `weights` [B, K T, S].
Tensor one_hot(const Tensor& weights, const Array<int32_t>& index);
/// The value of `read` with the gradient of `weights`.
Tensor straight_through(const Tensor& read, const Tensor& weights);
/// Draws one position a query of the rows `from` [B, K T, S]; -1 where a row is 0.
Array<int32_t> draw_positions(const Tensor& from, const ChoiceInput& input);
/// The first of the largest of each row; -1 where a row is 0.
Array<int32_t> likeliest_positions(const Tensor& weights);
/// Gumbel noise -ln(-ln u) in the shape of the weights; u of (time, sample, row, position) alone.
Tensor gumbel_noise(const ChoiceInput& input);
/// Whether choose_coupled() asks position i before position j of a row: the likeliest first, of
/// equals the first.
inline bool asked_before(const real* weights, int64_t i, int64_t j) {
    return weights[i] > weights[j] || (weights[i] == weights[j] && i < j);
}
/// softmax((ln w + g) / temperature) with Gumbel noise g; what has no weight stays without.
Tensor relaxed_weights(const ChoiceInput& input, double temperature);
/// The choices for this call, checked; empty where there are none.
Array<int32_t> choices_for(const Choices& choices, const ChoiceInput& input);

}  // namespace attend::ATTEND_PRECISION
