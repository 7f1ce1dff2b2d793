"""SCAN (Lake and Baroni 2018): three splits, four scores and four kinds of positions; one seed each."""
from figures import number
from steps import Train
from tables import Table

DATA = "datasets/scan/tasks"
SPLITS = {"simple": "simple", "length": "length", "jump": "addprim_jump"}
POSITIONS = {"sinusoidal": {}, "rotary": {"model.positions": "rotary"},
             "relative (Shaw 2018)": {"model.positions": "none", "model.attention.bias": "relative"},
             "t5 buckets (Raffel 2020)": {"model.positions": "none", "model.attention.bias": "t5"}}
MODELS = {**{f"GRU, {score}": ("scan_rnn", {"model.attention.score": score}) for score in
             ("additive", "scaled_dot", "location_aware", "cosine")},
          **{f"transformer, {name}": ("scan_transformer", changes) for name, changes in POSITIONS.items()}}


def trained(model, split):
    config, changes = MODELS[model]
    name = model.split(" (")[0].replace(", ", "_").replace(" ", "_")
    return Train(f"scan/{name}_{split}", f"configs/{config}.json",
                 {"data.train": f"{DATA}_train_{SPLITS[split]}.txt.gz", "data.test": f"{DATA}_test_{SPLITS[split]}.txt.gz", **changes})


runs = {model: {split: trained(model, split) for split in SPLITS} for model in MODELS}


def rows():
    return [["model", *(f"{split}, %" for split in SPLITS), "seconds a run"]] + \
        [[model, *(number(100 * run.summary()["test"]["exact_match"]) for run in of.values()),
          number(sum(run.seconds() for run in of.values()) / len(of), 0)] for model, of in runs.items()]


table = Table(document="docs/attention_measured.md", minutes=30, steps=[run for of in runs.values() for run in of.values()], rows=rows,
              needs=[f"{DATA}_train_{split}.txt.gz" for split in SPLITS.values()])
