"""Soft and hard attention pronounce: NETtalk."""
from figures import Comparison
from selections import selection_rows, what_was_found
from steps import Compare
from tables import Table

compared = Compare("compare_g2p", "configs/compare_g2p.json")
NAMES = {"exact": "hard, exact", "exact_sparsemax": "hard, exact over sparsemax's support", "sum_and_sample": "hard, sum_and_sample, k = 2",
         "reinforce": "hard, reinforce, leave-one-out of 4, reward of its own step"}

table = Table(document="docs/hard_attention.md", minutes=45, steps=[compared],
              rows=lambda: selection_rows(Comparison(compared.comparison()), NAMES, "words wrong", "symbol_error_rate", "phonemes wrong", 100),
              below=lambda: what_was_found(Comparison(compared.comparison())),
              needs=["datasets/g2p-wu2018/NETtalk.train.src.gz"])
