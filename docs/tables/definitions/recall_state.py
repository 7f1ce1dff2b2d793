"""Recall by the linear family against the size of its state; one seed each."""
from figures import number
from steps import Train
from tables import Table

WIDTHS = (16, 32, 64, 128)
KINDS = ("linear", "retention", "delta", "gated_delta")
runs = {(kind, width): Train(f"recall_state/{kind}_{width}", "configs/gpt_recall.json",
                             {"data.pairs": 8, "model.attention": kind, "model.width": width}) for kind in KINDS for width in WIDTHS}


def rows():
    """One head of K = D: a layer's state has D^2 numbers."""
    return [["width", "numbers in a layer's state", *KINDS]] + \
        [[str(width), f"{width * width:,}", *(number(100 * runs[kind, width].summary()["test"]["accuracy"]) for kind in KINDS)]
         for width in WIDTHS]


table = Table(document="docs/attention_measured.md", minutes=12, steps=list(runs.values()), rows=rows)
