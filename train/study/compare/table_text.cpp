#include "train/study/compare/table_text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "train/config/words.h"
#include "train/evaluate/text_table.h"
#include "train/records/numbers.h"
#include "train/study/compare/table_words.h"

namespace attend::compare {

namespace {

using Lines = std::vector<std::vector<std::string>>;

std::string seconds_text(const Moments& m) { return m.count > 0 ? fmt::format("{:.1f}", m.mean) : "-"; }

std::string count_text(double value) {
    return !std::isfinite(value) ? "-" : value < 1e6 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string runs_text(const Row& row) {
    std::string text = fmt::format("{}/{}", row.trained.count, row.runs);
    for (const auto& [count, what] :
         {std::pair(std::ranges::count(row.outcomes, Outcome::collapsed), "collapsed"), std::pair(row.diverged, "diverged"),
          std::pair(row.failed, "failed"), std::pair(row.exploded, "exploded")})
        if (count > 0)
            text += fmt::format(", {} {}", count, what);
    return text;
}

std::string mean_text(const Row& row) { return row.moments.count == 0 ? "-" : number_text(row.moments.mean, row.limits); }

// A value as JSON, a single text without its quotes; "-" of none.
std::string bare(const std::string& json) {
    if (json.empty())
        return "-";
    const bool text = json.size() > 2 && json.front() == '"' && json.find_first_of("\"\\", 1) == json.size() - 1;
    return text ? json.substr(1, json.size() - 2) : json;
}

// The limits for each population, in columns of their own.
std::vector<Population> populations_of(const Result& t) {
    std::vector<Population> all;
    for (const Row& row : t.rows)
        for (const Interval& i : row.limits)
            if (std::ranges::count(all, i.population) == 0)
                all.push_back(i.population);
    std::ranges::sort(all);
    return all;
}

std::string limits_for(const std::vector<Interval>& all, Population population, const char* sign = "") {
    for (const Interval& i : all)
        if (i.population == population)
            return limits_text(i.limits, sign);
    return "-";
}

std::string main_table(const Result& t) {
    const std::vector<Population> populations = populations_of(t);
    Lines lines = {{"variant", "trained", t.settings.metric}};
    for (const Population p : populations) lines[0].emplace_back(population_name(p));
    lines[0].insert(lines[0].end(), {"middle half", "worst seed", "seconds"});
    for (const Row& row : t.rows) {
        lines.push_back({row.name, runs_text(row), mean_text(row)});
        for (const Population p : populations) lines.back().push_back(limits_for(row.limits, p));
        lines.back().push_back(row.middle ? number_text(row.middle->mean, row.limits) : "-");
        lines.back().push_back(row.diverged > 0 ? "diverged" : row.worst ? number_text(*row.worst, row.limits) : "-");
        lines.back().push_back(seconds_text(row.run_seconds));
    }
    return text_table(lines);
}

std::string contrast_table(const Result& t) {
    const Settings& s = t.settings;
    if (t.rows.size() < 2)
        return "";
    const std::vector<Population> populations = populations_of(t);
    Lines lines = {{"", fmt::format("minus {}", t.rows[s.reference].name)}};
    for (const Population p : populations) lines[0].emplace_back(population_name(p));
    lines[0].insert(lines[0].end(), {"better with", "p (t)", "p (signs)", "corrected", "verdict"});
    for (const Row& row : t.rows) {
        if (!row.contrast)
            continue;
        const Contrast& c = *row.contrast;
        lines.push_back({row.name, c.pairs > 0 ? number_text(c.differences.mean, c.limits, "+") : "-"});
        for (const Population p : populations) lines.back().push_back(limits_for(c.limits, p, "+"));
        lines.back().push_back(fmt::format("{}/{}", c.better_with, c.pairs));
        for (const std::optional<double>& p : {c.p_t, c.p_flip, c.corrected}) lines.back().push_back(p_text(p));
        lines.back().push_back(verdict_text(c, t));
    }
    return "\n" + text_table(lines);
}

// All values, ten seeds a block: nobody should have to guess them from a mean.
std::string seeds_table(const Result& t) {
    constexpr std::size_t columns = 10;
    std::string text;
    for (std::size_t begin = 0; begin < t.seeds.size(); begin += columns) {
        const std::size_t end = std::min(begin + columns, t.seeds.size());
        Lines lines = {{"seed"}};
        for (std::size_t i = begin; i < end; ++i) lines[0].push_back(std::to_string(t.seeds[i]));
        for (const Row& row : t.rows) {
            lines.push_back({row.name});
            for (std::size_t i = begin; i < end; ++i)
                lines.back().push_back(row.values[i] ? fmt::format("{:.4g}", *row.values[i]) : outcome_name(row.outcomes[i]));
        }
        text += "\n" + text_table(lines);
    }
    return text;
}

std::string area_table(const Result& t) {
    const Settings& s = t.settings;
    if (!t.horizon || std::ranges::all_of(t.rows, [](const Row& row) { return row.area.count == 0; }))
        return "";
    Lines lines = {{fmt::format("mean {} ({}) until step {:.0f}", s.metric, split_name(s.curve()), *t.horizon), "area",
                    fmt::format("minus {}", t.rows[s.reference].name)}};
    for (const Row& row : t.rows)
        lines.push_back({row.name, with_interval(row.area, "", s.bounds),
                         row.area_differences ? with_interval(*row.area_differences, "+") : ""});
    return "\n" + text_table(lines);
}

std::string threshold_table(const Result& t) {
    const Settings& s = t.settings;
    if (!s.threshold || std::ranges::none_of(t.rows, [](const Row& row) { return row.until.has_value(); }))
        return "";
    Lines lines = {{fmt::format("until {} {} {:.6g}", s.metric, s.better == Better::higher ? ">=" : "<=", *s.threshold),
                    "reached", "steps", "", fmt::format("minus {}", t.rows[s.reference].name), "targets", "seconds"}};
    for (const Row& row : t.rows) {
        if (!row.until)
            continue;
        const Until& u = *row.until;
        lines.push_back({row.name, fmt::format("{}/{}", u.steps.reached, u.steps.runs), count_text(u.steps.mean),
                         fmt::format("[{}, {}]", count_text(u.steps.limits.low), count_text(u.steps.limits.high)),
                         u.contrast ? fmt::format("{:+.0f} [{:+.0f}, {:+.0f}]", u.contrast->difference, u.contrast->limits.low,
                                                  u.contrast->limits.high)
                                    : "",
                         u.targets ? count_text(u.targets->mean) : "-",
                         u.seconds ? fmt::format("{:.1f}", u.seconds->mean) : "-"});
    }
    return fmt::format(
        "\n{}{}, first evaluation that shows it; a run that does not reach it counts with step {:.0f}, the common "
        "end\n",
        text_table(lines), split_name(s.curve()), t.horizon.value_or(0));
}

std::string steps_table(const Result& t) {
    const Settings& s = t.settings;
    if (s.steps.empty())
        return "";
    Lines lines(1);
    lines[0].push_back(fmt::format("{} ({}) at step", s.metric, split_name(s.curve())));
    for (const int64_t step : s.steps) lines[0].push_back(std::to_string(step));
    for (const Row& row : t.rows) {
        lines.push_back({row.name});
        for (const Moments& m : row.at_steps) lines.back().push_back(with_interval(m, "", s.bounds));
    }
    return "\n" + text_table(lines);
}

// "200", or "190-200" where variants differ.
std::string examples_text(const LengthCurves& curves, std::size_t bin) {
    std::vector<int64_t> counts;
    for (const std::vector<LengthMean>& variant : curves.variants)
        for (const LengthMean& m : variant)
            if (m.bin == bin)
                counts.push_back(m.examples);
    if (counts.empty())
        return "";
    const auto [least, most] = std::ranges::minmax(counts);
    return least == most ? std::to_string(least) : fmt::format("{}-{}", least, most);
}

std::string length_cell(const std::vector<LengthMean>& variant, std::size_t bin) {
    const auto at = std::ranges::find(variant, bin, &LengthMean::bin);
    if (at == variant.end())
        return "-";
    std::string text = number_text(at->moments.mean, at->limits);
    if (!at->limits.empty())
        text += " " + limits_text(at->limits.back().limits);
    return text;
}

// Where two populations are known, the intervals are those for new examples too.
std::string length_population(const LengthCurves& curves) {
    std::vector<std::string> names;
    for (const std::vector<LengthMean>& variant : curves.variants)
        for (const LengthMean& m : variant)
            if (!m.limits.empty() && !contains(names, population_name(m.limits.back().population)))
                names.emplace_back(population_name(m.limits.back().population));
    return names.empty() ? "" : fmt::format("; intervals, for each bin by itself: {}", joined(names, " or "));
}

// A line a bin, a column a variant, some variants at a time.
std::string length_tables(const Result& t) {
    constexpr std::size_t columns = 4;
    if (!t.by_length)
        return "";
    const LengthCurves& curves = *t.by_length;
    const std::string title =
        fmt::format("{} ({}) by {} symbols", t.settings.metric, split_name(t.settings.split), side_name(curves.side));
    if (!curves.missing.empty())
        return fmt::format("\n{}: none: {}\n", title, curves.missing);
    std::string text = fmt::format("\n{}: means of the runs that trained{}\n", title, length_population(curves));
    for (std::size_t begin = 0; begin < t.rows.size(); begin += columns) {
        const std::size_t end = std::min(begin + columns, t.rows.size());
        Lines lines = {{fmt::format("{} symbols", side_name(curves.side)), "examples"}};
        for (std::size_t v = begin; v < end; ++v) lines[0].push_back(t.rows[v].name);
        for (std::size_t b = 0; b < curves.bins.size(); ++b) {
            const std::string examples = examples_text(curves, b);
            if (examples.empty())
                continue;
            lines.push_back({bin_name(curves.bins[b]), examples});
            for (std::size_t v = begin; v < end; ++v) lines.back().push_back(length_cell(curves.variants[v], b));
        }
        text += (begin > 0 ? "\n" : "") + text_table(lines, {{}, {Align::right}});
    }
    return text;
}

// All metrics, some columns at a time so that lines stay short.
std::string metrics_tables(const Result& t) {
    constexpr std::size_t columns = 5;
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < t.metrics.size(); ++i)
        if (t.metrics[i] != t.settings.metric && t.metrics[i] != "perplexity")  // e to the loss
            shown.push_back(i);
    std::string text;
    for (std::size_t begin = 0; begin < shown.size(); begin += columns) {
        const std::size_t end = std::min(begin + columns, shown.size());
        Lines lines = {{fmt::format("{}, all finished runs", split_name(t.settings.split))}};
        for (std::size_t k = begin; k < end; ++k) lines[0].push_back(t.metrics[shown[k]]);
        for (const Row& row : t.rows) {
            lines.push_back({row.name});
            for (std::size_t k = begin; k < end; ++k)
                lines.back().push_back(with_interval(row.all[shown[k]], "", bounds_of(t.metrics[shown[k]])));
        }
        text += "\n" + text_table(lines);
    }
    return text;
}

// "12 tests, 10 of values and 2 of how often runs train"
std::string family_text(const Result& t) {
    const std::string all = counted(t.tests + t.tests_of_trained, "test");
    return t.tests_of_trained == 0
               ? all
               : fmt::format("{}, {} of values and {} of how often runs train", all, t.tests, t.tests_of_trained);
}

// Where there are fewer seeds than both tests need: that, and what it costs to add some.
std::string few_seeds(const Result& t) {
    const auto comparisons = std::ssize(t.rows) - 1, seeds = std::ssize(t.seeds);
    const double alpha = 1 - t.settings.confidence;
    if (seeds >= seeds_needed(comparisons, level_of_look(t.look, alpha)))
        return "";
    if (seeds >= least_flips || t.tests == 0)
        return "Too few seeds: " + seeds_text(comparisons, seeds, alpha, t.look) + ".\n";
    std::string later = later_seeds_text(comparisons, alpha, t.look);  // the t test has decided
    later.front() = 'S';
    return later + ".\n";
}

std::string heading(const Result& t, const std::string& name) {
    const Settings& s = t.settings;
    std::string text =
        fmt::format("{}: {} of the {} split, {} is better; seed{} {}\n", name, s.metric, split_name(s.split),
                    s.better == Better::higher ? "higher" : "lower", t.seeds.size() == 1 ? "" : "s", fmt::join(t.seeds, ", "));
    if (t.seeds.size() == 1)
        return text + "One seed: it tells nothing of other seeds.\n\n";
    text += fmt::format(
        "Means of the runs that trained. A column's heading says for which new seeds and examples its {} interval is.\n",
        percent(s.confidence));
    if (t.collapse_level)
        text += fmt::format("A run has collapsed where its {} is {} than {:.4g}.\n", s.metric,
                            s.better == Better::higher ? "less" : "more", *t.collapse_level);
    if (t.rows.size() < 2)
        return text + "\n";
    if (t.open > 0)
        text += fmt::format("{} open: nothing is tested before all have come to their end.\n",
                            t.open == 1 ? "1 run is" : fmt::format("{} runs are", t.open));
    const std::string decides = decides_text(t);
    if (t.tests + t.tests_of_trained > 0)
        text += fmt::format("Differences seed by seed, where both trained; {}corrected for {} (Holm).\n",
                            decides.empty() ? "" : decides + ", ", family_text(t));
    if (t.look > 1)
        text += fmt::format(
            "Look {} at this comparison: p values are multiplied by {:.3g} for it. All looks together find a "
            "difference of values, or of how often runs train, where there is none in at most {}.\n",
            t.look, (1 - s.confidence) / level_of_look(t.look, 1 - s.confidence), percent(1.2 * (1 - s.confidence)));
    return text + few_seeds(t) + "\n";
}

}  // namespace

std::string changes_text(const RecordReader& comparison) {
    constexpr std::size_t most_names = 3;
    struct Change {
        std::string option, from, to;
        std::vector<std::string> variants;
    };
    std::vector<Change> all;
    for (const RecordReader& variant : comparison.objects("variants"))
        for (const RecordReader& c : variant.objects("changed")) {
            const Change change{c.text("option"), c.text("reference"), c.text("variant"), {}};
            auto same = std::find_if(all.begin(), all.end(), [&](const Change& a) {
                return a.option == change.option && a.from == change.from && a.to == change.to;
            });
            if (same == all.end()) {  // after the last of that option
                const auto last =
                    std::find_if(all.rbegin(), all.rend(), [&](const Change& a) { return a.option == change.option; });
                same = all.insert(last == all.rend() ? all.end() : last.base(), change);
            }
            same->variants.push_back(variant.text("name"));
        }
    Lines rows = {{"variant", "changes", "from", "to"}};
    for (const Change& c : all) {
        std::string names = joined(
            {c.variants.begin(), c.variants.begin() + static_cast<std::ptrdiff_t>(std::min(most_names, c.variants.size()))});
        if (c.variants.size() > most_names)
            names += fmt::format(" and {} more", c.variants.size() - most_names);
        rows.push_back({names, c.option, bare(c.from), bare(c.to)});
    }
    return all.empty() ? "" : text_table(rows);
}

std::string text_of(const Result& t, const std::string& name, const std::string& changes) {
    std::vector<std::string> sentences = sentences_of(t);
    const std::string sum = sentences.back();  // what most readers look for
    sentences.pop_back();
    std::string text = heading(t, name) + sum + "\n\n" + main_table(t) + contrast_table(t) + seeds_table(t) + area_table(t) +
                       threshold_table(t) + steps_table(t) + length_tables(t) + metrics_tables(t) + "\n";
    if (!changes.empty())
        text += changes + "\n";
    for (const std::string& sentence : sentences) text += sentence + "\n";
    return text + "\nWhat the words mean: docs/comparing.md\n";
}

}  // namespace attend::compare
