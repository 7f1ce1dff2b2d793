"""Captions with and without attention, by the number of German words."""
from comparisons import length_rows, what_was_found
from figures import Comparison
from steps import Compare
from tables import Table

compared = Compare("no_attention_multi30k", "configs/no_attention_multi30k.json")
table = Table(document="docs/attention_measured.md", minutes=40, steps=[compared],
              rows=lambda: length_rows(Comparison(compared.comparison()), None, scale=1),
              below=lambda: what_was_found(Comparison(compared.comparison())), needs=["datasets/multi30k/tok/train.lc.norm.tok.de.gz"])
