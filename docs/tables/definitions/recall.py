"""What a state of fixed size can recall: softmax attention, the linear family and a window."""
from comparisons import comparison_rows, what_was_found
from figures import Comparison
from steps import Compare
from tables import Table

compared = Compare("recall", "configs/recall.json")


def rows():
    return comparison_rows(Comparison(compared.comparison()), "values recalled", more=[("rows without an error", "row_accuracy")])


table = Table(document="docs/attention_measured.md", minutes=15, steps=[compared], rows=rows,
              below=lambda: what_was_found(Comparison(compared.comparison())))
