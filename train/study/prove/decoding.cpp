// Decoding: step by step as in one pass, and a beam of one as greedy.
#include <algorithm>
#include <limits>

#include "core/engine.h"
#include "core/ops.h"
#include "train/evaluate/decode/beam.h"
#include "train/study/prove/properties.h"

namespace attend::prove {

namespace {

// What a module read for one row and query.
const real* context_at(const Passed& passed, const std::string& path, int64_t row, int64_t position, int64_t& width) {
    for (const Reading& r : passed.readings) {
        const int64_t t = position - r.position;
        if (r.path != path || t < 0 || t >= r.context.dim(1))
            continue;
        width = r.context.dim(2);
        return r.context.data() + (row * r.context.dim(1) + t) * width;
    }
    return nullptr;
}

bool drawn(const Subject& s) {
    return s.model().hard() != nullptr && s.model().hard()->evaluate == HardChoice::Evaluate::drawn;
}
constexpr const char* draws = "model.attention.select.evaluate is 'drawn': each pass draws choices of its own";

}  // namespace

Finding cached(const Subject& s) {
    const Model& model = s.model();
    if (!model.decodes())
        return not_applicable("the model writes no sequences");
    if (drawn(s))
        return not_applicable(draws);
    const NoGrad off;
    Figures figures(rounding(5e-5));
    const Ids &input = s.batch.input, &target = s.batch.target;
    const Passed whole = run(s, s.batch, evaluating(s));
    const double size = std::max(1.0, largest(whole.losses));
    // A model without a source begins with nothing written.
    const Ids source = s.batch.source.rows > 0 ? s.batch.source : Ids(input.rows, 0);
    const std::unique_ptr<DecoderState> state = model.start(source, evaluating(s));
    int64_t steps = 0;
    for (int64_t t = 0; t < input.columns; ++t) {
        Recorder recorder;
        Pass pass = evaluating(s);
        pass.witness = &recorder;
        Array<int32_t> ids;
        for (int64_t r = 0; r < input.rows; ++r) ids.push_back(t < input.length(r) ? input.at(r, t) : int32_t{id_pad});
        const Tensor log_p = log_softmax(model.advance(*state, ids, pass).logits);
        for (int64_t r = 0; r < input.rows; ++r) {
            if (t >= input.length(r) || target.at(r, t) == id_ignored)
                continue;
            ++steps;
            const double step = -static_cast<double>(log_p.data()[r * log_p.dim(1) + target.at(r, t)]);
            const double d = std::abs(step - static_cast<double>(whole.losses.data()[r * input.columns + t])) / size;
            figures.note(d, [&]() -> Blame {
                for (const Reading& reading : recorder.readings) {
                    int64_t width = 0;
                    const real* before = context_at(whole, reading.path, r, t, width);
                    const real* now = reading.context.data() + r * reading.context.dim(1) * reading.context.dim(2);
                    double apart = 0, most = 1e-30;
                    for (int64_t c = 0; before != nullptr && c < width; ++c) {
                        apart = worse(apart, std::abs(static_cast<double>(before[c] - now[c])));
                        most = worse(most, std::abs(static_cast<double>(before[c])));
                    }
                    if (worse(0, apart / most) > rounding(1e-5))
                        return {reading.path,
                                fmt::format("step {} reads another context than the whole pass: {:.2g} of its size "
                                            "off; the loss is {:.2g} off",
                                            t, apart / most, d)};
                }
                return {"decoder", fmt::format("step {}: the loss is {:.2g} off that of the whole pass", t, d)};
            });
        }
    }
    return figures.finding(fmt::format("{} steps of {} rows with a cache, beside one pass over the whole", steps, input.rows));
}

namespace {

struct Greedy {
    std::vector<int32_t> ids;
    double log_likelihood = 0, closest = std::numeric_limits<double>::infinity();
    bool ended = false;
};

// At every step the likeliest symbol, pad and bos excepted; `closest` is how far the second was
// away where it was nearest.
std::vector<Greedy> greedy(const Subject& s, const std::vector<int64_t>& limits) {
    const NoGrad off;
    const Ids& source = s.batch.source;
    std::vector<Greedy> all(static_cast<std::size_t>(source.rows));
    const std::unique_ptr<DecoderState> state = s.model().start(source, Context{});
    Array<int32_t> ids(static_cast<std::size_t>(source.rows), id_bos);
    for (int64_t t = 0; t < *std::ranges::max_element(limits); ++t) {
        const Tensor log_p = log_softmax(s.model().advance(*state, ids, Context{}).logits);
        for (std::size_t r = 0; r < all.size(); ++r) {
            if (all[r].ended || static_cast<int64_t>(all[r].ids.size()) >= limits[r])
                continue;
            const real* z = log_p.data() + static_cast<int64_t>(r) * log_p.dim(1);
            int32_t best = id_eos;
            double second = -std::numeric_limits<double>::infinity();
            for (int32_t k = 0; k < log_p.dim(1); ++k)
                if (k != id_pad && k != id_bos && (z[k] > z[best] || (z[k] == z[best] && k < best)))
                    best = k;
            for (int32_t k = 0; k < log_p.dim(1); ++k)
                if (k != id_pad && k != id_bos && k != best)
                    second = std::max(second, static_cast<double>(z[k]));
            all[r].log_likelihood += static_cast<double>(z[best]);
            all[r].closest = std::min(all[r].closest, static_cast<double>(z[best]) - second);
            all[r].ended = best == id_eos;
            if (!all[r].ended)
                all[r].ids.push_back(best);
            ids[r] = best;
        }
    }
    return all;
}

}  // namespace

Finding beam(const Subject& s) {
    if (!s.model().decodes() || s.batch.source.rows == 0)
        return not_applicable("the model searches no outputs: there is no source");
    if (drawn(s))
        return not_applicable(draws);
    constexpr int64_t most = 24;
    std::vector<int64_t> limits;
    for (int64_t r = 0; r < s.batch.source.rows; ++r)
        limits.push_back(s.model().longest() > 0 ? std::min(most, s.model().longest()) : most);
    const std::vector<Greedy> expected = greedy(s, limits);
    const auto found = decode_beam(s.model(), s.batch.source, limits, {.beam = 1}, Collect::nothing);
    Figures figures(0);
    int64_t choices = 0, close = 0;  // of a symbol, or of the end
    for (std::size_t r = 0; r < expected.size(); ++r) {
        const Decoded& one = found[r].front();
        choices += static_cast<int64_t>(expected[r].ids.size()) + (expected[r].ended ? 1 : 0);
        const bool same = one.ids == expected[r].ids && one.ended == expected[r].ended;
        if (!same && expected[r].closest < rounding(1e-5)) {  // rounding chose
            ++close;
            continue;
        }
        figures.note(same ? 0 : 1, [&]() -> Blame {
            return {"beam search",
                    fmt::format("row {}: a beam of one gives {} symbols of log-likelihood {:.6g}, greedy {} of {:.6g}", r,
                                one.ids.size(), one.log_likelihood, expected[r].ids.size(), expected[r].log_likelihood)};
        });
    }
    return figures.finding(
        fmt::format("{} rows, {} choices by a beam of one and greedily: rows that differ{}", expected.size(), choices,
                    close == 0 ? "" : fmt::format(" ({} left out: two symbols were equally likely)", close)));
}

}  // namespace attend::prove
