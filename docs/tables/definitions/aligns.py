"""Every way to align, on dates."""
from comparisons import comparison_rows, what_was_found
from figures import Comparison
from steps import Compare
from tables import Table

compared = Compare("aligns", "configs/aligns.json")


def rows():
    return comparison_rows(Comparison(compared.comparison()), "exact match", more=[("alignment by symbol", "alignment_accuracy")])


table = Table(document="docs/attention_measured.md", minutes=12, steps=[compared], rows=rows,
              below=lambda: what_was_found(Comparison(compared.comparison())))
