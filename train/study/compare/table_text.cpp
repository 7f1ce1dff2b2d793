#include "train/study/compare/table_text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "train/config/words.h"
#include "train/evaluate/text_table.h"
#include "train/records/numbers.h"

namespace attend::compare {

namespace {

// Digits after the point that show two figures of `size`: 0.0123 gets 3.
int digits_for(double size) {
    if (!(size > 0) || !std::isfinite(size))
        return 4;
    return std::clamp(1 - static_cast<int>(std::floor(std::log10(size))), 0, 6);
}

// "0.9987 +- 0.0012"; of one value "0.9987"; of none "-".
std::string with_interval(const Moments& m, const char* sign = "") {
    if (m.count == 0)
        return "-";
    const std::optional<double>& half = m.half_width;
    const bool spread = half && *half > 0;
    std::string mean = spread ? fmt::format("{:.{}f}", m.mean, digits_for(*half)) : fmt::format("{:.6g}", m.mean);
    if (m.mean >= 0)
        mean = sign + mean;
    return !half ? mean : mean + (spread ? fmt::format(" +- {:.{}f}", *half, digits_for(*half)) : " +- 0");
}

std::string count_text(double value) {
    return !std::isfinite(value) ? "-" : value < 1e6 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string seconds_text(const Moments& m) { return m.count > 0 ? fmt::format("{:.1f}", m.mean) : "-"; }

std::string p_text(const std::optional<double>& p) {
    return !p ? "-" : *p < 1e-4 ? fmt::format("{:.0e}", *p) : fmt::format("{:.4f}", *p);
}

std::string seeds_text(const Contrast& c) {
    if (c.differences.mean == 0 && c.differences.deviation == 0)
        return "equal with every seed";
    if (!c.seeds_more)
        return "10,000 seeds would not be enough for a difference as small as the one seen";
    return fmt::format("about {} needed", counted(*c.seeds_more, "more seed"));
}

std::string verdict_text(const Row& row, const Result& table) {
    if (!row.contrast)
        return "reference";
    if (row.contrast->verdict == Verdict::not_distinguishable)
        return fmt::format("not distinguishable; {}", seeds_text(*row.contrast));
    if (row.contrast->verdict == Verdict::too_few)
        return table.seeds.size() < 2 ? "one seed tells nothing of the spread" : "too few seeds finished in both";
    return verdict_name(row.contrast->verdict);
}

std::string runs_text(const Row& row) {
    std::string text = fmt::format("{}/{}", row.finished, row.runs);
    for (const auto& [count, what] :
         {std::pair(row.diverged, "diverged"), std::pair(row.failed, "failed"), std::pair(row.exploded, "exploded")})
        if (count > 0)
            text += fmt::format(", {} {}", count, what);
    return text;
}

// "a, b and c"
std::string listed(std::vector<std::string> words) {
    const std::string last = words.back();
    words.pop_back();
    return words.empty() ? last : joined(words) + " and " + last;
}

std::string percent(double share) { return fmt::format("{:.4g} %", 100 * share); }

std::vector<std::vector<std::string>> main_table(const Result& t) {
    const Settings& s = t.settings;
    std::vector<std::vector<std::string>> rows = {{"variant", "finished", s.metric,
                                                   fmt::format("minus {}", t.rows[s.reference].name), "p", "p corrected",
                                                   "seconds", "verdict"}};
    for (const Row& row : t.rows) {
        const std::optional<Contrast>& c = row.contrast;
        rows.push_back({row.name, runs_text(row), with_interval(row.moments), c ? with_interval(c->differences, "+") : "",
                        c ? p_text(c->p) : "", c ? p_text(c->corrected) : "", seconds_text(row.run_seconds),
                        verdict_text(row, t)});
    }
    return rows;
}

std::string threshold_table(const Result& t) {
    if (!t.threshold)
        return "";
    const Settings& s = t.settings;
    std::vector<std::vector<std::string>> rows = {
        {fmt::format("until {} {} {:.6g}", s.metric, s.better == Better::higher ? ">=" : "<=", *t.threshold), "reached",
         "steps", "targets", "seconds"}};
    for (const Row& row : t.rows) {
        const Moments& n = row.steps;
        rows.push_back({row.name, fmt::format("{}/{}", n.count, row.runs), with_interval(n), count_text(row.targets.mean),
                        seconds_text(row.seconds)});
    }
    return fmt::format("\n{}{}, first evaluation that shows it; means over the runs that reached it\n", text_table(rows),
                       split_name(s.curve()));
}

std::string steps_table(const Result& t) {
    const Settings& s = t.settings;
    if (s.steps.empty())
        return "";
    std::vector<std::vector<std::string>> rows(1);
    rows[0].push_back(fmt::format("{} ({}) at step", s.metric, split_name(s.curve())));
    for (const int64_t step : s.steps) rows[0].push_back(std::to_string(step));
    for (const Row& row : t.rows) {
        rows.push_back({row.name});
        for (const Moments& m : row.at_steps) rows.back().push_back(with_interval(m));
    }
    return "\n" + text_table(rows);
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
        std::vector<std::vector<std::string>> rows = {{split_name(t.settings.split)}};
        for (std::size_t k = begin; k < end; ++k) rows[0].push_back(t.metrics[shown[k]]);
        for (const Row& row : t.rows) {
            rows.push_back({row.name});
            for (std::size_t k = begin; k < end; ++k) rows.back().push_back(with_interval(row.all[shown[k]]));
        }
        text += "\n" + text_table(rows);
    }
    return text;
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
    std::vector<std::vector<std::string>> rows = {{"variant", "changes", "from", "to"}};
    for (const Change& c : all) {
        std::string names = joined(
            {c.variants.begin(), c.variants.begin() + static_cast<std::ptrdiff_t>(std::min(most_names, c.variants.size()))});
        if (c.variants.size() > most_names)
            names += fmt::format(" and {} more", c.variants.size() - most_names);
        rows.push_back({names, c.option, c.from.empty() ? "-" : c.from, c.to.empty() ? "-" : c.to});
    }
    return all.empty() ? "" : text_table(rows);
}

std::string text_of(const Result& t, const std::string& name, const std::string& changes) {
    const Settings& s = t.settings;
    std::string text =
        fmt::format("{}: {} of the {} split, {} is better; seed{} {}\n", name, s.metric, split_name(s.split),
                    s.better == Better::higher ? "higher" : "lower", t.seeds.size() == 1 ? "" : "s", fmt::join(t.seeds, ", "));
    text +=
        t.seeds.size() == 1
            ? "One seed: no intervals and no tests.\n\n"
            : fmt::format(
                  "Means over seeds with their {} intervals (Student's t), each for itself; differences seed by seed, paired t "
                  "test, corrected for {} comparison{} (Holm).\n\n",
                  percent(s.confidence), t.rows.size() - 1, t.rows.size() == 2 ? "" : "s");
    text += text_table(main_table(t)) + metrics_tables(t) + threshold_table(t) + steps_table(t) + "\n";
    if (!changes.empty())
        text += changes + "\n";
    for (const std::string& sentence : sentences_of(t)) text += sentence + "\n";
    return text;
}

std::vector<std::string> sentences_of(const Result& t) {
    const Settings& s = t.settings;
    const std::string& reference = t.rows[s.reference].name;
    std::vector<std::string> all, better, worse, open, untested;
    if (std::any_of(t.rows.begin(), t.rows.end(), [](const Row& row) { return row.extended > 0; }))
        all.emplace_back(
            "These runs were extended beyond the end that they were begun with (extended in config.json): runs of as many "
            "steps at once can be others.");
    for (const Row& row : t.rows) {
        if (row.diverged + row.failed > 0)
            all.push_back(
                fmt::format("{}: {} of {} runs did not finish ({} diverged, {} failed); its numbers are of the others.",
                            row.name, row.runs - row.finished, row.runs, row.diverged, row.failed));
        if (row.exploded > 0)
            all.push_back(fmt::format(
                "{}: the loss of {} of {} finished runs ended far above where it began (loss_exploded in summary.json); "
                "its numbers are of these, too.",
                row.name, row.exploded, row.finished));
        if (!row.contrast)
            continue;
        const Contrast& c = *row.contrast;
        switch (c.verdict) {
            case Verdict::better:
            case Verdict::worse:
                (c.verdict == Verdict::better ? better : worse).push_back(row.name);
                all.push_back(fmt::format("{} is {} than {}: {} {} by {} (p {} corrected).", row.name, verdict_name(c.verdict),
                                          reference, s.metric, c.differences.mean > 0 ? "higher" : "lower",
                                          short_number(std::abs(c.differences.mean)), p_text(c.corrected)));
                break;
            case Verdict::not_distinguishable:
                open.push_back(c.seeds_more ? fmt::format("{} (about {})", row.name, counted(*c.seeds_more, "more seed"))
                                            : row.name);
                all.push_back(fmt::format("{} is not distinguishable from {} with {} seeds: {}.", row.name, reference,
                                          c.differences.count, seeds_text(c)));
                if (c.detectable)
                    all.back() +=
                        fmt::format(" With this spread {} seeds find a difference of {} or more with probability {:.2g}.",
                                    c.differences.count, short_number(*c.detectable), s.power);
                break;
            case Verdict::no_spread:
                untested.push_back(row.name);
                all.push_back(
                    fmt::format("{} differs from {} by {} with every one of {} seeds: there is no spread for a test to "
                                "go by; more seeds, or more examples to measure on, are needed.",
                                row.name, reference, short_number(c.differences.mean), c.differences.count));
                break;
            case Verdict::too_few:
                untested.push_back(row.name);
                break;
        }
    }
    std::string sum;
    const auto add = [&](const std::vector<std::string>& names, const std::string& what) {
        if (!names.empty())
            sum += fmt::format("{}{} {}", sum.empty() ? "" : "; ", what, listed(names));
    };
    add(better, fmt::format("better than {}:", reference));
    add(worse, fmt::format("worse than {}:", reference));
    add(open, fmt::format("not distinguishable from {}:", reference));
    add(untested, t.seeds.size() < 2 ? "one seed, not tested:" : "not tested:");
    all.push_back(sum.empty() ? "Found: nothing to compare, there is one variant." : "Found: " + sum + ".");
    return all;
}

}  // namespace attend::compare
