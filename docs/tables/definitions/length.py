"""Copying beyond the lengths of training, by score."""
from comparisons import length_rows, what_was_found
from figures import Comparison
from steps import Compare
from tables import Table

compared = Compare("length", "configs/length.json")
table = Table(document="docs/attention_measured.md", minutes=8, steps=[compared],
              rows=lambda: length_rows(Comparison(compared.comparison()), ["11-20", "40", "80"]),
              below=lambda: what_was_found(Comparison(compared.comparison())))
