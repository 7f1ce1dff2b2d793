"""GPT-2 as published, fine-tuned on Shakespeare."""
from outcomes import Outcome, outcome_rows
from steps import Train
from tables import Table

outcomes = [Outcome("gpt2_124m_finetune.json", "loss", "valid", "loss", 1, 2,
                    [Train("configs/gpt2_124m_finetune", "configs/gpt2_124m_finetune.json")])]
table = Table(document="configs/README.md", minutes=30, steps=[r for o in outcomes for r in o.runs], rows=lambda: outcome_rows(outcomes),
              needs=["datasets/tinyshakespeare/input.txt", "datasets/gpt2/model.safetensors"])
