"""The table that comparisons of attention share: one line a variant, with what the tests say."""
from figures import number, p_value, percent, seed_range
from selections import what_was_found


def comparison_rows(c, measured, names=None, more=()):
    """`c` a Comparison of a metric that is a share; `measured` its column's title; `more` pairs (title, metric) of other shares."""
    rows = [["variant", f"{measured}, %", "worst to best seed", f"minus {c.variants[0].name}", "p, corrected", "verdict",
             *(f"{title}, %" for title, _ in more), "seconds"]]
    for v in c.variants:
        difference = v.difference()
        rows.append([(names or {}).get(v.name, v.name), percent(v.value()), seed_range(v.each(), c.better),
                     percent(difference, signed=True) if difference else "", p_value(v.p_corrected()), v.verdict(),
                     *(percent(v.value(metric)) for _, metric in more), number(v.seconds().mean, 0)])
    return rows


def length_rows(c, bins=None, scale=100):
    """A line a variant, a column for each bin of compare.by_length of those names (None: all), times `scale`."""
    names = c.length_bins()
    chosen = [names.index(b) for b in bins] if bins else range(len(names))
    rows = [["variant", *(f"length {names[b]}" for b in chosen), "all lengths", "verdict", "seconds"]]
    for v in c.variants:
        of = v.by_length()
        rows.append([v.name, *(of[b].text(scale) if b in of else "" for b in chosen), v.value().text(scale), v.verdict(),
                     number(v.seconds().mean, 0)])
    return rows


__all__ = ["comparison_rows", "length_rows", "what_was_found"]
