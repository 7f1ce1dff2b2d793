"""Corpus BLEU as sacreBLEU's default defines it (nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp), worked out a second time, in
exact fractions and with regular expressions, from the papers (Papineni et al. 2002; Post 2018) and NIST's mteval-v13a rules.
Needs /usr/bin/python3 only. Writes the cases and their values:  python3 tests/golden/bleu.py > tests/golden/bleu.json
"""
import json
import math
import re
import sys
from collections import Counter
from fractions import Fraction
from functools import reduce
from operator import or_


def tokens(line):
    line = line.rstrip()
    for entity, text in (("<skipped>", ""), ("-\n", ""), ("\n", " "), ("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"),
                         ("&gt;", ">")):
        line = line.replace(entity, text)
    alone = "".join(chr(c) for c in range(0x20, 0x7F) if not chr(c).isalnum() and chr(c) not in "'-.,")
    line = re.sub("([" + re.escape(alone) + "])", r" \1 ", f" {line} ")
    line = re.sub(r"([^0-9])([.,])", r"\1 \2 ", line)
    line = re.sub(r"([.,])([^0-9])", r" \1 \2", line)
    line = re.sub(r"([0-9])-", r"\1 - ", line)
    return line.split()


def ngrams(words, n):
    return Counter(tuple(words[i:i + n]) for i in range(len(words) - n + 1))


def all_of(references):
    """The references of a line: one text, or a list of them."""
    return [references] if isinstance(references, str) else references


def bleu(pairs):
    hypotheses = [tokens(h) for h, _ in pairs]
    references = [[tokens(r) for r in all_of(rs)] for _, rs in pairs]
    h = sum(map(len, hypotheses))
    r = sum(min((abs(len(b) - len(a)), len(b)) for b in bs)[1] for a, bs in zip(hypotheses, references))
    matches, possible = [], []
    for n in (1, 2, 3, 4):
        matches.append(sum(sum((ngrams(a, n) & reduce(or_, (ngrams(b, n) for b in bs))).values())
                           for a, bs in zip(hypotheses, references)))
        possible.append(sum(sum(ngrams(a, n).values()) for a in hypotheses))
    if sum(matches) == 0 or 0 in possible:
        return 0.0
    product, zeros = Fraction(1), 0
    for m, p in zip(matches, possible):
        if m == 0:
            zeros += 1
            product *= Fraction(1, 2**zeros * p)
        else:
            product *= Fraction(m, p)
    penalty = 1.0 if h >= r else math.exp(1 - r / h)
    return 100 * penalty * float(product) ** 0.25


fox = "The quick brown fox jumps over the lazy dog."
CASES = {
    "equal": [(fox, fox)],
    "case matters": [(fox.lower(), fox)],
    "one word changed": [("The quick brown cat jumps over the lazy dog.", fox)],
    "too short": [("The quick brown fox jumps", fox)],
    "too long": [(fox + " And then it sleeps all day long.", fox)],
    "repeated words are clipped": [("the the the the the the the", "the cat sat on the mat there")],
    "empty hypothesis": [("", fox)],
    "empty reference": [(fox, "")],
    "both empty": [("", "")],
    "one of two hypotheses is empty": [("", fox), ("A man sleeps on a bench.", "A man sleeps on a bench.")],
    "one word, equal": [("Yes", "Yes")],
    "one word, no match": [("Yes", "No")],
    "three words, equal, no 4-grams": [("a b c", "a b c")],
    "four words, equal": [("a b c d", "a b c d")],
    "one-word lines among long ones": [("Yes", "Yes"), ("No", "Yes"), (fox, fox)],
    "no match at all": [("aa bb cc dd ee", "vv ww xx yy zz")],
    "unigrams only": [("d c b a e", "a b c d e")],
    "no 3-grams": [("a b x c d y e", "a b z c d q e")],
    "no 4-grams": [("a b c x d e f", "a b c y d e f")],
    "numbers": [("It costs 1,000.5 or 1.000,5 dollars.", "It costs 1,000.5 or 1,000 dollars.")],
    "number before a stop": [("He was born in 1996.", "He was born in 1996 .")],
    "decimal points and versions": [("version 2.0.1, pi is 3.14, .5 and 5.", "version 2.0 .1, pi is 3 .14 , .5 and 5 .")],
    "abbreviations": [("the U.S. and the U.K. in Washington D.C., e.g. here", "the U.S. and the U. K. in Washington D. C., e. g. here")],
    "apostrophes stay": [("I don't know, it's Tom's dog", "I don 't know , it 's Tom's dog")],
    "entities": [("he said &quot;yes&quot; &amp; left &lt;now&gt; A&amp;B", "he said \"yes\" & left < now > A & B")],
    "an entity in an entity": [("x &amp;quot; y &amp;lt; z w", "x &quot; y < z w")],
    "hyphens": [("a well-known 20-year-old in 1990-1995 said -5 times", "a well-known 20 -year-old in 1990 - 1995 said -5 times")],
    "brackets and signs": [("(a) [b] {c} d/e f*g #1 $5 50% x=y <z> a_b ~c `d` ^e |f \\g @h",
                            "( a ) [ b ] { c } d / e f * g # 1 $ 5 50 % x = y < z > a _ b ~ c ` d ` ^ e | f \\ g @ h")],
    "stops in a row": [("wait... what?! no,, yes,.,", "wait . . . what ? ! no , , yes , . ,")],
    "accents": [("l'\u00e9t\u00e9 \u00e0 N\u00eemes, o\u00f9 il fait 30\u00b0C.", "l'\u00e9t\u00e9 \u00e0 N\u00eemes , o\u00f9 il fait 30\u00b0C .")],
    "accent before a stop": [("tr\u00e8s caf\u00e9. L\u00e0, o\u00f9 \u00e9.\u00e8", "tr\u00e8s caf\u00e9 . L\u00e0 , o\u00f9 \u00e9 . \u00e8")],
    "typographic marks stay": [("\u201eHallo\u201c, sagte er \u2013 laut\u2026", "\u201eHallo\u201c , sagte er \u2013 laut\u2026")],
    "white space of all kinds": [("a\u00a0b\u2003c\u3000d\te\u2028f", "a b c d e f")],
    "blanks around": [("   a   b c d  e  ", "a b c d e")],
    "skipped is removed": [("a b <skipped>c d e", "a b c d e")],
    "a corpus": [
        ("Zwei M\u00e4nner stehen am Herd und bereiten Essen zu.", "Zwei M\u00e4nner stehen am Herd und bereiten Essen zu."),
        ("Ein kleines M\u00e4dchen klettert in ein Haus aus Holz.", "Ein kleines M\u00e4dchen klettert in ein Spielhaus aus Holz."),
        ("Ein Mann schl\u00e4ft in einem gr\u00fcnen Raum.", "Ein Mann in einem blauen Hemd steht auf einer Leiter und putzt ein Fenster."),
        ("Leute reparieren das Dach eines Hauses.", "Leute Reparieren das Dach eines Hauses."),
    ],
    "counts are added over the corpus, not averaged": [("a b c d e f g h", "a b c d e f g h"), ("x", "y z w v")],
    "one missing word in a long corpus": [("10 43 37 32 6 9 25 36", "10 43 37 32 6 9 25 36"), ("18 38 20 7 42 14", "18 38 20 7 42 14 28")],
    "empty lines on both sides among others": [("", ""), (fox, fox), ("", "")],
    "all hypotheses empty": [("", fox), ("", "Yes")],
    "a blank hypothesis": [("   ", fox)],
    "one word, punctuation aside": [("Yes.", "Yes")],
    "one letter": [("x", "x")],
    "one word against many": [("fox", fox)],
    "many words against one": [(fox, "fox")],
    "two words, equal": [("hello world", "hello world")],
    "one-word lines, half of them right": [("cat", "cat"), ("dog", "cat"), ("sun", "sun"), ("moon", "sun")],
    "words turned around": [("dog lazy the over jumps fox brown quick The .", fox)],
    "a word too many at the end": [("a b c d e f g h i", "a b c d e f g h")],
    "phonemes": [("K AE T S AH", "K AE T S"), ("D AO G", "D AA G")],
    "an inflected form": [("hydrodynamiikkoina", "hydrodynamiikkoina"), ("abgesetzten", "absetzten")],
    "characters beyond two bytes": [("\u4f60\u597d \u4e16\u754c \U0001F600 ok then", "\u4f60\u597d \u4e16\u754c \U0001F601 ok then")],
    "combining accents are characters": [("cafe\u0301 au lait s'il vous", "caf\u00e9 au lait s'il vous")],
    "two references, either is right in part": [("the cat is on the mat today", ["the cat sat on the mat", "a cat is on a mat today"])],
    "two references, an n-gram of each": [("a b c x y z", ["a b c d e f", "u v w x y z"])],
    "two references, the closest length counts": [("a b c d e f", ["a b c d e f g h", "a b c d e"])],
    "two references, equally close: the shorter": [("a b c d e f", ["a b c d e f g", "a b c d e"])],
    "two references, one of them empty": [("a b c d", ["", "a b c d"])],
    "references of different counts": [("a b c d e", ["a b c d e", "x"]), ("p q r s", ["p q r t"]), ("k l", ["m", "k", "k l n"])],
}

if __name__ == "__main__":
    cases = [{"name": name, "pairs": pairs, "tokens": [tokens(h) for h, _ in pairs], "bleu": bleu(pairs)}
             for name, pairs in CASES.items()]
    json.dump(cases, sys.stdout, indent=1, ensure_ascii=True)
    print()
