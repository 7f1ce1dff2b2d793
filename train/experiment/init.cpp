#include "train/experiment/init.h"

#include <fnmatch.h>

#include <algorithm>
#include <vector>

#include "train/config/words.h"

namespace attend::ATTEND_PRECISION {

namespace {

// The patterns of "a, b*".
std::vector<std::string> patterns_of(const std::string& text) {
    std::vector<std::string> patterns = parts_of(text, ',');
    for (std::string& p : patterns) {
        p.erase(0, p.find_first_not_of(' '));
        p.erase(p.find_last_not_of(' ') + 1);
    }
    std::erase(patterns, "");
    return patterns;
}

bool matches(const std::string& pattern, const std::string& name) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; }

}  // namespace

void InitOptions::fields(Visitor& v) {
    v.path("from", from,
           "initial weights: the folder of a run (its best checkpoint) or of a checkpoint, a safetensors file, or a folder in "
           "Hugging Face's layout; empty: random weights");
    v.text("take", take, "which weights are loaded: name patterns such as 'encoder.*', separated by commas");
    v.text("freeze", freeze, "parameters that are not trained: name patterns; empty: none");
    v.choice("vocabulary", vocabulary, {"taken", "own"},
             "taken: the vocabulary that belongs to the weights in `from`; symbols that it does not have are unknown. own: a "
             "vocabulary "
             "built from the data");
}

bool matches_any(const std::string& patterns, const std::string& name) {
    return std::ranges::any_of(patterns_of(patterns), [&](const std::string& p) { return matches(p, name); });
}

bool has_patterns(const std::string& patterns) { return !patterns_of(patterns).empty(); }

void require_matches(const char* key, const std::string& text, const ParameterStore& store) {
    for (const std::string& pattern : patterns_of(text)) {
        require(std::ranges::any_of(store.table(), [&](const Parameter& p) { return matches(pattern, p.name); }),
                "init.{}: matches no parameter: pattern '{}', parameters {}; an example of a name is '{}', and 'attend plan' "
                "shows all names",
                key, pattern, store.table().size(), store.table().front().name);
    }
}

int64_t frozen_count(const ParameterStore& store) {
    int64_t count = 0;
    for (const Parameter& p : store.table()) count += p.trainable ? 0 : p.shape.size();
    return count;
}

void freeze_parameters(const InitOptions& o, ParameterStore& store) {
    if (!has_patterns(o.freeze))
        return;
    require_matches("freeze", o.freeze, store);
    for (const Parameter& p : store.table())
        if (matches_any(o.freeze, p.name))
            store.freeze(p.name);
    require(std::ranges::any_of(store.table(), &Parameter::trainable),
            "init.freeze: nothing is left to train: all {} parameters are frozen", store.table().size());
}

}  // namespace attend::ATTEND_PRECISION
