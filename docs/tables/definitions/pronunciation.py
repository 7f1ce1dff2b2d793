"""g2p_nettalk.json and g2p_cmudict.json, dev and test."""
from figures import number
from steps import Train
from tables import Table

runs = {"NETtalk": Train("pronunciation/nettalk", "configs/g2p_nettalk.json"),
        "CMUDict": Train("pronunciation/cmudict", "configs/g2p_cmudict.json")}
PUBLISHED = {"NETtalk": "30.8, 7.4", "CMUDict": ""}


def rows():
    lines = [["data", "dev: words wrong", "test: words wrong", "test: phonemes wrong",
              "published bi-LSTM (Wu, Shapiro and Cotterell 2018)", "minutes"]]
    for name, run in runs.items():
        best, test = run.summary()["best"], run.summary()["test"]
        lines.append([name, number(100 * best["word_error_rate"]), number(100 * test["word_error_rate"]),
                      number(100 * test["symbol_error_rate"]), PUBLISHED[name], number(run.seconds() / 60)])
    return lines


table = Table(document="configs/README.md", minutes=50, steps=list(runs.values()), rows=rows,
              needs=["datasets/g2p-wu2018/NETtalk.train.src.gz", "datasets/g2p-wu2018/CMUDict.train.src.gz"])
