#!/usr/bin/env python3
"""Makes the pictures of docs/attention.md: attention weights of small trained models. Standard library only.

usage: ./dev pictures                        lists the pictures, with what they show
       ./dev pictures NAME... [--threads N]  trains what is missing and draws; `all` stands for every name
       ./dev pictures [NAME...] --check      says whether each picture is what the kept run gives; changes nothing
       ./dev pictures NAME... --again        removes the kept runs first

A picture is a row of docs/pictures/rows.py. Its run is kept in runs/pictures/NAME: what is finished is not run again. The SVG
says in its <desc> which processor, commit and command made it. Picture and command are written into the document between the
markers `<!-- picture NAME -->` and `<!-- end NAME -->`.
"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tables")]
import drawing  # noqa: E402
import rows  # noqa: E402
import steps  # noqa: E402
import text  # noqa: E402

RUNS = "runs/pictures"
DOCUMENT = "docs/attention.md"


class Trained(steps.Train):
    """The run of a picture."""

    def __init__(self, name):
        picture = rows.PICTURES[name]
        super().__init__(name, picture.config, picture.changes)
        self.place = f"{RUNS}/{name}"


def place(name):
    return os.path.join(HERE, f"{name}.svg")


def made_by(name, run):
    """Where the run of a picture comes from, in a sentence."""
    record = run.made()["runs"][-1]
    return (f"Made by ./dev pictures {name}, {text.day(record['date'])}, commit {run.summary()['commit']}, "
            f"on {record['cpu']}: {run.command()}")


def svg(name):
    picture, run = rows.PICTURES[name], Trained(name)
    maps = drawing.last_maps(os.path.join(steps.ROOT, run.place))
    panels = [maps.panel(picture.example, site, label) for label, site in picture.panels]
    return drawing.draw(panels, picture.shows, made_by(name, run))


def command_lines(run, width=100):
    """The command, into a folder of its own so that one picture's does not stop the next one's, with a break before each option
    that no longer fits."""
    first, *sets = run.command().split(" --set ")
    lines = [first]
    for word in [f"--set {change}" for change in sets] + [f"--out runs/{run.name}"]:
        if len(lines[-1]) + len(word) + 3 > width:
            lines[-1] += " \\"
            lines.append("    " + word)
        else:
            lines[-1] += " " + word
    return lines


def block(name):
    """What stands in the document."""
    begin, end = f"<!-- picture {name} -->", f"<!-- end {name} -->"
    return "\n".join([begin, "", f"![{rows.PICTURES[name].shows}](pictures/{name}.svg)", "", "```",
                      *command_lines(Trained(name)), "```", "", end])


def in_document(name, document):
    """(begin, end) of the block of a picture in the text of a document. Throws ValueError where the markers are not there."""
    begin, end = f"<!-- picture {name} -->", f"<!-- end {name} -->"
    if document.count(begin) != 1 or document.count(end) != 1 or document.index(begin) > document.index(end):
        raise ValueError(f"{DOCUMENT}: '{begin}' and '{end}' have to stand in it once each, in this order")
    return document.index(begin), document.index(end) + len(end)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, content):
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


def make(name, threads):
    document = os.path.join(steps.ROOT, DOCUMENT)
    in_document(name, read(document))  # throws before anything runs
    Trained(name).run(threads)
    write(place(name), svg(name))
    whole = read(document)
    begin, end = in_document(name, whole)
    write(document, whole[:begin] + block(name) + whole[end:])
    print(f"{name}: docs/pictures/{name}.svg, {os.path.getsize(place(name))} bytes")


def check(name):
    """True where picture and document are what the run gives; None where there is no run."""
    if not Trained(name).complete():
        print(f"{name}: no complete run in {RUNS}, not checked")
        return None
    whole = read(os.path.join(steps.ROOT, DOCUMENT))
    begin, end = in_document(name, whole)
    same_svg = os.path.exists(place(name)) and read(place(name)) == svg(name)
    if same_svg and whole[begin:end] == block(name):
        print(f"{name}: as the run gives it")
        return True
    print(f"{name}: {DOCUMENT if same_svg else f'docs/pictures/{name}.svg'} differs from what the run gives")
    return False


def show_list():
    width = max(map(len, rows.PICTURES))
    for name, picture in rows.PICTURES.items():
        print(f"{name:<{width}}  {'run is there' if Trained(name).complete() else '':<12}  {picture.shows}")


def main():
    steps.COMMAND = "pictures"
    parser = argparse.ArgumentParser(prog="./dev pictures", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--again", action="store_true")
    a = parser.parse_args()
    names = list(rows.PICTURES) if a.names == ["all"] else a.names
    for name in names:
        if name not in rows.PICTURES:
            steps.refuse(f"no such picture: '{name}', known: {', '.join(rows.PICTURES)}, all")
    if not names and not a.check:
        return show_list()
    if a.check:
        results = [check(name) for name in names or rows.PICTURES]
        return 1 if False in results or (names and None in results) else 0
    for name in names:
        if a.again:
            Trained(name).forget()
        make(name, a.threads)
    return 0


if __name__ == "__main__":
    sys.exit(main())
