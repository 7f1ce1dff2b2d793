"""What the configs reach that take longer, or need data."""
from outcomes import Outcome, outcome_rows
from steps import Train
from tables import Table


def run(config, changes=None, seed=None):
    return Train(f"configs/{config}" + (f"_{seed}" if seed else ""), f"configs/{config}.json", changes, seed)


outcomes = [
    Outcome("reverse_luong.json (seeds 1 to 3)", "BLEU", "test", "bleu", 1, 1, [run("reverse_luong", seed=s) for s in (1, 2, 3)]),
    Outcome("gpt_deep_92.json", "loss", "valid", "loss", 1, 2, [run("gpt_deep_92")]),
    Outcome("bert_mini_wikitext.json", "loss of masked words", "valid", "loss", 1, 2, [run("bert_mini_wikitext")]),
    Outcome("transformer_multi30k.json", "BLEU", "test", "bleu", 1, 1, [run("transformer_multi30k")]),
    Outcome("multi30k_bahdanau.json", "BLEU", "test", "bleu", 1, 1, [run("multi30k_bahdanau")])]

table = Table(document="configs/README.md", minutes=75, steps=[r for o in outcomes for r in o.runs], rows=lambda: outcome_rows(outcomes),
              needs=["datasets/reverse/train.src.gz", "datasets/tinyshakespeare/input.txt", "datasets/wikitext-2/wiki.train.tokens.gz",
                     "datasets/multi30k/tok/train.lc.norm.tok.de.gz"])
