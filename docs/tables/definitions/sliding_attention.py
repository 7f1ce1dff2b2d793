"""Time of a sliding window by length, beside causal attention with as many visible pairs of query and key."""
from figures import number
from steps import Printed
from tables import Table

measured = Printed("sliding_attention", ["build/bench/attend_bench_step", "--sliding-attention"], before=[["./dev", "build", "bench"]])


def rows():
    return [["tokens", "sliding window of 256, ms", "microseconds a token", "causal, as many pairs: tokens", "ms", "time a pair, sliding / causal"]] + \
        [[number(l["tokens"], 0), number(l["ms"]), number(1000 * l["ms"] / l["tokens"]), number(l["causal_tokens"], 0), number(l["causal_ms"]),
          number(l["ratio_per_pair"], 2)] for l in measured.lines()]


table = Table(document="bench/README.md", minutes=1, steps=[measured], rows=rows)
