"""The table that the comparisons of selections share: NETtalk and German."""
import math

from figures import number, p_value, percent, seed_range


def selection_rows(c, names, metric, other, other_name, other_scale):
    """`c` a Comparison; `other` a second metric: a share where other_scale is 100, else any number that is not negative."""
    share = other_scale == 100
    rows = [["selection", f"{metric}, %", "worst to best seed" if len(c.seeds) > 1 else "seed", "minus soft", "p, corrected", "verdict",
             other_name, "seconds"]]
    for v in c.variants:
        difference = v.difference()
        rows.append([names.get(v.name, v.name), percent(v.value()), seed_range(v.each(), c.better),
                     percent(difference, signed=True) if difference else "", p_value(v.p_corrected()), v.verdict(),
                     v.value(other).text(other_scale, 1 if share else 2, within=(0, 1 if share else math.inf)), number(v.seconds().mean, 0)])
    return rows


def what_was_found(c):
    intervals = f" Intervals of 95 % for {c.population()}." if c.population() else ""
    return [f"{c.above()}{intervals} What the tests of this comparison carry: " + "".join(c.found()[-1:])]
