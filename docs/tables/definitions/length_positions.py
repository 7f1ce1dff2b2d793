"""Copying beyond the lengths of training, by a transformer's positions."""
from comparisons import length_rows, what_was_found
from figures import Comparison
from steps import Compare
from tables import Table

compared = Compare("length_positions", "configs/length_positions.json")
table = Table(document="docs/attention_measured.md", minutes=12, steps=[compared],
              rows=lambda: length_rows(Comparison(compared.comparison()), ["11-20", "21-30", "40", "80"]),
              below=lambda: what_was_found(Comparison(compared.comparison())))
