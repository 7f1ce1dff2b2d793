"""From gpt_shakespeare.json to gpt_shakespeare_best.json, a change at a time, and changes that did not help."""
from figures import number
from steps import Train
from tables import Table

BASE = "configs/gpt_shakespeare.json"
SECOND = {"model.positions": "rotary", "model.norm": "rms", "schedule.final": 0, "model.context": 128, "train.batch": 6}
FOUR = {**SECOND, "optimizer.learning_rate": 0.004}
STEPS = [
    ("rotary positions, RMS norm, rate 0.003 falling to 0",
     {"model.positions": "rotary", "model.norm": "rms", "schedule.final": 0, "optimizer.learning_rate": 0.003}),
    ("context 128, batch 6, rate 0.004", FOUR),
    ("SwiGLU of the same size (ffn 344)", {**FOUR, "model.activation": "swiglu", "model.ffn": 344})]
OTHERS = [("second line with a rate of 0.006", {**SECOND, "optimizer.learning_rate": 0.006}),
          ("second line with a context of 256, batch 3", {**FOUR, "model.context": 256, "train.batch": 3}),
          ("second line with three layers", {**FOUR, "model.layers": 3}),
          ("second line with dropout 0.05", {**FOUR, "model.dropout": 0.05}),
          ("second line with weight decay 0.3", {**FOUR, "optimizer.weight_decay": 0.3})]

recipe = [Train(f"shakespeare/recipe_{seed}", BASE, seed=seed) for seed in (1, 2, 3)]
changed = {name: Train(f"shakespeare/line_{i}", BASE, changes, seed=1) for i, (name, changes) in enumerate(STEPS, 1)}
best = Train("shakespeare/best", "configs/gpt_shakespeare_best.json")
others = {name: Train(f"shakespeare/other_{i}", BASE, changes, seed=1) for i, (name, changes) in enumerate(OTHERS, 1)}


def loss(run):
    return run.summary()["valid"]["loss"]


def rows():
    mean = sum(map(loss, recipe)) / 3
    lines = [["", "loss", "seconds"],
             [f"gpt_shakespeare.json (seeds 1 to 3: {', '.join(number(loss(r), 3) for r in recipe)})", number(mean, 3),
              number(sum(r.seconds() for r in recipe) / 3, 0)]]
    for name, run in changed.items():
        lines.append([f"+ {name}", number(loss(run), 3), number(run.seconds(), 0)])
    lines.append(["+ second beta 0.95 in place of 0.99: gpt_shakespeare_best.json", number(loss(best), 3), number(best.seconds(), 0)])
    for name, run in others.items():
        lines.append([name, number(loss(run), 3), number(run.seconds(), 0)])
    return lines


table = Table(document="configs/README.md", minutes=6, steps=[*recipe, *changed.values(), best, *others.values()], rows=rows,
              needs=["datasets/tinyshakespeare/input.txt"])
