#pragma once
/// A seam with a row that need not be named, and options that hold a row of it.
#include "core/base/pattern.h"
#include "tests/train/config_samples.h"

namespace attend::ATTEND_PRECISION::samples {

struct ByScores {
    Selection select{selects(), "soft"};
    int64_t width = 8;
    void fields(Visitor& v) {
        v.selection("select", select, "soft or hard");
        v.integer("width", width, {1, 64}, "of the scores");
    }
};
struct ByRecurrence {
    double decay = 1;
    int64_t features = 4;
    void fields(Visitor& v) {
        v.number("decay", decay, {0, 1}, "of the state");
        v.integer("features", features, {1, 64}, "of a key");
    }
};
using MixerTable = Table<int()>;
inline const MixerTable& mixers() {
    static const MixerTable table(
        "mixer",
        {MixerTable::make<ByScores>("weighted", "by scores", [](const ByScores&) { return 1; }),
         MixerTable::make<ByRecurrence>("linear", "a recurrence", [](const ByRecurrence&) { return 2; }),
         MixerTable::make<NoOptions>("none", "nothing", [](const NoOptions&) { return 3; })},
        "type", Listed::no, "weighted");
    return table;
}

struct MixerBlock {
    Selection mixer{mixers(), "weighted"};
    int64_t layers = 2;
    void fields(Visitor& v) {
        v.selection("mixer", mixer, "of positions");
        v.integer("layers", layers, {1, 100}, "of the stack");
    }
};

/// Its layers and heads can differ.
struct MixerStack {
    Pattern mixer{mixers(), "weighted"};
    int64_t layers = 2;
    MixerStack() {
        Selection usual(mixers(), "weighted");
        usual.as<ByScores>().width = 11;
        mixer = usual;
    }
    void fields(Visitor& v) {
        v.pattern("mixer", mixer, "of positions");
        v.integer("layers", layers, {1, 100}, "of the stack");
    }
};

/// As MixerBlock was before the mixer became a seam.
struct OlderBlock {
    ByScores mixer;
    int64_t layers = 2;
    void fields(Visitor& v) {
        v.object("mixer", mixer, "of positions");
        v.integer("layers", layers, {1, 100}, "of the stack");
    }
};

/// `text`, changed by `sets`, as options.
template <class T>
T read_as(const std::string& text, const std::vector<std::string>& sets = {}) {
    config::Value document = parse(text);
    for (const std::string& s : sets) document = config::set(std::move(document), s);
    return config::read<T>(document);
}

}  // namespace attend::ATTEND_PRECISION::samples
