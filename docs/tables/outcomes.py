"""Tables of what configs reach: a line a config."""
from figures import number


class Outcome:
    """One line: `metric` (as summary.json has it, times `scale`) on `split`, of the runs of some seeds."""

    def __init__(self, config, what, split, metric, scale, digits, runs):
        self.config, self.what, self.split, self.metric = config, what, split, metric
        self.scale, self.digits, self.runs = scale, digits, runs

    def cells(self):
        summaries = [run.summary() for run in self.runs]
        part = [s[self.split] if self.split == "test" else s["best"] for s in summaries]
        values = ", ".join(number(self.scale * p[self.metric], self.digits) for p in part)
        seconds = sum(s["seconds"] for s in summaries) / len(summaries)
        time = f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
        return [self.config, f"{self.what}, {self.split}", values, time, f"{max(s['peak_memory_mib'] for s in summaries):.0f}"]


def outcome_rows(outcomes):
    return [["config", "measured", "every seed", "time of a run", "memory, MiB"]] + [o.cells() for o in outcomes]
