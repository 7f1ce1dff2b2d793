"""How noisy the estimators are at the initial weights."""
from figures import lab_rows
from steps import Lab
from tables import Table

measured = Lab("lab_start", "configs/dates_luong.json", {"model.attention.select": "hard"}, rows=32, draws=96)
table = Table(document="docs/hard_attention.md", minutes=0.7, steps=[measured], rows=lambda: lab_rows(measured.lab()))
