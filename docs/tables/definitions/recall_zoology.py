"""Associative recall at the sizes of Zoology's figure 2 (Arora et al. 2023): 8,192 symbols; one seed each."""
from figures import number
from steps import Train
from tables import Table

SIZES = {(64, 4): 2000, (128, 8): 2000, (256, 16): 1500}  # length and pairs: steps
KINDS = {"softmax": {}, "linear": {"model.attention": "linear"}, "delta": {"model.attention": "delta"},
         "gated_delta": {"model.attention": "gated_delta"}}


def trained(kind, size):
    length, pairs = size
    return Train(f"recall_zoology/{kind}_{length}", "configs/recall_zoology.json",
                 {"data.length": length, "data.pairs": pairs, "model.context": length, "train.steps": SIZES[size], **KINDS[kind]})


runs = {(kind, size): trained(kind, size) for kind in KINDS for size in SIZES}


def rows():
    lines = [["attention", *(f"length {length}, {pairs} pairs" for length, pairs in SIZES), "seconds"]]
    for kind in KINDS:
        of = [runs[kind, size] for size in SIZES]
        lines.append([kind, *(number(100 * run.summary()["test"]["accuracy"]) for run in of),
                      ", ".join(number(run.seconds(), 0) for run in of)])
    return lines


table = Table(document="docs/attention_measured.md", minutes=40, steps=list(runs.values()), rows=rows)
