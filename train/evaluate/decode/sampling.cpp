#include "train/evaluate/decode/sampling.h"

#include <algorithm>
#include <cmath>

#include "data/batching.h"

namespace attend::ATTEND_PRECISION {

namespace {

void penalise(std::vector<Candidate>& all, std::span<const int32_t> text, double penalty) {
    std::vector<char> seen(all.size(), 0);
    for (const int32_t id : text) {
        Candidate& c = all[static_cast<std::size_t>(id)];
        if (seen[static_cast<std::size_t>(id)]++ == 0)
            c.probability = c.probability > 0 ? c.probability / penalty : c.probability * penalty;
    }
}

}  // namespace

// p_i = e^(s_i / temperature) / sum of those that are left; s the penalised scores, held in
// `probability` until then
std::vector<Candidate> candidates(std::span<const real> logits, std::span<const int32_t> text, const SamplingOptions& o) {
    require(o.temperature >= 0 && o.repetition_penalty > 0 && o.top_p > 0 && o.top_k >= 0,
            "sampling: a number is out of range: temperature {}, least 0; repetition penalty {}, above 0; top_p {}, above 0; "
            "top_k {}, least 0",
            o.temperature, o.repetition_penalty, o.top_p, o.top_k);
    std::vector<Candidate> all(logits.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        require(std::isfinite(logits[i]), "sampling: the model's score of a symbol is not finite: id {}, score {}", i,
                logits[i]);
        all[i] = {static_cast<int32_t>(i), static_cast<double>(logits[i])};
    }
    if (o.repetition_penalty != 1)
        penalise(all, text, o.repetition_penalty);
    const auto likelier = [](const Candidate& a, const Candidate& b) {
        return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
    };
    const int64_t wanted = o.temperature == 0 ? 1 : o.top_k == 0 ? static_cast<int64_t>(all.size()) : o.top_k;
    const auto kept = static_cast<std::size_t>(std::min<int64_t>(wanted, static_cast<int64_t>(all.size())));
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), likelier);
    all.resize(kept);
    const double best = all.front().probability, temperature = o.temperature == 0 ? 1 : o.temperature;
    double sum = 0;
    for (Candidate& c : all) sum += c.probability = std::exp((c.probability - best) / temperature);
    double covered = 0;
    std::size_t nucleus = 0;
    while (nucleus < all.size() && (nucleus == 0 || covered < o.top_p * sum)) covered += all[nucleus++].probability;
    all.resize(nucleus);
    for (Candidate& c : all) c.probability /= covered;
    return all;
}

int32_t chosen_from(const std::vector<Candidate>& candidates, double draw) {
    for (const Candidate& c : candidates)
        if ((draw -= c.probability) < 0)
            return c.id;
    return candidates.back().id;  // rounding: the parts came to a little less than 1
}

void generate(const Model& model, std::span<const int32_t> prompt, int64_t samples, const GenerationOptions& o,
              const std::function<bool(int64_t, int32_t)>& take) {
    require(!prompt.empty() && samples > 0, "generation: needs something to continue: symbols {}, samples {}", prompt.size(),
            samples);
    const Context context;
    std::vector<std::vector<int32_t>> texts(static_cast<std::size_t>(samples), {prompt.begin(), prompt.end() - 1});
    const Ids written = pad_sequences(texts);
    std::unique_ptr<DecoderState> state = model.start(written, context);
    for (std::vector<int32_t>& text : texts) text.push_back(prompt.back());
    std::vector<int64_t> running;
    std::vector<Stream> draws;
    for (int64_t s = 0; s < samples; ++s) {
        running.push_back(s);
        draws.emplace_back(o.seed, "generate." + std::to_string(s));
    }
    std::vector<int32_t> last(static_cast<std::size_t>(samples), prompt.back());
    for (int64_t step = 0; step < o.symbols && !running.empty(); ++step) {
        const Tensor logits = model.advance(*state, last, context).logits;
        std::vector<int32_t> rows;
        std::vector<int64_t> going;
        last.clear();
        for (std::size_t r = 0; r < running.size(); ++r) {
            const auto s = static_cast<std::size_t>(running[r]);
            const auto width = static_cast<std::size_t>(logits.dim(1));
            const int32_t id = chosen_from(candidates({logits.data() + r * width, width}, texts[s], o.sampling),
                                           static_cast<double>(draws[s].uniform()));
            texts[s].push_back(id);
            if (!take(running[r], id))
                continue;
            rows.push_back(static_cast<int32_t>(r));
            going.push_back(running[r]);
            last.push_back(id);
        }
        if (going.size() < running.size() && !going.empty())
            state = state->select(rows);
        running = std::move(going);
    }
}

}  // namespace attend::ATTEND_PRECISION
