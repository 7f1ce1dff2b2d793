#pragma once
/// Greedy decoding: at every step the most likely symbol.
#include <span>
#include <vector>

#include <algorithm>
#include "core/engine.h"
#include "nn/models/model.h"
#include "train/evaluate/decode/choice.h"
#include "train/evaluate/decode/decoded.h"

namespace attend::ATTEND_PRECISION::oracles {

// Adds where the step looked as one more row.
inline void append_attention(Decoded& to, const Array<real>& weights) {
    if (weights.empty())
        return;
    to.attention.weights.insert(to.attention.weights.end(), weights.begin(), weights.end());
    to.attention.columns = static_cast<int64_t>(weights.size());
    ++to.attention.rows;
}

/// Decodes every row of `source`, row i to at most limits[i] symbols, of which there is one a row.
/// Rows that have ended are dropped when decode_beam() drops them, so that both compute the same
/// products. The score is the log-likelihood.
inline std::vector<Decoded> decode_greedy(const Model& model, const Ids& source, std::span<const int64_t> limits,
                                          Collect collect) {
    const NoGrad no_grad;
    std::vector<Decoded> results(static_cast<std::size_t>(source.rows));
    std::vector<int32_t> live;  // row of the batch that each row of the state decodes; -1: it has ended
    for (int32_t r = 0; r < source.rows; ++r) live.push_back(limits[static_cast<std::size_t>(r)] > 0 ? r : -1);
    auto remaining = std::count_if(live.begin(), live.end(), [](int32_t r) { return r >= 0; });
    if (remaining == 0)
        return results;

    Chooser chooser;
    Pass pass;
    pass.keep = collect == Collect::attention ? Keep::maps : Keep::nothing;
    std::unique_ptr<DecoderState> state = model.start(source, pass);  // keeps nothing: the encoder's own maps are not wanted
    std::vector<int32_t> said(live.size(), id_bos);
    while (remaining > 0) {
        if (2 * remaining <= static_cast<std::ptrdiff_t>(live.size()) && live.size() > 1) {
            std::vector<int32_t> keep;
            for (std::size_t i = 0; i < live.size(); ++i)
                if (live[i] >= 0)
                    keep.push_back(static_cast<int32_t>(i));
            state = state->select(keep);
            for (std::size_t k = 0; k < keep.size(); ++k) {
                live[k] = live[static_cast<std::size_t>(keep[k])];
                said[k] = said[static_cast<std::size_t>(keep[k])];
            }
            live.resize(keep.size());
            said.resize(keep.size());
        }
        const Advanced step = model.advance(*state, said, pass);
        const Tensor& logits = step.logits;
        const int64_t classes = logits.shape().columns();
        for (std::size_t i = 0; i < live.size(); ++i) {
            if (live[i] < 0)
                continue;
            const auto r = static_cast<std::size_t>(live[i]);
            Decoded& d = results[r];
            const Choice choice = chooser.best(logits.data() + static_cast<int64_t>(i) * classes, classes, 1).front();
            said[i] = choice.id;
            d.log_probabilities.push_back(choice.log_probability);
            d.log_likelihood += choice.log_probability;
            d.score = d.log_likelihood;
            d.ended = choice.id == id_eos;
            if (!d.ended)
                d.ids.push_back(choice.id);
            if (collect == Collect::attention)
                append_attention(d, step_attention(step.seen, model.sites(), static_cast<int64_t>(i),
                                                   static_cast<int64_t>(live.size()), source.length(live[i])));
            if (d.ended || static_cast<int64_t>(d.ids.size()) >= limits[r]) {
                live[i] = -1;
                --remaining;
            }
        }
    }
    return results;
}

}  // namespace attend::ATTEND_PRECISION::oracles
