"""Markdown: a table, its provenance, and its place in a document between two markers. Standard library only."""
import datetime
import os
import re
import textwrap

WIDTH = 100


def markers(name):
    return f"<!-- table {name} -->", f"<!-- end {name} -->"


def markdown(rows):
    """Rows of cells, the first the header."""
    head, *body = rows
    for row in body:
        if len(row) != len(head):
            raise ValueError(f"row '{row[0]}' has {len(row)} cells, the header {len(head)}")
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(head))
    return "\n".join(re.sub(r"  +", " ", line) for line in lines)


def day(iso):
    d = datetime.date.fromisoformat(iso)
    return f"{d.day} {d:%B %Y}"


def listed(words):
    words = list(dict.fromkeys(words))
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def commands_text(commands):
    """All of them where they are few; else the first, and how many more."""
    commands = list(dict.fromkeys(commands))
    shown = " and ".join(f"`{c}`" for c in commands[:2])
    return shown if len(commands) <= 2 else f"`{commands[0]}` and {len(commands) - 1} more"


def provenance(name, runs, commands):
    """`runs` are the records of all commands (machine.now): every processor, commit and first and last day among them."""
    days = sorted({r["date"] for r in runs})
    when = day(days[0]) if len(days) == 1 else f"{day(days[0])} to {day(days[-1])}"
    commits = listed(r["commit"] for r in sorted(runs, key=lambda r: r["date"]))
    # Times are too long then; other figures do not depend on it.
    crowded = " (that did other work, too)" if any(r.get("crowded") for r in runs) else ""
    text = (f"Made by `./dev tables {name}`, {when}, commit {commits}, on {listed(r['cpu'] for r in runs)}{crowded}: "
            f"{commands_text(commands)}.")
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def block(name, rows, runs, commands, below=()):
    """All that stands between the markers."""
    begin, end = markers(name)
    paragraphs = [markdown(rows), provenance(name, runs, commands)]
    paragraphs += [textwrap.fill(p, WIDTH, break_long_words=False, break_on_hyphens=False) for p in below]
    return begin + "\n\n" + "\n\n".join(paragraphs) + "\n\n" + end


def current(document, name):
    """(text of the document, begin and end of the block in it). Throws ValueError where the markers are not there once each."""
    begin, end = markers(name)
    with open(document, encoding="utf-8") as file:
        text = file.read()
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"{os.path.basename(document)}: '{begin}' and '{end}' have to stand in it once each, in this order")
    return text, text.index(begin), text.index(end) + len(end)


def replace(document, name, new):
    text, begin, end = current(document, name)
    with open(document, "w", encoding="utf-8") as file:
        file.write(text[:begin] + new + text[end:])
