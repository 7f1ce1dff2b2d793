#include "train/study/compare/table_words.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "train/config/words.h"
#include "train/records/numbers.h"
#include "train/study/compare/table_text.h"

namespace attend::compare {

namespace {

// Digits after the point that show two figures of `size`: 0.0123 gets 3.
int digits_for(double size) {
    if (!(size > 0) || !std::isfinite(size))
        return 4;
    return std::clamp(1 - static_cast<int>(std::floor(std::log10(size))), 0, 6);
}

std::string fixed(double value, int digits, const char* sign) {
    const std::string text = fmt::format("{:.{}f}", value, digits);
    return value >= 0 ? sign + text : text;
}

// "a, b and c"
std::string listed(std::vector<std::string> words) {
    const std::string last = words.back();
    words.pop_back();
    return words.empty() ? last : joined(words) + " and " + last;
}

// "0.9951 to 1 (new seeds, this test file)", one part a population.
std::string intervals_text(const std::vector<Interval>& all) {
    std::vector<std::string> parts;
    for (const Interval& i : all)
        parts.push_back(fmt::format("{} to {} for {}", short_number(i.limits.low), short_number(i.limits.high),
                                    population_name(i.population)));
    return joined(parts, "; ");
}

std::string trained_text(const Row& row) {
    return fmt::format("{} trained with {} of {} seeds ({:.3g} to {:.3g} % of new ones)", row.name, row.trained.count,
                       row.trained.of, 100 * row.trained.limits.low, 100 * row.trained.limits.high);
}

bool differs(Verdict v) { return v == Verdict::better || v == Verdict::worse; }

bool failed_somewhere(const Row& row) { return row.trained.count < row.trained.of; }

std::string looked_ahead(const Contrast& c, const Settings& s, double reference_mean) {
    std::string text;
    if (c.differences.mean == 0 && c.differences.deviation == 0)
        return " The values are equal with every seed.";
    if (c.seeds_more)
        text += c.seeds_more->high ? fmt::format(
                                         " If the true difference is about the one seen, the t test needs {} to {} more seeds "
                                         "to find it (80 % range).",
                                         c.seeds_more->low, *c.seeds_more->high)
                                   : fmt::format(
                                         " To find a difference as large as the one seen takes at least {}; there may "
                                         "be none to find.",
                                         counted(c.seeds_more->low, "more seed"));
    const double room = s.better == Better::higher ? s.bounds.most - reference_mean : reference_mean - s.bounds.least;
    if (c.detectable && *c.detectable <= room)
        text +=
            fmt::format(" With this spread the t test of {} seeds finds an improvement of {} or more with probability {:.2g}.",
                        c.pairs, short_number(*c.detectable), s.power);
    else if (c.detectable)
        text += fmt::format(" No improvement is large enough for {} seeds: there is room for {}, and they find {} or more.",
                            c.pairs, short_number(room), short_number(*c.detectable));
    return text;
}

// The tests are over seeds: what they find on examples that all runs share is of these examples.
std::string of_other_examples(const Contrast& c) {
    for (const Interval& i : c.limits)
        if (i.population == Population::seeds_and_examples && c.limits.size() > 1)
            return i.limits.low <= 0 && i.limits.high >= 0 ? " That is of these examples; for others it is not shown." : "";
    return {};
}

std::string quality_sentence(const Row& row, const Row& reference, const Settings& s) {
    const Contrast& c = *row.contrast;
    const bool good = (c.differences.mean >= 0) == (s.better == Better::higher);
    const std::string with = fmt::format("with {} of {} seeds", good ? c.better_with : c.worse_with, c.pairs);
    const std::string size = fmt::format("{} {} by {} ({})", s.metric, c.differences.mean > 0 ? "higher" : "lower",
                                         short_number(std::abs(c.differences.mean)), intervals_text(c.limits));
    if (differs(c.verdict))
        return fmt::format("When both train, {} is {} than {}: {}, {}, p {} corrected.{}", row.name, verdict_name(c.verdict),
                           reference.name, size, with, p_text(c.corrected), of_other_examples(c));
    return fmt::format("When both train, {} is not distinguishable from {} with {} seeds: {}.{}", row.name, reference.name,
                       c.pairs, c.differences.mean == 0 ? "no difference" : size, looked_ahead(c, s, reference.moments.mean));
}

std::string no_verdict(const Row& row, const Row& reference) {
    const Contrast& c = *row.contrast;
    if (c.other_examples)
        return fmt::format("{}: no verdict on values, as it was measured on other examples than {}.", row.name, reference.name);
    if (c.pairs >= least_pairs)
        return fmt::format(
            "{}: the same difference with all of {} seeds leaves the t test no spread to go by, and the sign-flip test "
            "needs {} seeds.",
            row.name, c.pairs, least_flips);
    return fmt::format("{}: no verdict on runs that trained: seeds with which both trained {}, least {}.", row.name, c.pairs,
                       least_pairs);
}

std::string reliability_sentence(const Row& row, const Row& reference) {
    const Contrast& c = *row.contrast;
    std::string text = trained_text(row) + ", " + trained_text(reference);
    if (differs(c.reliability))
        return text + fmt::format(": {} trains {} often (p {} corrected).", row.name,
                                  c.reliability == Verdict::better ? "more" : "less", p_text(c.corrected_trained));
    const bool as_often = row.trained.count * reference.trained.of == reference.trained.count * row.trained.of;
    return text + (as_often ? "." : ": seen with these seeds, not proven for others.");
}

// What can be said of the mean over all seeds, failures among them that these seeds do not show.
std::string mean_sentence(const Row& row, const Row& reference, const Settings& s) {
    const Contrast& c = *row.contrast;
    if (!c.of_all)
        return {};
    const std::string limits = fmt::format("{} to {}", short_number(c.of_all->low), short_number(c.of_all->high));
    if (differs(c.mean))
        return fmt::format("Over all seeds, whatever fails, the mean {} of {} is {} than that of {}: by {}.", s.metric,
                           row.name, verdict_name(c.mean), reference.name, limits);
    return fmt::format(
        "The means over all seeds are not distinguishable: {} seeds leave room for failures that were not seen, "
        "and so for a difference of {}.",
        c.seeds, limits);
}

void add_runs(std::vector<std::string>& all, const Row& row) {
    if (row.diverged + row.failed > 0)
        all.push_back(
            fmt::format("{}: {} of {} runs did not finish ({} diverged, {} failed). A diverged run counts as the worst; "
                        "failed ones, whose process ended with an error, are left out of means and tests, and areas and times "
                        "count them as "
                        "the worst.",
                        row.name, row.runs - row.finished, row.runs, row.diverged, row.failed));
    if (row.exploded > 0)
        all.push_back(fmt::format(
            "{}: the loss of {} of {} finished runs ended far above where it began (loss_exploded in summary.json).", row.name,
            row.exploded, row.finished));
}

}  // namespace

std::string number_text(double value, const std::vector<Interval>& limits, const char* sign) {
    if (limits.empty() || !std::isfinite(value))
        return value >= 0 ? fmt::format("{}{:.4g}", sign, value) : fmt::format("{:.4g}", value);
    return fixed(value, digits_for((limits.front().limits.high - limits.front().limits.low) / 2), sign);
}

std::string limits_text(const Limits& l, const char* sign) {
    const int digits = digits_for((l.high - l.low) / 2);
    return fmt::format("[{}, {}]", fixed(l.low, digits, sign), fixed(l.high, digits, sign));
}

std::string with_interval(const Moments& m, const char* sign, const MetricRange& bounds) {
    if (m.count == 0)
        return "-";
    if (!m.half_width || *m.half_width <= 0)
        return m.mean >= 0 ? fmt::format("{}{:.6g}", sign, m.mean) : fmt::format("{:.6g}", m.mean);
    const Limits limits{std::max(bounds.least, m.mean - *m.half_width), std::min(bounds.most, m.mean + *m.half_width)};
    return fixed(m.mean, digits_for(*m.half_width), sign) + " " + limits_text(limits, sign);
}

std::string p_text(const std::optional<double>& p) {
    return !p ? "-" : *p < 1e-4 ? fmt::format("{:.0e}", *p) : fmt::format("{:.4f}", *p);
}

std::string percent(double share) { return fmt::format("{:.4g} %", 100 * share); }

std::string decides_text(const Result& t) {
    int64_t both = 0, alone = 0;  // comparisons
    for (const Row& row : t.rows)
        if (row.contrast && row.contrast->p)
            ++(row.contrast->pairs >= least_flips ? both : alone);
    if (both + alone == 0)
        return "";
    const std::string found = both > 0 ? "found where the t test and the sign-flip test both find them" : "";
    if (alone == 0)
        return found;
    const double level = level_of_look(t.look, 1 - t.settings.confidence);
    return fmt::format("{}with {} seeds{} the t test alone decides (the sign-flip test needs {})", both > 0 ? found + "; " : "",
                       least_pairs, std::ssize(t.seeds) > least_pairs ? " where both trained" : "",
                       seeds_needed(std::ssize(t.rows) - 1, level));
}

std::string verdict_text(const Contrast& c, const Result& table) {
    const bool quality = differs(c.verdict), mean = differs(c.mean);
    std::string text = quality && c.mean == c.verdict ? verdict_name(c.verdict)
                       : quality                      ? std::string(verdict_name(c.verdict)) + " when it trains"
                       : mean                         ? std::string(verdict_name(c.mean)) + " mean"
                       : table.seeds.size() < 2       ? "one seed"
                       : table.open > 0               ? "runs are open"
                                                      : verdict_name(c.verdict);
    if (quality && mean && c.mean != c.verdict)
        text += fmt::format(", {} mean", verdict_name(c.mean));
    if (differs(c.reliability))
        text += fmt::format(", trains {} often", c.reliability == Verdict::better ? "more" : "less");
    return text;
}

std::vector<std::string> sentences_of(const Result& t) {
    const Settings& s = t.settings;
    const Row& reference = t.rows[s.reference];
    std::vector<std::string> all;
    if (std::ranges::any_of(t.rows, [](const Row& row) { return row.extended > 0; }))
        all.emplace_back(
            "These runs were extended beyond the end that they were begun with (extended in config.json): runs of as many "
            "steps at once can be others.");
    std::vector<std::pair<std::string, std::vector<std::string>>> found;  // verdicts, and the variants that have them
    for (const Row& row : t.rows) {
        add_runs(all, row);
        if (!row.contrast)
            continue;
        const Contrast& c = *row.contrast;
        if (c.p)
            all.push_back(quality_sentence(row, reference, s));
        else if (t.seeds.size() > 1 && t.open == 0)
            all.push_back(no_verdict(row, reference));
        if (c.p_trained && (failed_somewhere(row) || failed_somewhere(reference)))
            all.push_back(reliability_sentence(row, reference));
        if (const std::string mean = mean_sentence(row, reference, s); !mean.empty())
            all.push_back(mean);
        const std::string verdict = verdict_text(c, t);
        const auto at = std::ranges::find(found, verdict, &std::pair<std::string, std::vector<std::string>>::first);
        (at == found.end() ? found.emplace_back(verdict, std::vector<std::string>()) : *at).second.push_back(row.name);
    }
    for (const Withdrawn& w : t.withdrawn)
        all.push_back(fmt::format("Look {} found, against {}: {}: {}. This look does not find it again, so it is withdrawn.",
                                  w.look, w.finding.reference, w.finding.what, w.finding.variant));
    if (s.null_variant && t.rows[*s.null_variant].contrast) {
        const Contrast& c = *t.rows[*s.null_variant].contrast;
        const bool different = differs(c.verdict) || differs(c.reliability) || differs(c.mean);
        all.push_back(fmt::format(
            "{} is {} with other orders of the batches and nothing else: it {}.", t.rows[*s.null_variant].name, reference.name,
            different ? "was found different. One in twenty is found by chance; what is found of the others may be chance, too"
                      : "was not found different, as it should be"));
    }
    int64_t fewest = std::numeric_limits<int64_t>::max();  // runs of a variant of which the end is known
    for (const Row& row : t.rows) fewest = std::min(fewest, row.trained.of == row.runs ? row.trained.of : 0);
    if (t.rows.size() > 1 && fewest > 1 && std::ranges::none_of(t.rows, failed_somewhere))
        all.push_back(
            fmt::format("All runs trained: of new runs of a variant at least {:.3g} % will train, as far as {} seeds "
                        "can tell.",
                        100 * exact_rate(fewest, fewest, s.confidence).low, fewest));
    std::vector<std::string> sums;
    for (const auto& [verdict, names] : found) sums.push_back(fmt::format("{}: {}", verdict, listed(names)));
    all.push_back(sums.empty() ? "Found: nothing to compare, there is one variant."
                               : fmt::format("Found, against {}: {}.", reference.name, joined(sums, "; ")));
    return all;
}

}  // namespace attend::compare
