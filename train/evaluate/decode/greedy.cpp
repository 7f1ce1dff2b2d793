#include "train/evaluate/decode/greedy.h"

#include <algorithm>
#include <map>

#include "core/engine.h"
#include "train/evaluate/decode/choice.h"

namespace attend::ATTEND_PRECISION {

namespace {

// Adds where the step looked as one more row.
void append_attention(Decoded& to, const Array<real>& weights) {
    if (weights.empty())
        return;
    to.attention.weights.insert(to.attention.weights.end(), weights.begin(), weights.end());
    to.attention.columns = static_cast<int64_t>(weights.size());
    ++to.attention.rows;
}

}  // namespace

std::vector<Decoded> decode_greedy(const Model& model, const Ids& source, std::span<const int64_t> limits, Collect collect) {
    require(static_cast<int64_t>(limits.size()) == source.rows, "decode_greedy: one limit a row: limits {}, rows {}",
            limits.size(), source.rows);
    for (int64_t limit : limits) require(limit >= 0, "decode_greedy: a limit must not be negative: limit {}, least 0", limit);
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

AttentionRows attention_of(const Sightings& seen, const Sites& sites, int64_t row, int64_t target_rows, int64_t source_columns,
                           int64_t rows, int64_t columns) {
    // A site that sees all queries in one call has one map of all rows; step by step, one map a row.
    // Both are walked as rows of a site.
    std::map<int64_t, std::vector<const real*>> rows_of;
    for (const Seen& call : seen) {
        const Shape& shape = call.read.shape();
        if (site_of(sites, call).columns() != Columns::source || shape.columns() != source_columns || row >= shape[0])
            continue;
        for (int64_t t = 0; t < shape[1]; ++t)
            rows_of[call.site].push_back(call.read.data() + (row * shape[1] + t) * source_columns);
    }
    std::erase_if(rows_of, [&](const auto& site) { return static_cast<int64_t>(site.second.size()) != target_rows; });
    AttentionRows result;
    if (rows_of.empty())
        return result;
    result.rows = rows;
    result.columns = columns;
    result.weights.assign(static_cast<std::size_t>(rows * columns), 0);
    const real share = real{1} / static_cast<real>(rows_of.size());
    for (const auto& [number, of_site] : rows_of)
        for (int64_t t = 0; t < rows; ++t)
            for (int64_t s = 0; s < columns; ++s)
                result.weights[static_cast<std::size_t>(t * columns + s)] += share * of_site[static_cast<std::size_t>(t)][s];
    return result;
}

}  // namespace attend::ATTEND_PRECISION
