#!/usr/bin/env python3
"""Remakes the tables of the documents. Standard library only.

usage: ./dev tables                            lists the tables, with their documents and expected times
       ./dev tables NAME... [--threads N]      runs what a table needs and writes it into its document
       ./dev tables [NAME...] --check          says whether the documents hold what the kept runs give; changes nothing
       ./dev tables NAME... --again            removes the table's kept runs first
       ./dev tables NAME --adopt FOLDER        copies a comparison that was made on this machine with --out FOLDER

Runs are kept in runs/tables: what is finished is not run again, what was broken off continues. A table is written between the
markers `<!-- table NAME -->` and `<!-- end NAME -->`, followed by processor, commit, date and command. Each table is defined in
docs/tables/definitions/NAME.py.
"""
import argparse
import difflib
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import steps  # noqa: E402
import text  # noqa: E402


class Table:
    """`document`: where it stands. `minutes`: expected on two cores. `steps`: what it needs, in this order. `rows()`: header and
    cells from the steps' results. `below()`: paragraphs that stand below the provenance. `needs`: files to be fetched."""

    def __init__(self, document, minutes, steps, rows, below=lambda: [], needs=(), fetch="configs/README.md says where from"):
        self.document, self.minutes, self.steps, self.rows, self.below = document, minutes, steps, rows, below
        self.needs, self.fetch = needs, fetch

    def missing(self):
        return [path for path in self.needs if not os.path.exists(os.path.join(steps.ROOT, path))]

    def complete(self):
        return all(step.complete() for step in self.steps)

    def block(self, name):
        runs = [run for step in self.steps for run in step.made()["runs"]]
        return text.block(name, self.rows(), runs, [step.command() for step in self.steps], self.below())


sys.modules.setdefault("tables", sys.modules[__name__])  # definitions import Table from here


def names():
    return sorted(f[:-3] for f in os.listdir(f"{HERE}/definitions") if f.endswith(".py"))


def definition(name):
    return importlib.import_module(f"definitions.{name}").table


def show_list():
    width = max(map(len, names()))
    for name in names():
        table = definition(name)
        state = "runs are there" if table.complete() else \
            f"to be fetched: {', '.join(table.missing())}" if table.missing() else ""
        print(f"{name:<{width}}  {table.document:<22} {table.minutes:>5g} min  {state}".rstrip())


def document_of(table):
    return os.path.join(steps.ROOT, table.document)


def make(name, threads):
    table = definition(name)
    if table.missing():
        steps.refuse(f"{name}: data is missing: {', '.join(table.missing())}; {table.fetch}")
    text.current(document_of(table), name)  # throws before anything runs
    for step in table.steps:
        step.run(threads)
    text.replace(document_of(table), name, table.block(name))
    print(f"{name}: written into {table.document}")


def check(name):
    """True where the document holds what the runs give; None where they are not there."""
    table = definition(name)
    if not table.complete():
        print(f"{name}: no complete runs in {steps.RUNS}, not checked")
        return None
    old, begin, end = text.current(document_of(table), name)
    new = table.block(name)
    if old[begin:end] == new:
        print(f"{name}: as the runs give it")
        return True
    print(f"{name}: {table.document} differs from what the runs give")
    print("\n".join(difflib.unified_diff(old[begin:end].splitlines(), new.splitlines(), "document", "runs", lineterm="", n=0)))
    return False


def forget(name):
    for step in definition(name).steps:
        step.forget()


def adopt(name, folder):
    comparisons = [step for step in definition(name).steps if isinstance(step, steps.Compare)]
    if len(comparisons) != 1:
        steps.refuse(f"--adopt is for tables of one comparison: table {name}, comparisons {len(comparisons)}")
    comparisons[0].adopt(folder)


def main():
    parser = argparse.ArgumentParser(prog="./dev tables", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--adopt", metavar="FOLDER")
    a = parser.parse_args()
    for name in a.names:
        if name not in names():
            steps.refuse(f"no such table: '{name}', known: {', '.join(names())}")
    if not a.names and not a.check:
        return show_list()
    if a.check:
        results = [check(name) for name in a.names or names()]
        return 1 if False in results or (a.names and None in results) else 0
    for name in a.names:
        if a.again:
            forget(name)
        if a.adopt:
            adopt(name, a.adopt)
        make(name, a.threads)
    return 0


if __name__ == "__main__":
    sys.exit(main())
