#pragma once
/// Examples for the tests of metrics.
#include <nlohmann/json.hpp>
#include <sstream>

#include "train/evaluate/metrics/metric.h"

namespace attend {

/// The references of a golden case: one text, or a list of them.
inline std::vector<Answer> golden_references(const nlohmann::json& value) {
    std::vector<Answer> all;
    for (const auto& text : value.is_string() ? nlohmann::json::array({value}) : value)
        all.push_back({text.get<std::string>(), {}});
    return all;
}

/// A text of words as an answer whose symbols are the words.
inline Answer words(const std::string& text) {
    Answer answer{text, {}};
    std::istringstream in(text);
    for (std::string word; in >> word;) answer.symbols.push_back(word);
    return answer;
}

/// An example of words.
inline EvaluatedExample decoded_words(const std::string& decoded, const std::vector<std::string>& references) {
    EvaluatedExample e;
    e.decoded = words(decoded);
    for (const std::string& r : references) e.references.push_back(words(r));
    return e;
}

}  // namespace attend
