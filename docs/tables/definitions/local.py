"""Local attention on long sources with a monotone alignment."""
from comparisons import comparison_rows, what_was_found
from figures import Comparison
from steps import Compare
from tables import Table

compared = Compare("local", "configs/local.json")


def rows():
    return comparison_rows(Comparison(compared.comparison()), "symbols right")


table = Table(document="docs/attention_measured.md", minutes=12, steps=[compared], rows=rows,
              below=lambda: what_was_found(Comparison(compared.comparison())))
