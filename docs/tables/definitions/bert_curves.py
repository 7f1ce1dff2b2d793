"""Loss curves of one BERT here and in PyTorch, from the same weights on the same batches: means over twenty steps."""
import re

from steps import Printed
from tables import Table

CONFIG = "configs/bert_mini_wikitext.json"
measured = Printed("bert_curves", ["/usr/bin/python3", "bench/bert_curves.py", "--attend", "build/release/attend", "--batches",
                                   "build/bench/attend_bench_batches", "--steps", "200", "--every", "20", "--threads", "2", CONFIG],
                   [CONFIG], [["./dev", "build", "bench"]])


def rows():
    found = re.findall(r"^ *(\d+-\d+) +([\d.]+) +([\d.]+) +-?[\d.]+$", measured.text(), re.M)
    return [["steps", "attend", "PyTorch"]] + [list(line) for line in found[::2]]


def below():
    worst = max(abs(float(a) - float(b)) for _, a, b in re.findall(r"^ *(\d+-\d+) +([\d.]+) +([\d.]+)", measured.text(), re.M))
    seconds = re.search(r"attend ([\d.]+), PyTorch ([\d.]+)", measured.text())
    return [f"The greatest difference in any of the ten lines is {worst:.4f}; {seconds[1]} s here, {seconds[2]} s in PyTorch."]


table = Table(document="bench/README.md", minutes=2.5, steps=[measured], rows=rows, below=below,
              needs=["datasets/wikitext-2/wiki.train.tokens.gz", "datasets/tokenizers/bert-base-uncased/vocab.txt"])
