// What every module of attention does with what it read in this model: its window, its masks, its
// maps and its scale.
#include <algorithm>
#include <optional>
#include <set>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/attention/attention.h"
#include "train/config/words.h"
#include "train/study/prove/properties.h"

namespace attend::prove {

namespace {

// The weights [B, T, S] that a pass shows for a head of a reading: the head is found by its path,
// and its number by the model's own list of sites.
const Seen* shown(const Subject& s, const Sightings& seen, const Reading& reading, std::size_t head) {
    const std::string& path = reading.heads[head]->site.path;
    for (const Site& site : s.model().sites())
        if (site.path == path)
            for (const Seen& one : seen)
                if (one.site == site.number && one.step == reading.position)
                    return &one;
    return nullptr;
}

bool sees(const Reading& r, const Attention& head, int64_t row, int64_t query, int64_t key) {
    return key < r.lengths[static_cast<std::size_t>(row)] && head.window->sees(r.position + query, key);
}

// Whether any of the heads that read a head's keys and values sees it.
bool sees(const Reading& r, int64_t row, int64_t query, int64_t key) {
    return std::ranges::any_of(r.heads, [&](const Attention* head) { return sees(r, *head, row, query, key); });
}

// Calls f(row, query, key) for every pair of a reading.
template <class F>
void for_each_pair(const Reading& r, F&& f) {
    for (int64_t b = 0; b < r.queries.dim(0); ++b)
        for (int64_t t = 0; t < r.queries.dim(1); ++t)
            for (int64_t k = 0; k < r.keys.dim(1); ++k) f(b, t, k);
}

Tensor column_block(const Tensor& x, int64_t block, int64_t blocks) {
    const int64_t width = x.dim(2) / blocks;
    return blocks == 1 ? x : slice(x, -1, block * width, (block + 1) * width);
}

int64_t key_head(const Reading& r, std::size_t head) {
    return static_cast<int64_t>(head) * r.key_heads / static_cast<int64_t>(r.heads.size());
}

std::string head_of(const Reading& r, std::size_t head) {
    return r.heads.size() == 1 ? r.path : fmt::format("{}, head {}", r.path, head);
}

std::size_t modules(const std::vector<Reading>& readings) {
    std::set<std::string> paths;
    for (const Reading& r : readings) paths.insert(r.path);
    return paths.size();
}

Finding no_attention() { return not_applicable("no attention of the model has weights"); }

}  // namespace

Finding window(const Subject& s) {
    const NoGrad off;
    const Passed plain = run(s, s.batch, evaluating(s));
    if (plain.readings.empty())
        return no_attention();
    Figures figures(0);
    int64_t pairs = 0, widest = 0;
    for (const Reading& reading : plain.readings) {
        // Equal scores give every position that is seen the same weight, and no other one any.
        Reading flat = reading;
        flat.queries = Tensor::zeros(reading.queries.shape());
        flat.keys = Tensor::zeros(reading.keys.shape());
        const Output again = reading.again(flat, looking(s));
        for (std::size_t h = 0; h < reading.heads.size(); ++h) {
            const Attention& head = *reading.heads[h];
            if (h >= again.seen.size())
                continue;
            const Tensor& weights = again.seen[h].weights;
            // A window around a predicted position says only what a query may see.
            const bool all_weigh = !head.window->after_align() && head.align->weighs_equals() &&
                                   (head.align->softmax_factor().has_value() || head.bias->slope() == real{0});
            int64_t wrong = 0, width = 0;
            std::string first;
            for_each_pair(reading, [&](int64_t b, int64_t t, int64_t k) {
                const bool has = weights.data()[(b * weights.dim(1) + t) * weights.dim(2) + k] != 0;
                const bool seen = sees(reading, head, b, t, k);
                width = k == 0 ? has : width + has;
                widest = std::max(widest, width);
                if (seen ? all_weigh && !has : has) {
                    if (wrong++ == 0)
                        first = fmt::format("window '{}': query {} {} position {} of a source of {}",
                                            head.factors.window.name(), reading.position + t, has ? "reads" : "does not read",
                                            k, reading.lengths[static_cast<std::size_t>(b)]);
                }
            });
            pairs += reading.queries.dim(0) * reading.queries.dim(1) * reading.keys.dim(1);
            figures.note(static_cast<double>(wrong), [&]() -> Blame { return {reading.path, first}; });
        }
    }
    return figures.finding(
        fmt::format("{} pairs of query and position in {}, scores all equal; widest {}: wrong pairs of a head", pairs,
                    counted(static_cast<int64_t>(modules(plain.readings)), "module"), widest));
}

namespace {

// The largest weight of a map where its query may not look.
double outside(const Reading& r, const Attention& head, const Tensor& weights) {
    double worst = 0;
    for_each_pair(r, [&](int64_t b, int64_t t, int64_t k) {
        if (!sees(r, head, b, t, k))
            worst = worse(worst, std::abs(static_cast<double>(weights.data()[(b * weights.dim(1) + t) * weights.dim(2) + k])));
    });
    return worst;
}

// A reading whose keys and values are others where no query before `queries` sees them.
Reading changed_where_unseen(const Reading& r, int64_t queries) {
    Reading out = r;
    out.keys = Tensor::of(r.keys.shape(), r.keys.values());
    out.values = Tensor::of(r.values.shape(), r.values.values());
    const int64_t width = r.keys.dim(2);
    for (int64_t b = 0; b < r.keys.dim(0); ++b)
        for (int64_t k = 0; k < r.keys.dim(1); ++k) {
            bool seen = false;
            for (int64_t t = 0; t < queries; ++t) seen = seen || sees(r, b, t, k);
            for (int64_t c = 0; c < width && !seen; ++c) {
                const int64_t at = (b * r.keys.dim(1) + k) * width + c;
                out.keys.writable()[at] = 3 - 2 * out.keys.data()[at];
                out.values.writable()[at] = 5 - 3 * out.values.data()[at];
            }
        }
    return out;
}

// The largest gradient of keys and values that no query before `queries` sees, where the contexts
// of those queries count.
double unseen_gradient(const Reading& r, int64_t queries, const Pass& pass) {
    Reading watched = r;
    watched.keys = watch(r.keys);
    watched.values = r.keys.data() == r.values.data() ? watched.keys : watch(r.values);
    const Tensor context = r.again(watched, pass).value;
    Tensor cotangent = Tensor::zeros(context.shape());
    for (int64_t b = 0; b < context.dim(0); ++b)
        for (int64_t i = 0; i < queries * context.dim(2); ++i)
            cotangent.writable()[b * context.dim(1) * context.dim(2) + i] = static_cast<real>(1 + i % 3);
    Gradients found;
    backward({&context, 1}, {&cotangent, 1}, found);
    double worst = 0;
    for (const Tensor* x : {&watched.keys, &watched.values}) {
        const Tensor g = found.of(*x);
        for (int64_t b = 0; b < g.dim(0); ++b)
            for (int64_t k = 0; k < g.dim(1); ++k) {
                bool seen = false;
                for (int64_t t = 0; t < queries; ++t) seen = seen || sees(r, b, t, k);
                for (int64_t c = 0; c < g.dim(2) && !seen; ++c)
                    worst = worse(worst, std::abs(static_cast<double>(g.data()[(b * g.dim(1) + k) * g.dim(2) + c])));
            }
    }
    return worst;
}

double largest_difference(const Tensor& a, const Tensor& b, int64_t queries) {
    double worst = 0;
    for (int64_t r = 0; r < a.dim(0); ++r)
        for (int64_t i = 0; i < queries * a.dim(2); ++i) {
            const int64_t at = r * a.dim(1) * a.dim(2) + i;
            worst = worse(worst, std::abs(static_cast<double>(a.data()[at] - b.data()[at])));
        }
    return worst;
}

}  // namespace

Finding masked(const Subject& s) {
    const Passed looked = run(s, s.batch, looking(s));
    if (looked.readings.empty())
        return no_attention();
    Figures figures(0);
    int64_t tried = 0;
    for (const Reading& r : looked.readings) {
        for (std::size_t h = 0; h < r.heads.size(); ++h)
            if (const Seen* map = shown(s, looked.seen, r, h)) {
                const double weight = std::max(outside(r, *r.heads[h], map->weights), outside(r, *r.heads[h], map->read));
                figures.note(weight, [&]() -> Blame {
                    return {r.path, fmt::format("head {}: a masked position has the weight {:.2g}", h, weight)};
                });
            }
        const WayOfChoosing softly = choose_softly();
        // All queries, whose padding is unseen; and the first half, for which it may be more.
        for (const int64_t queries : {r.queries.dim(1), r.queries.dim(1) / 2})
            for (Pass pass : {evaluating(s), looking(s), training(s)}) {
                if (queries == 0)
                    continue;
                ++tried;
                pass.choosing = softly.get();
                const char* in = pass.training() ? "training" : pass.keeps_maps() ? "evaluation with maps" : "evaluation";
                const Tensor before = [&] {
                    const NoGrad off;
                    return r.again(r, pass).value;
                }();
                const Tensor after = [&] {
                    const NoGrad off;
                    return r.again(changed_where_unseen(r, queries), pass).value;
                }();
                const double moved = largest_difference(before, after, queries);
                figures.note(moved, [&]() -> Blame {
                    return {r.path, fmt::format("what is masked, changed, moves a context by {:.2g} in {}", moved, in)};
                });
                const double gradient = unseen_gradient(r, queries, pass);
                figures.note(gradient, [&]() -> Blame {
                    return {r.path, fmt::format("what is masked gets a gradient of {:.2g} in {}", gradient, in)};
                });
            }
    }
    return figures.finding(
        fmt::format("weights of all maps; {} readings of {} with masked keys and values changed, and their gradients", tried,
                    counted(static_cast<int64_t>(modules(looked.readings)), "module")));
}

Finding map(const Subject& s) {
    const NoGrad off;
    const Passed used = run(s, s.batch, evaluating(s)), looked = run(s, s.batch, looking(s));
    if (used.readings.empty())
        return no_attention();
    Figures figures(rounding(2e-5));
    int64_t maps = 0;
    for (const Reading& r : used.readings)
        for (std::size_t h = 0; h < r.heads.size(); ++h) {
            const Seen* seen = shown(s, looked.seen, r, h);
            if (seen == nullptr) {
                figures.note(1, [&]() -> Blame { return {r.path, fmt::format("{} shows no map", head_of(r, h))}; });
                continue;
            }
            ++maps;
            // c_t = sum_s a_ts v_s, in double, beside the context that the model used
            const auto heads = static_cast<int64_t>(r.heads.size());
            const Tensor values = column_block(r.values, key_head(r, h), r.key_heads);
            const Tensor context = column_block(r.context, static_cast<int64_t>(h), heads);
            const double size = largest(values);
            double worst = 0;
            for (int64_t b = 0; b < context.dim(0); ++b)
                for (int64_t t = 0; t < context.dim(1); ++t)
                    for (int64_t c = 0; c < context.dim(2); ++c) {
                        double sum = 0;
                        for (int64_t k = 0; k < values.dim(1); ++k)
                            sum += static_cast<double>(seen->read.data()[(b * context.dim(1) + t) * values.dim(1) + k]) *
                                   static_cast<double>(values.data()[(b * values.dim(1) + k) * values.dim(2) + c]);
                        const double got = static_cast<double>(context.data()[(b * context.dim(1) + t) * context.dim(2) + c]);
                        worst = worse(worst, std::abs(sum - got) / size);
                    }
            figures.note(worst, [&]() -> Blame {
                return {r.path, fmt::format("head {}: the map shown, times the values, is {:.2g} of the largest value off the "
                                            "context that is used",
                                            h, worst)};
            });
        }
    return figures.finding(fmt::format("{} maps of {}, times their values, beside the context that is used", maps,
                                       counted(static_cast<int64_t>(modules(used.readings)), "module")));
}

Finding scale(const Subject& s) {
    const NoGrad off;
    const Passed plain = run(s, s.batch, evaluating(s));
    if (plain.readings.empty())
        return no_attention();
    Figures figures(rounding(2e-5));
    int64_t scores = 0;
    for (const Reading& r : plain.readings) {
        // Of a differential head each half of the columns is compared by itself.
        const int64_t parts = r.heads.front()->factors.differential ? 2 : 1, heads = static_cast<int64_t>(r.heads.size());
        for (int64_t i = 0; i < parts * heads; ++i) {
            const auto h = static_cast<std::size_t>(i / parts);
            const Attention& head = *r.heads[h];
            const Tensor query = column_block(r.queries, i, parts * heads);
            const Tensor memory = column_block(r.keys, parts * key_head(r, h) + i % parts, parts * r.key_heads);
            // e_ts = (W q_t) . (U m_s) / sqrt(A)
            const std::optional<ScaledProduct> defined = head.score->scaled_product(query, memory);
            if (!defined)
                continue;
            const Tensor &q = defined->queries, &k = defined->keys;
            const Call call{.query = query,
                            .keys = head.score->prepare(memory),
                            .lengths = r.lengths,
                            .source = memory.dim(1),
                            .position = r.position,
                            .previous = r.previous,
                            .values = memory,
                            .number = head.site.number};
            const Tensor given = (*head.score)(call, head.window->view(call).ranges).values;
            double worst = 0, size = 1e-30;
            for_each_pair(r, [&](int64_t b, int64_t t, int64_t at) {
                if (!sees(r, head, b, t, at))
                    return;
                double dot = 0;
                for (int64_t c = 0; c < q.dim(2); ++c)
                    dot += static_cast<double>(q.data()[(b * q.dim(1) + t) * q.dim(2) + c]) *
                           static_cast<double>(k.data()[(b * k.dim(1) + at) * k.dim(2) + c]);
                const double e = static_cast<double>(given.data()[(b * given.dim(1) + t) * given.dim(2) + at]);
                worst = worse(worst, std::abs(e - dot * defined->factor));
                size = worse(size, std::abs(dot * defined->factor));
                ++scores;
            });
            figures.note(worst / size, [&]() -> Blame {
                return {r.path, fmt::format("head {}: a score is {:.2g} of the largest off (W q) . (U m) times {:.4g}", h,
                                            worst / size, defined->factor)};
            });
        }
    }
    if (scores == 0)
        return not_applicable("no score is divided by the root of its width");
    return figures.finding(fmt::format("{} scores beside (W q) . (U m) / sqrt(A)", scores));
}

}  // namespace attend::prove
