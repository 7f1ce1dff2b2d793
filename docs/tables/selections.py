"""The table that the comparisons of selections share: NETtalk and German."""
from figures import number, p_value, percent, seed_range


def selection_rows(c, names, metric, other, other_name, other_scale):
    """`c` a Comparison; `other` a second metric, times `other_scale`."""
    rows = [["selection", f"{metric}, %", "worst to best seed" if len(c.seeds) > 1 else "seed", "minus soft", "p, corrected", other_name,
             "seconds"]]
    for v in c.variants:
        difference = v.difference()
        rows.append([names.get(v.name, v.name), percent(v.value()), seed_range(v.each(), c.better),
                     percent(difference, signed=True) if difference else "", p_value(v.p_corrected()),
                     v.value(other).text(other_scale, 1 if other_scale > 1 else 2), number(v.seconds().mean, 0)])
    return rows


def what_was_found(c):
    return [f"{c.above()} What the tests of this comparison carry: " + " ".join(c.found())]
