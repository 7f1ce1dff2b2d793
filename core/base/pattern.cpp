#include "core/base/pattern.h"

#include <algorithm>

namespace attend {

namespace {

bool same(const Selection& a, const Selection& b) { return &a.seam() == &b.seam() && text_of(a) == text_of(b); }
bool same(const Pattern::Layer& a, const Pattern::Layer& b) {
    return std::ranges::equal(a, b, [](const Selection& x, const Selection& y) { return same(x, y); });
}

// The shortest list that `list` is a repetition of.
template <class T>
std::vector<T> shortest(std::vector<T> list) {
    for (std::size_t n = 1; n < list.size(); ++n) {
        if (list.size() % n != 0)
            continue;
        std::size_t i = n;
        while (i < list.size() && same(list[i], list[i - n])) ++i;
        if (i == list.size()) {
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(n), list.end());
            return list;
        }
    }
    return list;
}

std::string text_of_heads(const Pattern::Layer& heads) {
    std::string text;
    for (const Selection& h : heads) text += (text.empty() ? "" : ", ") + text_of(h);
    return heads.size() == 1 ? text : "[" + text + "]";
}

}  // namespace

Pattern::Pattern(Selection all) : layers_(1) { layers_[0].push_back(std::move(all)); }
Pattern::Pattern(const Seam& seam, const std::string& name) : Pattern(Selection(seam, name)) {}
Pattern::Pattern(std::vector<Layer> layers) : layers_(std::move(layers)) {
    ensure(!layers_.empty(), "pattern: a list of no layers");
    for (Layer& heads : layers_) {
        ensure(!heads.empty(), "pattern: a list of no heads");
        for (const Selection& h : heads)
            ensure(&h.seam() == &layers_[0][0].seam(), "pattern: selections of two seams: '{}' and '{}'",
                   layers_[0][0].seam().kind(), h.seam().kind());
        heads = shortest(std::move(heads));
    }
    layers_ = shortest(std::move(layers_));
}

const Selection& Pattern::at(int64_t layer, int64_t head) const {
    ensure(layer >= 0 && head >= 0, "pattern: no such place: layer {}, head {}", layer, head);
    const Layer& heads = layers_[static_cast<std::size_t>(layer) % layers_.size()];
    return heads[static_cast<std::size_t>(head) % heads.size()];
}

bool Pattern::heads_differ() const {
    return std::ranges::any_of(layers_, [](const Layer& heads) { return heads.size() > 1; });
}

void Pattern::require_used(int64_t layers, int64_t heads, const std::string& where) const {
    const auto listed = [](const auto& list) { return static_cast<int64_t>(list.size()); };
    require(listed(layers_) <= layers, "{}: a list of more layers than there are: elements {}, layers {}", where,
            listed(layers_), layers);
    for (std::size_t i = 0; i < layers_.size(); ++i)
        require(listed(layers_[i]) <= heads, "{}: a list of more heads than there are: layer {}, elements {}, heads {}", where,
                i, listed(layers_[i]), heads);
}

bool Pattern::operator==(const Pattern& other) const {
    return std::ranges::equal(layers_, other.layers_, [](const Layer& a, const Layer& b) { return same(a, b); });
}

std::string text_of(const Pattern& pattern) {
    if (pattern.uniform())
        return text_of(pattern.first());
    std::string text;
    for (const Pattern::Layer& heads : pattern.layers()) text += (text.empty() ? "" : ", ") + text_of_heads(heads);
    return "[" + text + "]";
}

}  // namespace attend
