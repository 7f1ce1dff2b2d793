"""CMUDict's dev words that also occur in its training part, with other pronunciations: how many are wrong among them."""
import gzip
import os

from definitions.pronunciation import runs
from figures import number
from steps import ROOT, Evaluate, Train
from tables import Table

DATA = "datasets/g2p-wu2018/CMUDict"
# As far as it was recorded what the smaller model was.
gru = Train("pronunciation/cmudict_gru", "configs/g2p_cmudict.json",
            {"model.cell": "gru", "model.hidden": 256, "model.dropout": 0.2, "train.epochs": 16})
models = {"GRU 256, dropout 0.2, 16 epochs": (gru, Evaluate("pronunciation/cmudict_gru_dev", gru, "valid", examples=True)),
          "LSTM 512, dropout 0.4, 20 epochs: g2p_cmudict.json":
              (runs["CMUDict"], Evaluate("pronunciation/cmudict_dev", runs["CMUDict"], "valid", examples=True))}


def pronunciations(part):
    """Word -> all of its pronunciations in that part."""
    found, files = {}, [gzip.open(os.path.join(ROOT, f"{DATA}.{part}.{side}.gz"), "rt", encoding="utf-8") for side in ("src", "trg")]
    for word, said in zip(*files):
        found.setdefault(word.strip(), set()).add(said.strip())
    return found


def share(wrong):
    return number(100 * sum(wrong) / len(wrong))


def rows():
    training, dev = pronunciations("train"), pronunciations("dev")
    lines = [["model", "all", "words that occur in training", "other words",
              "all, counting the pronunciations of training as right too"]]
    for name, (_, evaluated) in models.items():
        words = [(e["source"], e["decoded"]) for e in evaluated.examples()]
        wrong = {word: said not in dev[word] for word, said in words}
        lines.append([name, share(wrong.values()), share([w for word, w in wrong.items() if word in training]),
                      share([w for word, w in wrong.items() if word not in training]),
                      share([w and said not in training.get(word, ()) for (word, said), w in zip(words, wrong.values())])])
    return lines


table = Table(document="configs/README.md", minutes=80, steps=[step for pair in models.values() for step in pair], rows=rows,
              needs=[f"{DATA}.train.src.gz"])
