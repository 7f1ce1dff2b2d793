"""What the exact gradient of hard attention costs: time of a training step beside soft attention's, three runs each, in turn."""
from figures import median, number
from steps import Train
from tables import Table

EXACT = {"type": "hard", "estimator": "exact"}
CONFIGS = {"dates_luong": ("dates_luong.json", {"train.steps": 400}, True),
           "nettalk": ("g2p_nettalk_exact.json (NETtalk)", {"train.epochs": "auto", "train.steps": 300}, False),
           "german": ("inflection_hard.json (German)", {"train.epochs": "auto", "train.steps": 300}, True)}
FILES = {"dates_luong": "dates_luong", "nettalk": "g2p_nettalk_exact", "german": "inflection_hard"}
WAYS = {"soft": {"model.attention.select": "soft"}, "exact": {"model.attention.select": EXACT}}

runs = {}
for key, (_, short, with_sparsemax) in CONFIGS.items():
    for repeat in (1, 2, 3):
        for align in ("softmax", "sparsemax") if with_sparsemax else ("softmax",):
            for way, select in WAYS.items():
                # Greedy: the evaluation at the end is not what is measured here.
                changes = {**short, "train.evaluate_every": short["train.steps"], **select, "decode.beam": 1}
                if align != "softmax":
                    changes["model.attention.align"] = align
                runs[key, align, way, repeat] = Train(f"exact_cost/{key}_{align}_{way}_{repeat}", f"configs/{FILES[key]}.json", changes)


def milliseconds(key, align, way):
    return median(runs[key, align, way, repeat].step_milliseconds() for repeat in (1, 2, 3))


def rows():
    table = [["config", "soft, ms", "exact, ms", "exact / soft", "exact / soft with sparsemax"]]
    for key, (name, _, with_sparsemax) in CONFIGS.items():
        soft, exact = milliseconds(key, "softmax", "soft"), milliseconds(key, "softmax", "exact")
        sparse = number(milliseconds(key, "sparsemax", "exact") / milliseconds(key, "sparsemax", "soft"), 2) if with_sparsemax else ""
        table.append([name, number(soft, 2), number(exact, 2), number(exact / soft, 2), sparse])
    return table


table = Table(document="docs/hard_attention.md", minutes=4, steps=list(runs.values()), rows=rows,
              needs=["datasets/g2p-wu2018/NETtalk.train.src.gz", "datasets/sigmorphon2017-task1/german-train-high"])
