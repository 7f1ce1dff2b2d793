"""Memory of one training step of one causal self-attention layer: bytes in use that the program counts itself."""
from figures import number
from steps import Printed
from tables import Table

measured = Printed("attention_memory", ["build/bench/attend_bench_step", "--attention-memory"], before=[["./dev", "build", "bench"]])


def rows():
    mib = {(line["way"], line["tokens"]): line["peak_mib"] for line in measured.lines()}
    tokens = sorted({t for _, t in mib})
    return [["tokens", "fused, MiB", "head by head, MiB"]] + \
        [[number(t, 0), number(mib["fused", t]), number(mib["by heads", t])] for t in tokens]


table = Table(document="bench/README.md", minutes=0.5, steps=[measured], rows=rows)
