"""What attention is for: copying with and without, by length."""
from comparisons import length_rows, what_was_found
from figures import Comparison
from steps import Compare
from tables import Table

compared = Compare("no_attention", "configs/no_attention.json")
table = Table(document="docs/attention_measured.md", minutes=3, steps=[compared],
              rows=lambda: length_rows(Comparison(compared.comparison()), ["up to 4", "5-6", "7-8", "9-10", "13-14", "20"]),
              below=lambda: what_was_found(Comparison(compared.comparison())))
