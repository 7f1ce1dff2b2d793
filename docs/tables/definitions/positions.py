"""gpt_shakespeare.json with other positions, all else unchanged."""
from figures import number
from steps import Train
from tables import Table

CHANGES = {
    "rotary, halves (Su 2021)": {"model.positions": "rotary"},
    "rotary, neighbouring pairs": {"model.positions": "rotary", "model.rotary_pairs": "neighbouring"},
    "relative, distance 16 (Shaw 2018)": {"model.positions": "none", "model.attention.bias": "relative"},
    "alibi (Press 2022)": {"model.positions": "none", "model.attention.bias": "alibi"},
    "learned, as the recipe has them": {},
    "none: the causal window alone": {"model.positions": "none"}}
runs = {name: Train(f"positions/{name.split(' (')[0].split(':')[0].replace(', ', '_').replace(' ', '_')}",
                    "configs/gpt_shakespeare.json", changes) for name, changes in CHANGES.items()}


def rows():
    return [["positions", "loss", "seconds"]] + \
        [[name, number(run.summary()["valid"]["loss"], 3), number(run.seconds(), 0)] for name, run in runs.items()]


table = Table(document="configs/README.md", minutes=3.5, steps=list(runs.values()), rows=rows,
              needs=["datasets/tinyshakespeare/input.txt"])
