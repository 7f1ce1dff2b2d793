"""What the quick configs reach, with three seeds each where that takes seconds."""
from outcomes import Outcome, outcome_rows
from steps import Train
from tables import Table

EXACT = {"model.attention.select": {"type": "hard", "estimator": "exact"}}


def seeds(config, changes=None, name=None):
    return [Train(f"configs/{name or config}_{seed}", f"configs/{config}.json", changes, seed) for seed in (1, 2, 3)]


outcomes = [
    Outcome("bahdanau_dates.json", "exact match, %", "test", "exact_match", 100, 1, seeds("bahdanau_dates")),
    Outcome("dates_luong.json", "exact match, %", "test", "exact_match", 100, 1, seeds("dates_luong")),
    Outcome("dates_luong.json, hard with the exact gradient", "exact match, %", "test", "exact_match", 100, 1,
            seeds("dates_luong", EXACT, "dates_luong_exact")),
    Outcome("transformer_dates.json", "exact match, %", "test", "exact_match", 100, 1, seeds("transformer_dates")),
    Outcome("gpt_tiny.json", "bits a byte", "valid", "bits_per_byte", 1, 2, [Train("configs/gpt_tiny", "configs/gpt_tiny.json")])]

table = Table(document="configs/README.md", minutes=2, steps=[run for o in outcomes for run in o.runs],
              rows=lambda: outcome_rows(outcomes))
