"""Soft and hard attention inflect: German."""
from figures import Comparison
from selections import selection_rows, what_was_found
from steps import Compare
from tables import Table

compared = Compare("compare_inflection", "configs/compare_inflection.json")
NAMES = {"exact": "hard, exact", "sum_and_sample": "hard, sum_and_sample, k = 2"}

table = Table(document="docs/hard_attention.md", minutes=45, steps=[compared],
              rows=lambda: selection_rows(Comparison(compared.comparison()), NAMES, "exact match", "edit_distance", "edit distance", 1),
              below=lambda: what_was_found(Comparison(compared.comparison())),
              needs=["datasets/sigmorphon2017-task1/german-train-high"])
