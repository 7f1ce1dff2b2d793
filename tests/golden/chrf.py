"""Corpus chrF2 as sacreBLEU's default defines it (case:mixed|eff:yes|nc:6|nw:0|space:no), worked out in exact fractions from the
paper (Popovic 2015) and sacreBLEU's documentation (Post 2018): character n-grams up to 6 without white space, counts added over
the lines, precision and recall averaged over the orders that both sides have, beta 2, no smoothing; of several references the one
with the best score for the line; hypothesis n-grams of an order that the reference lacks do not count.
Needs /usr/bin/python3 only. The cases are those of bleu.py. Writes cases and values:
python3 tests/golden/chrf.py > tests/golden/chrf.json
"""
import json
import sys
from collections import Counter
from fractions import Fraction

from bleu import CASES, all_of

ORDERS = range(1, 7)


def grams(text, n):
    return [text[i:i + n] for i in range(len(text) - n + 1)]


def line_counts(hypothesis, reference):
    """For each order: n-grams of the hypothesis, of the reference, of both."""
    h, r = ("".join(t.split()) for t in (hypothesis, reference))
    counts = []
    for n in ORDERS:
        hs, rs = Counter(grams(h, n)), Counter(grams(r, n))
        counts.append((sum(hs.values()) if rs else 0, sum(rs.values()), sum((hs & rs).values())))
    return counts


def f_score(counts):
    used = [(h, r, m) for h, r, m in counts if h and r]
    if not used:
        return Fraction(0)
    p = sum(Fraction(m, h) for h, _, m in used) / len(used)
    r = sum(Fraction(m, r) for _, r, m in used) / len(used)
    return Fraction(500) * p * r / (4 * p + r) if p + r else Fraction(0)


def chrf(pairs):
    lines = [max((line_counts(h, r) for r in all_of(rs)), key=f_score) for h, rs in pairs]
    return float(f_score([tuple(map(sum, zip(*order))) for order in zip(*lines)]))


if __name__ == "__main__":
    json.dump([{"name": name, "pairs": pairs, "chrf": chrf(pairs)} for name, pairs in CASES.items()], sys.stdout, indent=1,
              ensure_ascii=True)
    print()
