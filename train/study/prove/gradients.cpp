// Gradients: of what attention reads, module by module; and of the parameters, in double.
#include <algorithm>

#include "core/engine.h"
#include "train/config/words.h"
#include "train/study/in_double.h"
#include "train/study/plan/gradient_report.h"
#include "train/study/prove/properties.h"

namespace attend::prove {

namespace {

enum class Part { query, key, value };
constexpr const char* part_names[] = {"query", "key", "value"};

Tensor& part_of(Reading& r, Part part) { return part == Part::query ? r.queries : part == Part::key ? r.keys : r.values; }

Tensor random(const Shape& shape, uint64_t seed, const std::string& name) {
    Stream stream(seed, name);
    Tensor x = Tensor::empty(shape);
    for (int64_t i = 0; i < x.size(); ++i) x.writable()[i] = static_cast<real>(stream.normal());
    return x;
}

double product(const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (int64_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a.data()[i]) * static_cast<double>(b.data()[i]);
    return sum;
}

Tensor moved(const Tensor& x, const Tensor& direction, double step) {
    Tensor y = Tensor::of(x.shape(), x.values());
    for (int64_t i = 0; i < y.size(); ++i) y.writable()[i] += static_cast<real>(step) * direction.data()[i];
    return y;
}

// With L = sum of r times the context for a random r, and a random direction d: how far the
// engine's g . d is from (L(x + h d) - L(x - h d)) / 2h, as a part of the larger of both.
struct Directional {
    double engine = 0, difference = 0, error = 0;
};
Directional directional(const Subject& s, const Reading& r, Part part, const Pass& pass) {
    Reading watched = r;
    // Away from what is 0 exactly, as the states after a row's end: there a ReLU of a score has two slopes.
    watched.queries =
        watch(moved(r.queries, random(r.queries.shape(), s.seed(), "prove.place"), 0.05 * std::min(1.0, largest(r.queries))));
    watched.keys = watch(r.keys);
    watched.values = watch(r.values);
    const Tensor context = r.again(watched, pass).value;
    const Tensor cotangent = random(context.shape(), s.seed(), "prove.cotangent");
    Gradients found;
    backward({&context, 1}, {&cotangent, 1}, found);
    const Tensor x = part_of(watched, part);
    const Tensor direction = random(x.shape(), s.seed(), std::string("prove.") + part_names[static_cast<int>(part)]);
    Directional out;
    out.engine = product(found.of(x), direction);
    const NoGrad off;
    const auto value = [&](double step) {
        Reading other = watched;
        part_of(other, part) = moved(x.detach(), direction, step);
        return product(r.again(other, pass).value, cotangent);
    };
    // Rounding of L, divided by the step, is what a difference cannot tell from 0.
    const double floor = rounding(2e-3) * std::sqrt(static_cast<double>(context.size())) * largest(context);
    out.error = HUGE_VAL;
    // Small steps for what bends: a cosine of a short query, a ReLU near 0.
    for (const double h : {1e-2, 3e-3, 3e-2, 1e-3, 1e-4}) {
        const double step = h * std::min(1.0, largest(x));
        const double d = (value(step) - value(-step)) / (2 * step);
        const double error = std::abs(out.engine - d) / (std::max(std::abs(out.engine), std::abs(d)) + floor);
        if (error < out.error) {
            out.error = error;
            out.difference = d;
        }
    }
    return out;
}

// Whether a parameter is one of a module's.
bool is_under(const std::string& name, const std::string& path) { return name.starts_with(path + "."); }

// The largest size of each parameter element's gradient; where the estimator draws, of 16 draws: one may leave a parameter out,
// as where no choice changes.
Array<real> largest_gradients(const Subject& s) {
    ParameterStore& store = *s.made.store;
    const Estimator* estimator = s.model().estimator();
    Array<real> sizes(static_cast<std::size_t>(store.size()), 0);
    for (uint32_t draw = 0; draw < (estimator != nullptr && estimator->draws() ? 16u : 1u); ++draw) {
        StateUpdates updates(store);
        Context context = training(s);
        context.updates = &updates;
        context.step += draw;
        Gradients found(store);
        backward(s.objective->evaluate(s.model(), s.batch, loss_counts(s.batch), context).loss, found);
        found.finish();
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const real g = std::abs(found.data()[i]);
            if (std::isfinite(sizes[i]) && !(g <= sizes[i]))
                sizes[i] = g;  // what is no number stays
        }
    }
    return sizes;
}

}  // namespace

Finding query_key_value(const Subject& s) {
    const Passed plain = run(s, s.batch, evaluating(s));
    if (plain.readings.empty())
        return not_applicable("no attention of the model has weights");
    constexpr double limit = 0.1;  // in float a difference has a digit or two; a gradient that is missing is 1 off
    Figures figures(limit);
    const WayOfChoosing softly = choose_softly();
    Pass pass = evaluating(s);
    pass.choosing = softly.get();
    std::vector<std::string> paths;
    for (const Reading& r : plain.readings) {
        if (contains(paths, r.path) && r.position != 1)
            continue;  // step by step: the first two steps of each module
        if (!contains(paths, r.path))
            paths.push_back(r.path);
        for (const Part part : {Part::query, Part::key, Part::value}) {
            const Directional d = directional(s, r, part, pass);
            figures.note(d.error, [&]() -> Blame {
                return {r.path, fmt::format("the gradient of the {}: {:.4g} along a direction, {:.4g} by differences",
                                            part_names[static_cast<int>(part)], d.engine, d.difference)};
            });
        }
    }
    // The loss reaches their parameters, except those that the config freezes.
    const Array<real> reached = largest_gradients(s);
    int64_t parameters = 0;
    for (const Parameter& p : s.made.store->table())
        for (const std::string& path : paths) {
            if (!is_under(p.name, path) ||
                (has_patterns(s.experiment.init.freeze) && matches_any(s.experiment.init.freeze, p.name)))
                continue;
            const real* g = reached.data() + p.offset;
            const bool any = std::any_of(g, g + p.shape.size(), [](real x) { return x != 0; });
            const bool finite = std::all_of(g, g + p.shape.size(), [](real x) { return std::isfinite(x); });
            ++parameters;
            figures.note(finite ? 0 : HUGE_VAL, [&]() -> Blame {
                return {path, fmt::format("parameter {} gets a gradient that is no number", p.name)};
            });
            figures.note(any ? 0 : 1, [&]() -> Blame {
                return {path, fmt::format("parameter {} gets no gradient from the loss{}", p.name,
                                          p.trainable ? "" : ": it is frozen, and init.freeze does not ask for it")};
            });
        }
    return figures.finding(fmt::format("query, key and value of {} along random directions, and {} of them",
                                       counted(static_cast<int64_t>(paths.size()), "module"),
                                       counted(parameters, "parameter")));
}

Finding gradients(const Subject& s) {
    const Estimator* estimator = s.model().estimator();
    if (estimator != nullptr && estimator->draws())
        return not_applicable(
            fmt::format("estimator '{}' estimates a gradient by draws, which differences cannot check; attend lab "
                        "measures its bias",
                        s.model().hard()->estimator.name()));
    plan::GradientCheckSetup setup;
    setup.rows = 2;
    setup.columns = 8;
    setup.elements = 2;
    setup.threads = s.large() ? 1 : s.threads;  // each has a model of its own
    setup.seconds = s.seconds;
    const plan::GradientReport r = f64::check_gradients(tree_of(s.experiment, s.path), s.path, setup);
    Figures figures(r.tolerance);
    int64_t elements = 0;
    std::size_t checked = 0;
    for (const plan::CheckedParameter& p : r.parameters) {
        elements += p.checked;
        checked += p.checked > 0 ? 1 : 0;
        figures.note(p.error, [&]() -> Blame {
            return {p.name.substr(0, p.name.rfind('.')),
                    fmt::format("parameter {}, element {}: gradient {:.9g}, difference {:.9g}", p.name, p.element, p.engine,
                                p.difference)};
        });
    }
    return figures.finding(fmt::format("{} elements of {} of {} parameters, {} rows of at most {} symbols, in double, of {}",
                                       elements, checked, r.parameters.size(), r.rows, setup.columns,
                                       s.trained ? "the trained weights" : "the initial weights"));
}

}  // namespace attend::prove
