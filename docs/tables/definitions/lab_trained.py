"""How noisy the estimators are after 200 steps of REINFORCE with a learned baseline."""
from figures import lab_rows
from steps import Lab, Train
from tables import Table

LEARNED = {"type": "hard", "estimator": {"type": "reinforce", "baseline": "learned"}}
run = Train("lab_trained_run", "configs/dates_luong.json", {"train.steps": 200, "model.attention.select": LEARNED})
measured = Lab("lab_trained", run, rows=16, draws=64)
table = Table(document="docs/hard_attention.md", minutes=0.5, steps=[run, measured], rows=lambda: lab_rows(measured.lab()))
