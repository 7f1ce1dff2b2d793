"""A training step beside PyTorch's, alternately in one run: ./dev bench."""
from figures import median, number
from steps import Written
from tables import Table

CASES = ["gpt-toy", "gpt-nano", "gpt-baby", "rnnsearch-toy", "rnnsearch-mid"]
measured = Written("step_times", ["./dev", "bench", *CASES, "--json", "FILE"])


def rows():
    times = {}
    for line in measured.lines():
        times.setdefault((line["case"], "attend" if line["peer"] == "attend" else "PyTorch", line["threads"]), []).append(line["ms_per_step"])
    lines = [["case", "PyTorch, ms", "attend, ms", "times faster"]]
    for case in CASES:
        best = {who: min((median(v), t) for (c, w, t), v in times.items() if c == case and w == who) for who in ("PyTorch", "attend")}
        cells = [f"{ms:.3g} ({threads} thread{'s' if threads > 1 else ''})" for ms, threads in best.values()]
        lines.append([case, *cells, number(best["PyTorch"][0] / best["attend"][0])])
    return lines


table = Table(document="bench/README.md", minutes=8, steps=[measured], rows=rows)
