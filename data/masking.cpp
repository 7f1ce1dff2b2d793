#include "data/masking.h"

#include <algorithm>
#include <cmath>

#include "core/base/memory.h"

namespace attend {

void mask_tokens(std::span<int32_t> input, std::span<int32_t> target, std::span<const Range> texts, const Tokenizer& tokenizer,
                 const Masking& masking, RowDraws& draws) {
    const auto place = [](int64_t at) { return static_cast<std::size_t>(at); };
    Array<Range> words;
    int64_t positions = 0;
    for (const Range& text : texts)
        for (int32_t at = text.begin; at < text.end; ++at) {
            ++positions;
            if (masking.whole_word && at > text.begin && tokenizer.continues_word(input[place(at - 1)], input[place(at)]))
                ++words.back().end;
            else
                words.push_back({at, at + 1});
        }
    if (words.empty())
        return;
    for (std::size_t i = words.size(); i > 1; --i) std::swap(words[i - 1], words[place(draws.below(static_cast<int64_t>(i)))]);
    const int64_t wanted = std::max<int64_t>(1, std::lround(masking.share * static_cast<double>(positions)));
    int64_t chosen = 0;
    const auto choose = [&](const Range& word) {
        for (int32_t at = word.begin; at < word.end; ++at, ++chosen) {
            int32_t& id = input[place(at)];
            target[place(at)] = id;
            const int64_t tenth = draws.below(10);
            if (tenth < 8)
                id = masking.mask;
            else if (tenth == 8)
                id = static_cast<int32_t>(draws.below(tokenizer.size()));
        }
    };
    for (const Range& word : words)
        if (chosen + (word.end - word.begin) <= wanted)
            choose(word);
    if (chosen == 0)
        choose(words.front());
}

}  // namespace attend
