"""Soft attention against hard attention and its estimators: dates."""
from figures import Comparison, number, percent, seed_range
from selections import what_was_found
from steps import Compare
from tables import Table

compared = Compare("soft_vs_hard", "configs/soft_vs_hard.json")
NAMES = {"soft": "soft", "exact": "hard, exact", "none_1": "reinforce, no baseline, 1 sample",
         "none_4": "reinforce, no baseline, 4 samples", "moving_average_1": "reinforce, moving average, 1",
         "learned_1": "reinforce, learned, 1", "self_critical_1": "reinforce, self-critical, 1",
         "soft_context_1": "reinforce, soft context, 1", "leave_one_out_4": "reinforce, leave-one-out, 4",
         "gumbel_softmax": "gumbel_softmax (biased)", "relax_1": "relax, 1"}


def mean(figure):
    return "" if figure.mean is None else number(100 * figure.mean)


def rows():
    c = Comparison(compared.comparison())
    table = [["selection", *(f"{'exact match at step ' if i == 0 else ''}{step}" for i, step in enumerate(c.steps)), "test",
              "worst to best seed", "alignment by symbol", "year, month, day read", "trained",
              "verdict"]]
    for v in c.variants:
        dates = ", ".join(mean(v.value(f"alignment_{part}")) for part in ("year", "month", "day"))
        table.append([NAMES.get(v.name, v.name), *(mean(v.at_step(i)) for i in range(len(c.steps))), percent(v.value()),
                      seed_range(v.each(), c.better), mean(v.value("alignment_accuracy")), dates, v.trained(), v.verdict()])
    return table


table = Table(document="docs/hard_attention.md", minutes=7, steps=[compared], rows=rows,
              below=lambda: what_was_found(Comparison(compared.comparison())))
