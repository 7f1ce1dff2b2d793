#include "train/study/compare/contrast.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace attend::compare {

namespace {

bool has_trained(const Judgement& run) { return run.outcome == Outcome::trained && run.value.has_value(); }

// a - b, where what rounding alone makes of equal numbers is 0.
double difference(double a, double b) {
    constexpr double rounding_share = 1e-12;
    return std::abs(a - b) <= rounding_share * std::max(std::abs(a), std::abs(b)) ? 0 : a - b;
}

bool same_examples(const std::vector<const Examples*>& all) {
    return std::ranges::all_of(
        all, [&](const Examples* e) { return !e->fingerprint.empty() && e->fingerprint == all.front()->fingerprint; });
}

// What each example adds, with a place for every number that one of `all` has.
std::vector<double> spread_out(const Examples& e, const std::map<int64_t, std::size_t>& places) {
    std::vector<double> out(places.size());
    for (std::size_t i = 0; i < e.numbers.size(); ++i) out[places.at(e.numbers[i])] = e.influence[i];
    return out;
}

std::map<int64_t, std::size_t> places_of(const std::vector<const Examples*>& all) {
    std::map<int64_t, std::size_t> places;
    for (const Examples* e : all)
        for (const int64_t number : e->numbers) places.try_emplace(number, 0);
    std::size_t next = 0;
    for (auto& [number, place] : places) place = next++;
    return places;
}

Sampled sampled(const std::vector<const Judgement*>& runs) {
    Sampled out;
    std::vector<const Examples*> examples;
    for (const Judgement* run : runs) {
        out.values.push_back(*run->value);
        if (run->examples)
            examples.push_back(&*run->examples);
    }
    if (runs.empty() || examples.size() != runs.size())
        return out;
    out.same_examples = same_examples(examples);
    if (!out.same_examples) {
        for (const Examples* e : examples) out.influence.push_back(e->influence);
        return out;
    }
    const std::map<int64_t, std::size_t> places = places_of(examples);
    for (const Examples* e : examples) out.influence.push_back(spread_out(*e, places));
    return out;
}

// Runs of two variants with the same seeds.
struct Pairs {
    std::vector<const Judgement*> variant, reference;
};

// Whether the two runs of a pair are known to have been measured on other examples.
bool on_other_examples(const Judgement& a, const Judgement& b) {
    return a.examples && b.examples && !same_examples({&*a.examples, &*b.examples});
}

Sampled sampled_differences(const Pairs& pairs) {
    Sampled out;
    std::vector<const Examples*> all;
    for (std::size_t i = 0; i < pairs.variant.size(); ++i) {
        const Judgement &a = *pairs.variant[i], &b = *pairs.reference[i];
        out.values.push_back(difference(*a.value, *b.value));
        if (a.examples && b.examples && !on_other_examples(a, b))
            all.insert(all.end(), {&*a.examples, &*b.examples});
    }
    if (all.empty() || all.size() != 2 * out.values.size())
        return out;
    out.same_examples = same_examples(all);
    std::map<int64_t, std::size_t> places;
    if (out.same_examples)
        places = places_of(all);
    for (std::size_t i = 0; i < all.size(); i += 2) {
        if (!out.same_examples)
            places = places_of({all[i], all[i + 1]});
        std::vector<double> of_pair = spread_out(*all[i], places);
        const std::vector<double> of_reference = spread_out(*all[i + 1], places);
        for (std::size_t e = 0; e < of_pair.size(); ++e) of_pair[e] -= of_reference[e];
        out.influence.push_back(std::move(of_pair));
    }
    return out;
}

// The populations that an interval of these can be for, each within the next.
std::vector<Population> populations_of(const Sampled& s) {
    if (s.examples() == 0)
        return {Population::seeds_alone};
    if (!s.same_examples)
        return {Population::seeds_and_examples};
    return {Population::seeds, Population::seeds_and_examples};
}

// Adds an interval. Who asks for new examples too can be no surer: those limits hold the ones for new seeds on these
// examples, from which more degrees of freedom (Satterthwaite) could take something away.
void add(std::vector<Interval>& all, Population population, Limits limits) {
    if (!all.empty()) {
        limits.low = std::min(limits.low, all.back().limits.low);
        limits.high = std::max(limits.high, all.back().limits.high);
    }
    all.push_back({population, limits});
}

std::vector<Interval> difference_intervals(const Pairs& pairs, const Sampled& differences, const Testing& t) {
    if (differences.values.size() < 2)
        return {};
    const Sampled a = sampled(pairs.variant), b = sampled(pairs.reference);
    std::vector<Interval> out;
    for (const Population population : populations_of(differences))
        add(out, population,
            difference_limits(*estimated(a, population), *estimated(b, population), *estimated(differences, population),
                              t.bounds, t.confidence));
    return out;
}

Pairs trained_pairs(const std::vector<Judgement>& variant, const std::vector<Judgement>& reference) {
    Pairs pairs;
    for (std::size_t i = 0; i < std::min(variant.size(), reference.size()); ++i)
        if (has_trained(variant[i]) && has_trained(reference[i])) {
            pairs.variant.push_back(&variant[i]);
            pairs.reference.push_back(&reference[i]);
        }
    return pairs;
}

Contrast when_trained(const std::vector<Judgement>& variant, const std::vector<Judgement>& reference, const Testing& t) {
    const Pairs pairs = trained_pairs(variant, reference);
    const Sampled differences = sampled_differences(pairs);
    const std::vector<double>& d = differences.values;
    Contrast c;
    c.pairs = std::ssize(d);
    c.differences = moments_of(d, t.confidence);
    c.limits = difference_intervals(pairs, differences, t);
    for (std::size_t i = 0; i < pairs.variant.size(); ++i)
        c.other_examples = c.other_examples || on_other_examples(*pairs.variant[i], *pairs.reference[i]);
    for (const double x : d) {
        c.better_with += x != 0 && (x > 0) == (t.better == Better::higher) ? 1 : 0;
        c.worse_with += x != 0 && (x > 0) != (t.better == Better::higher) ? 1 : 0;
    }
    if (c.pairs < least_pairs || t.open == Open::yes || c.other_examples)
        return c;
    c.p_t = paired_p(c.differences);
    if (c.pairs >= least_flips)
        c.p_flip = sign_flip_p(d);
    c.p = c.p_t && c.p_flip ? std::optional(std::max(*c.p_t, *c.p_flip)) : c.p_t ? c.p_t : c.p_flip;
    return c;
}

// The smallest p that the test can have; 1 where there is none.
double compare_reliability(Contrast& c, const std::vector<Judgement>& variant, const std::vector<Judgement>& reference,
                           const Testing& t) {
    const auto trained = [](const std::vector<Judgement>& runs) {
        std::vector<Outcome> outcomes;
        for (const Judgement& run : runs) outcomes.push_back(run.outcome);
        return trained_of(outcomes, 0.95);
    };
    const Trained a = trained(variant), b = trained(reference);
    if (a.of < least_pairs || b.of < least_pairs || t.open == Open::yes)
        return 1;
    c.p_trained = fisher_p(a.count, a.of, b.count, b.of);
    c.reliability = a.count * b.of > b.count * a.of ? Verdict::better : Verdict::worse;  // if it is found
    return smallest_fisher_p(a.count + b.count, a.of, b.of);
}

// `share`: the part of the chance to err that this variant has.
void compare_means(Contrast& c, const std::vector<Judgement>& variant, const std::vector<Judgement>& reference,
                   const Testing& t, double share) {
    std::vector<double> d;
    for (std::size_t i = 0; i < std::min(variant.size(), reference.size()); ++i) {
        const auto a = counted_value(variant[i], t.worst), b = counted_value(reference[i], t.worst);
        if (a && b)
            d.push_back(std::clamp(difference(*a, *b), t.bounds.least - t.bounds.most, t.bounds.most - t.bounds.least));
    }
    c.seeds = std::ssize(d);
    if (!t.bounds.both() || c.seeds < least_pairs || t.open == Open::yes || c.other_examples)
        return;
    const double range = t.bounds.most - t.bounds.least;
    c.of_all = bounded_mean(d, -range, range, 1 - t.level() * share);
    const bool above = c.of_all->low > 0, below = c.of_all->high < 0;
    c.mean = !above && !below                        ? Verdict::not_distinguishable
             : above == (t.better == Better::higher) ? Verdict::better
                                                     : Verdict::worse;
}

// What follows for a difference that was not found.
void look_ahead(Contrast& c, const Testing& t, int64_t open) {
    const Moments& d = c.differences;
    c.level = t.level() / static_cast<double>(std::max<int64_t>(1, open));
    if (d.deviation <= 0)
        return;
    if (d.count < least_flips || smallest_flip_p(d.count) <= c.level)
        c.detectable = d.deviation * smallest_effect(d.count, c.level, t.power);
    if (c.verdict != Verdict::not_distinguishable)
        return;
    // The effect may be larger or smaller than it was seen: 80 % of such intervals hold it.
    const double next = level_of_look(t.look + 1, 1 - t.confidence) / static_cast<double>(std::max<int64_t>(1, open));
    const double seen = std::abs(d.mean) * std::sqrt(static_cast<double>(d.count)) / d.deviation;
    const auto more = [&](double effect) -> std::optional<int64_t> {
        const std::optional<int64_t> needed = effect > 0 ? pairs_needed(effect, next, t.power) : std::nullopt;
        if (!needed)
            return std::nullopt;
        return std::max<int64_t>(
            1, std::max(*needed, pairs_for_flip(open, level_of_look(t.look + 1, 1 - t.confidence))) - d.count);
    };
    if (const auto low = more(effect_at(seen, d.count, 0.1)))
        c.seeds_more = SeedsMore{*low, more(effect_at(seen, d.count, 0.9))};
}

// Holm's correction of all tests of a comparison together, and for the looks. Tests of how often runs
// train take part where they could have found something: with few failures they cannot.
Contrasts corrected(std::vector<Contrast> all, const std::vector<double>& smallest, const Testing& t) {
    Contrasts out;
    out.tests = std::ranges::count_if(all, [](const Contrast& c) { return c.p.has_value(); });
    std::vector<double> p;
    std::vector<std::optional<double>*> places;
    const auto add = [&](double value, std::optional<double>& place) {
        p.push_back(value);
        places.push_back(&place);
    };
    for (Contrast& c : all)
        if (c.p)
            add(*c.p, c.corrected);
    const double possible = t.level() / static_cast<double>(std::max<int64_t>(1, out.tests));
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].p_trained)
            continue;
        all[i].corrected_trained = 1;
        if (smallest[i] > possible)
            continue;
        add(*all[i].p_trained, all[i].corrected_trained);
        ++out.tests_of_trained;
    }
    const std::vector<double> all_corrected = holm(p);
    for (std::size_t i = 0; i < places.size(); ++i)
        *places[i] = std::min(1.0, all_corrected[i] * (1 - t.confidence) / t.level());
    out.all = std::move(all);
    return out;
}

}  // namespace

const char* verdict_name(Verdict verdict) {
    constexpr std::array names = {"better", "worse", "not distinguishable", "too few seeds"};
    return names.at(static_cast<std::size_t>(verdict));
}

std::optional<double> counted_value(const Judgement& run, double worst) {
    return run.outcome == Outcome::diverged ? std::optional(worst) : run.value;
}

std::vector<double> counted_values(std::span<const Judgement> runs, double worst) {
    std::vector<double> values;
    for (const Judgement& run : runs)
        if (const auto value = counted_value(run, worst))
            values.push_back(*value);
    return values;
}

std::vector<Interval> intervals_of(std::span<const Judgement> runs, const Testing& t) {
    std::vector<const Judgement*> trained;
    for (const Judgement& run : runs)
        if (has_trained(run))
            trained.push_back(&run);
    std::vector<Interval> out;
    if (trained.size() < 2)  // one run says nothing of other seeds
        return out;
    const Sampled s = sampled(trained);
    for (const Population population : populations_of(s))
        if (const auto e = estimated(s, population))
            add(out, population, limits_of(*e, t.bounds, t.confidence));
    return out;
}

Contrasts contrasts_of(const std::vector<std::vector<Judgement>>& variants, const std::vector<Judgement>& reference,
                       const Testing& t) {
    std::vector<Contrast> all;
    std::vector<double> smallest;  // p of Fisher's test
    for (const std::vector<Judgement>& v : variants) {
        Contrast& c = all.emplace_back(when_trained(v, reference, t));
        smallest.push_back(compare_reliability(c, v, reference, t));
        compare_means(c, v, reference, t, 1 / static_cast<double>(variants.size()));
        const std::vector<double> of_v = counted_values(v, t.worst), of_reference = counted_values(reference, t.worst);
        if (!of_v.empty() && !of_reference.empty())
            c.improvement = improvement_of(of_v, of_reference, t.better, t.confidence);
    }
    Contrasts out = corrected(std::move(all), smallest, t);
    const double alpha = 1 - t.confidence;
    const auto is_found = [&](const std::optional<double>& p) { return p && *p <= alpha; };
    int64_t open = out.tests + out.tests_of_trained;
    for (const Contrast& c : out.all) open -= (is_found(c.corrected) ? 1 : 0) + (is_found(c.corrected_trained) ? 1 : 0);
    for (Contrast& c : out.all) {
        if (c.p_trained && !is_found(c.corrected_trained))
            c.reliability = Verdict::not_distinguishable;
        if (!c.p)
            continue;
        const bool better = (c.differences.mean > 0) == (t.better == Better::higher);
        c.verdict = !is_found(c.corrected) ? Verdict::not_distinguishable : better ? Verdict::better : Verdict::worse;
        look_ahead(c, t, open);
    }
    return out;
}

}  // namespace attend::compare
