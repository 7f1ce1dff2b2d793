"""The commands that tables need, and what they leave: a step is one command with a place under runs/tables/. What is there and
complete is kept; what was broken off continues. Definitions use Train, Evaluate, Lab, Compare and Program. Standard library only.

Beside each step's result stands NAME.made.json: the command and, for each time that it ran, processor, commit and date.
"""
import datetime
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys

import machine

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUNS = "runs/tables"  # not in build/, which ./dev clean removes
ATTEND = "build/release/attend"
COMMAND = "tables"  # of ./dev: begins what is printed


class Missing(Exception):
    """A result that is not there (yet)."""


def refuse(what, code=2):
    """Ends the program: 2 for what the user can correct, 1 for a command that failed."""
    print(f"{COMMAND}: {what}", file=sys.stderr)
    sys.exit(code)


def load(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        raise Missing(path) from None


def load_lines(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.startswith("{")]
    except FileNotFoundError:
        raise Missing(path) from None


def setting(key, value):
    """The words --set KEY=VALUE: text as it is, everything else as JSON."""
    return ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]


class Step:
    """`name` is the place of the result under runs/tables; `words` the command without what does not change the result (threads,
    --resume); `inputs` are files whose content the result depends on."""

    def __init__(self, name, words, inputs=(), before=()):
        self.name, self.words, self.inputs, self.before = name, list(words), list(inputs), list(before)
        self.place = f"{RUNS}/{name}"

    def command(self):
        """As one writes it, with `attend` for the program."""
        return " ".join(shlex.quote(w) if any(c in w for c in " {}[]\"'") else w for w in self.words)

    def made(self):
        return load(self.place + ".made.json")

    def digest(self):
        """Changes with the content of the inputs."""
        sums = hashlib.sha256()
        for path in self.inputs:
            with open(os.path.join(ROOT, path), "rb") as file:
                sums.update(file.read())
        return sums.hexdigest()[:16]

    def stale(self):
        """Why the result is not this step's (another command, or other inputs); empty where it is, or where there is none."""
        try:
            made = self.made()
        except Missing:
            return ""
        if made["command"] != self.command():
            return f"made by another command: {made['command']}"
        return "" if made["inputs"] == self.digest() else f"made with other content of {', '.join(self.inputs)}"

    def complete(self):
        """Whether the result is there, made by this command."""
        return os.path.exists(os.path.join(ROOT, self.place + ".made.json")) and not self.stale() and self.finished()

    def run(self, threads):
        """Runs the command where its result is missing, and records where and when."""
        if self.stale():
            refuse(f"{self.place}: {self.stale()}; --again removes it")
        if self.complete() and not self.repeats():
            return
        os.makedirs(os.path.dirname(os.path.join(ROOT, self.place)), exist_ok=True)
        for words in self.before:
            subprocess.run(words, cwd=ROOT, check=True)
        record, before = machine.now(ROOT, self.command()), self.progress()
        print(f"{COMMAND}: {self.command()}", file=sys.stderr, flush=True)
        try:
            self.execute(threads)
        finally:
            if self.progress() != before:  # something was computed, be it only a part
                try:
                    runs = self.made()["runs"]
                except Missing:
                    runs = []
                self.record(runs + [record])

    def forget(self):
        """Removes the result."""
        place = os.path.join(ROOT, self.place)
        shutil.rmtree(place, ignore_errors=True)
        for ending in (".made.json", ".json", ".txt", ".examples", ".log"):
            if os.path.exists(place + ending):
                os.remove(place + ending)

    def record(self, runs):
        with open(os.path.join(ROOT, self.place + ".made.json"), "w", encoding="utf-8") as file:
            json.dump({"command": self.command(), "inputs": self.digest(), "runs": runs}, file, indent=1)

    def call(self, words, stdout=None, allowed=(0,)):
        program = [os.path.join(ROOT, ATTEND) if words[0] == "attend" else words[0], *words[1:]]
        log = self.place + ".log"  # progress and messages; a table of many runs would print thousands of lines
        with open(os.path.join(ROOT, log), "a", encoding="utf-8") as errors:
            code = subprocess.run(program, cwd=ROOT, stdout=stdout or errors, stderr=errors).returncode
        if code not in allowed:
            with open(os.path.join(ROOT, log), encoding="utf-8") as errors:
                print("".join(errors.readlines()[-10:]), end="", file=sys.stderr)
            refuse(f"a command failed: exit code {code}, command {' '.join(words)}, log {log}", code=1)

    # What kinds of steps differ in:
    def finished(self):
        raise NotImplementedError

    def repeats(self):
        """Whether the command runs again although its result is complete, because it keeps what is there itself."""
        return False

    def progress(self):
        """Changes when something was computed."""
        return self.finished()

    def execute(self, threads):
        raise NotImplementedError


class Train(Step):
    """`attend train CONFIG` with options changed."""

    def __init__(self, name, config, changes=None, seed=None):
        words = ["attend", "train", config]
        for key, value in (changes or {}).items():
            words += setting(key, value)
        super().__init__(name, words + (["--seed", str(seed)] if seed is not None else []), [config])

    def finished(self):
        try:
            return self.summary()["status"] in ("finished", "diverged")
        except Missing:
            return False

    def progress(self):
        path = os.path.join(ROOT, self.place, "metrics.jsonl")
        return os.path.getmtime(path) if os.path.exists(path) else 0

    def execute(self, threads):
        folder = os.path.join(ROOT, self.place)
        how = ["--resume"] if os.path.exists(f"{folder}/checkpoints/last") else \
            ["--overwrite"] if os.path.exists(f"{folder}/config.json") else []
        self.call(self.words + ["--out", self.place, "--threads", str(threads)] + how, allowed=(0, 3))  # 3: diverged

    def summary(self):
        return load(f"{self.place}/summary.json")

    def metrics(self, split):
        """The lines of one split."""
        return [line for line in load_lines(f"{self.place}/metrics.jsonl") if line["split"] == split]

    def seconds(self):
        return self.summary()["seconds"]

    def step_milliseconds(self):
        """Of one step, from the first to the last line of training."""
        lines = self.metrics("train")
        return 1000 * (lines[-1]["seconds"] - lines[0]["seconds"]) / (lines[-1]["step"] - lines[0]["step"])


class Printed(Step):
    """A command whose standard output is the result."""
    ending = ".txt"

    def __init__(self, name, words, inputs=(), before=()):
        super().__init__(name, words, inputs, before)
        self.file = self.place + self.ending

    def finished(self):
        return os.path.exists(os.path.join(ROOT, self.file))

    def execute(self, threads):
        part = os.path.join(ROOT, self.file + ".part")
        with open(part, "w", encoding="utf-8") as file:
            self.call([w.replace("THREADS", str(threads)) for w in self.words], stdout=file)
        os.replace(part, os.path.join(ROOT, self.file))

    def text(self):
        if not self.finished():
            raise Missing(self.file)
        with open(os.path.join(ROOT, self.file), encoding="utf-8") as file:
            return file.read()

    def lines(self):
        """The JSON objects that were printed."""
        return load_lines(self.file)


class Written(Printed):
    """A command with the word FILE, which stands for the file that it writes: JSON objects, one a line."""
    ending = ".json"

    def execute(self, threads):
        part = self.file + ".part"
        if os.path.exists(os.path.join(ROOT, part)):  # of a run that was broken off
            os.remove(os.path.join(ROOT, part))
        self.call([part if w == "FILE" else w for w in self.words])
        os.replace(os.path.join(ROOT, part), os.path.join(ROOT, self.file))


class Evaluate(Printed):
    """`attend eval RUN --json` of a Train step; with `examples`, each example is written too (NAME.examples)."""
    ending = ".json"

    def __init__(self, name, of, split, beam=None, examples=False):
        words = ["attend", "eval", of.place, "--split", split, "--json"] + (["--beam", str(beam)] if beam else [])
        super().__init__(name, words + (["--examples", f"{RUNS}/{name}.examples"] if examples else []))

    def scores(self):
        return load(self.file)

    def examples(self):
        return load_lines(self.place + ".examples")


class Lab(Step):
    """`attend lab TARGET`: a config, or a Train step."""

    def __init__(self, name, target, changes=None, rows=32, draws=96):
        words = ["attend", "lab", target.place if isinstance(target, Step) else target]
        for key, value in (changes or {}).items():
            words += setting(key, value)
        super().__init__(name, words + ["--rows", str(rows), "--draws", str(draws)], [] if isinstance(target, Step) else [target])

    def finished(self):
        return os.path.exists(os.path.join(ROOT, self.place + ".json"))

    def execute(self, threads):
        self.call(self.words + ["--out", self.place + ".json", "--threads", str(threads)], stdout=subprocess.DEVNULL)

    def lab(self):
        return load(self.place + ".json")


class Compare(Step):
    """`attend compare CONFIG`. The command itself keeps finished runs, continues others and writes compare.json anew."""

    def __init__(self, name, config, seeds=None):
        super().__init__(name, ["attend", "compare", config] + (["--seeds", str(seeds)] if seeds else []))

    def finished(self):
        return os.path.exists(os.path.join(ROOT, self.place, "compare.json"))

    def adopt(self, folder):
        """Takes a comparison that `attend compare --out FOLDER` made on this machine: its commits are those that compare.json
        names, its day that of compare.json."""
        try:
            with open(os.path.join(folder, "compare.json"), encoding="utf-8") as file:
                comparison = json.load(file)
        except OSError as error:
            refuse(f"--adopt {folder}: no finished comparison: {error}")
        if os.path.exists(os.path.join(ROOT, self.place)):
            refuse(f"--adopt {folder}: {self.place} exists; --again removes it")
        programs = {run.get("program", "unknown").split()[-1] for v in comparison["variants"] for run in v.get("each", [])}
        day = datetime.date.fromtimestamp(os.path.getmtime(os.path.join(folder, "compare.json"))).isoformat()
        shutil.copytree(folder, os.path.join(ROOT, self.place), symlinks=True)
        self.record([{"cpu": machine.processor(), "commit": c, "date": day, "command": self.command()} for c in sorted(programs)])

    def repeats(self):
        return True

    def progress(self):
        found = []
        for folder, _, files in os.walk(os.path.join(ROOT, self.place)):
            found += [(folder, os.path.getmtime(os.path.join(folder, f))) for f in files if f == "metrics.jsonl"]
        return sorted(found)

    def execute(self, threads):
        # 3: a run diverged, which is a result
        self.call(self.words + ["--out", self.place, "--threads", str(threads)], stdout=subprocess.DEVNULL, allowed=(0, 3))

    def comparison(self):
        return load(f"{self.place}/compare.json")
