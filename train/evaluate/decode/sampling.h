#pragma once
/// Text drawn from a language model, one symbol at a time.
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "nn/models/model.h"

namespace attend::ATTEND_PRECISION {

/// What becomes of the model's distribution before a symbol is drawn, in this order.
struct SamplingOptions {
    double repetition_penalty =
        1;  ///< scores of symbols in the text are divided by it where positive, else multiplied (Keskar 2019, 4.1)
    double temperature = 1;  ///< scores are divided by it; 0: always the likeliest symbol
    int64_t top_k = 0;       ///< only the k likeliest; 0: all (Fan, Lewis and Dauphin 2018, 5.4)
    double top_p = 1;        ///< only the fewest likeliest that have this probability together (Holtzman 2020, 3.1)
};

struct Candidate {
    int32_t id = 0;
    double probability = 0;
};

/// The symbols that can be drawn, likeliest first (of equals the lowest id), with probabilities
/// that sum to 1. `logits` is one row; `text` are the ids so far. Throws Error for a temperature or
/// penalty that makes no sense, and for logits that are not finite.
std::vector<Candidate> candidates(std::span<const real> logits, std::span<const int32_t> text, const SamplingOptions& options);

/// The candidate whose part of [0, 1) holds `draw`.
int32_t chosen_from(const std::vector<Candidate>& candidates, double draw);

struct GenerationOptions {
    SamplingOptions sampling;
    int64_t symbols = 200;  ///< most symbols to write
    uint64_t seed = 1;
};

/// Continues `prompt` (at least one symbol) in `samples` ways at once, each with draws of its own:
/// sample n of a seed does not depend on how many there are but for rounding. After each step
/// `take(sample, id)` is called for every sample still running; one for which it gives false ends.
void generate(const Model& model, std::span<const int32_t> prompt, int64_t samples, const GenerationOptions& options,
              const std::function<bool(int64_t sample, int32_t id)>& take);

}  // namespace attend::ATTEND_PRECISION
