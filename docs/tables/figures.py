"""From compare.json, lab.json and metrics to the cells of a table: the one place that knows the names of their fields."""
import statistics


def number(value, digits=1):
    """1574.31 -> "1,574.3"; nothing for nothing."""
    return "" if value is None else f"{value:,.{digits}f}"


def significant(value, digits=3):
    """Three significant digits: 0.0123, 1.57, 38.5, 1,570."""
    return "" if value is None else "0" if value == 0 else f"{float(f'{value:.{digits}g}'):,g}"


def p_value(value):
    return "" if value is None else "below 0.0001" if value < 1e-4 else significant(value, 2)


class Figure:
    """A mean over seeds with its interval where there is one: object of compare.json with count, mean and either half_width or
    low and high (also as "interval": [low, high])."""

    def __init__(self, entry):
        self.count, self.mean = entry.get("count", 0), entry.get("mean")
        low, high = entry.get("interval") or (entry.get("low"), entry.get("high"))
        half = entry.get("half_width")
        self.symmetric = low is None and half is not None
        self.low, self.high = (self.mean - half, self.mean + half) if self.symmetric else (low, high)

    def text(self, scale=1, digits=1, signed=False, within=None):
        """"84.8 (83.2 to 86.4)" or "84.8"; times `scale`. An interval by Student that leaves the range `within` of the metric, or
        that has no width because all seeds are equal, says nothing about it and is left out."""
        if self.mean is None:
            return ""
        sign = "+" if signed else ""
        empty = self.low is not None and self.low == self.high
        outside = within and self.low is not None and (self.low < within[0] or self.high > within[1])
        mean = f"{scale * self.mean:{sign},.{digits}f}"
        if self.low is None or outside or empty:
            return mean
        return f"{mean} ({scale * self.low:{sign},.{digits}f} to {scale * self.high:{sign},.{digits}f})"


def percent(figure, digits=1, signed=False):
    """A share in per cent; a difference of shares where `signed`."""
    return figure.text(100, digits, signed, (-1, 1) if signed else (0, 1))


def with_limits(moments, entry):
    """Moments with the limits that compare.json has for their mean: for new seeds on the test file where it is the same for all."""
    limits = list(entry.get("limits", {}).values())
    return dict(moments, interval=limits[0]) if limits else dict(moments, half_width=None)


class Variant:
    def __init__(self, entry, metric):
        self.entry, self.metric = entry, metric
        self.name = entry["name"]

    def value(self, metric=None):
        """The metric of the comparison, or another one of the same split, over seeds."""
        if metric is None or metric == self.metric:
            return Figure(with_limits(self.entry["value"], self.entry))
        return Figure(self.entry["metrics"].get(metric) or {})

    def at_step(self, index):
        """At the index-th of compare.steps."""
        return Figure(self.entry["at_steps"][index])

    def seconds(self):
        return Figure(self.entry["seconds"])

    def difference(self):
        """To the reference; None for the reference itself."""
        entry = self.entry.get("difference")
        return Figure(with_limits(entry["differences"], entry)) if entry else None

    def trained(self):
        """"9/10"."""
        return f"{self.entry['trained']['count']}/{self.entry['runs']}"

    def verdict(self):
        """In words; "" for the reference."""
        return (self.entry.get("difference") or {}).get("verdict", "")

    def p_corrected(self):
        return (self.entry.get("difference") or {}).get("p_corrected")

    def each(self):
        """The value of every seed that has one, in the order of the seeds."""
        return [v for v in self.entry["values"] if v is not None]

    def by_length(self):
        """The number of a bin (see Comparison.length_bins) -> the mean over the runs that trained, for examples of these lengths."""
        return {m["bin"]: Figure(with_limits({"count": m["runs"], "mean": m["mean"]}, m)) for m in self.entry.get("by_length") or []}

    def runs(self):
        """"10", or "10, 2 diverged"."""
        text = str(self.entry["runs"])
        collapsed = self.entry.get("outcomes", []).count("collapsed")
        for what in ("collapsed", "diverged", "failed", "exploded"):
            count = collapsed if what == "collapsed" else self.entry.get(what)
            if count:
                text += f", {count} {what}"
        return text


class Comparison:
    def __init__(self, entry):
        self.entry = entry
        self.better = entry["better"]
        self.seeds, self.steps, self.metric = entry["seeds"], entry.get("steps", []), entry["metric"]
        self.variants = [Variant(v, self.metric) for v in entry["variants"]]

    def length_bins(self):
        """The names of the bins of compare.by_length, "11-20", in their order."""
        return [b["name"] for b in self.entry["by_length"]["bins"]]

    def population(self):
        """What the intervals are for, in words; "" where there are none."""
        kinds = [k for v in self.variants for k in v.entry.get("limits", {})]
        return {"new_seeds": "new seeds", "new_seeds_these_examples": "new seeds on these examples",
                "new_seeds_and_examples": "new seeds and new test examples"}[kinds[0]] if kinds else ""

    def found(self):
        """The sentences that the tests carry; the last one sums up."""
        found = self.entry.get("found") or []
        return [found] if isinstance(found, str) else [f if isinstance(f, str) else f.get("text", "") for f in found]

    def above(self):
        """What stands above the table."""
        return f"{len(self.seeds)} seeds ({', '.join(map(str, self.seeds))})." if len(self.seeds) > 1 else f"Seed {self.seeds[0]}."


def seed_range(values, better, scale=100, digits=1):
    """The worst to the best seed: "49.0 to 83.2"; one number where all are equal. `better` is "higher" or "lower"."""
    ends = [f"{scale * v:.{digits}f}" for v in sorted(values, reverse=better == "lower")[::max(len(values) - 1, 1)]]
    return " to ".join(dict.fromkeys(ends))


def interval_of(entry, name):
    """(low, high) of a figure of lab.json: NAME_low and NAME_high, or NAME_interval; None where it has none."""
    if entry.get(name + "_interval"):
        return tuple(entry[name + "_interval"])
    low, high = entry.get(name + "_low"), entry.get(name + "_high")
    return None if low is None or high is None else (low, high)


def lab_part(part, name, scale=1, text=significant):
    """A figure of a lab.json's row or block with its interval; nothing where the gradient is zero."""
    if part is None or part.get(name) is None:
        return ""
    interval = interval_of(part, name)
    if not interval or interval[1] < 0.0005:
        return text(scale * part[name])
    return f"{text(scale * part[name])} ({text(scale * interval[0])} to {text(scale * interval[1])})"


def lab_rows(lab, checkpoint=-1, block="attention"):
    """The table of one checkpoint of a lab.json: every estimator once; bias of all parameters and of the block of that name."""
    rows = [["estimator", "objective", "bias, %", f"bias of the {block}, %", "variance", "cosine", "ms"]]
    for e in lab["checkpoints"][checkpoint]["rows"]:
        if "skipped" in e:
            continue
        own = next((b for b in e.get("blocks", []) if b["name"].endswith(block)), None)
        rows.append([e["label"], e["objective"], lab_part(e, "bias", 100, number), lab_part(own, "bias", 100, number),
                     lab_part(e, "variance"), number(e.get("cosine"), 3), number(1000 * e["seconds"])])
    return rows


def median(values):
    return statistics.median(values)
