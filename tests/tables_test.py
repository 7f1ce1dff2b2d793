#!/usr/bin/env python3
"""Tests of ./dev tables (docs/tables): figures from planted results, the block in a document, steps that are kept. Standard library
only; no program is run but `true`, `false` and this one."""
import json
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "docs/tables"))
import figures  # noqa: E402
import machine  # noqa: E402
import selections  # noqa: E402
import steps  # noqa: E402
import tables  # noqa: E402
import text  # noqa: E402


def moments(mean, half=None, **more):
    return {"count": 3, "mean": mean, "deviation": 0.1, "half_width": half, **more}


def comparison():
    """compare.json as train/study/compare/comparison_json.cpp writes it, in small."""
    def variant(name, values, difference=None):
        v = {"name": name, "runs": 3, "diverged": 0, "failed": 0, "exploded": 0, "values": values, "value": moments(sum(values) / 3, 0.01),
             "limits": {"new_seeds_these_examples": [sum(values) / 3 - 0.01, sum(values) / 3 + 0.01], "new_seeds_and_examples": [0, 1]},
             "seconds": moments(89.4), "at_steps": [], "metrics": {"symbol_error_rate": moments(0.08, 0.004)}}
        return dict(v, **({"difference": {"differences": moments(*difference), "limits": {"new_seeds_these_examples": [-0.029, 0.003]}, "p_corrected": 0.037, "verdict": "better when it trains"}} if difference else {}))
    return {"metric": "word_error_rate", "better": "lower", "seeds": [1, 2, 3], "steps": [],
            "variants": [variant("soft", [0.31, 0.32, 0.312]), variant("exact", [0.30, 0.31, 0.302], (-0.013, 0.016))],
            "found": ["exact differs from soft."]}


class Figures(unittest.TestCase):
    def test_intervals(self):
        self.assertEqual(figures.percent(figures.Figure(moments(0.848, 0.016))), "84.8 (83.2 to 86.4)")
        self.assertEqual(figures.percent(figures.Figure(moments(0.65, 0.42))), "65.0")  # above 100 % says nothing
        self.assertEqual(figures.percent(figures.Figure(moments(0.65, None, low=0.5, high=0.9))), "65.0 (50.0 to 90.0)")
        self.assertEqual(figures.percent(figures.Figure(moments(0.65, None, interval=[0.5, 0.9]))), "65.0 (50.0 to 90.0)")
        self.assertEqual(figures.percent(figures.Figure(moments(1, 0.0))), "100.0")  # never +- 0
        self.assertEqual(figures.percent(figures.Figure({"count": 0, "mean": None})), "")
        self.assertEqual(figures.percent(figures.Figure(moments(-0.013, 0.016)), signed=True), "-1.3 (-2.9 to +0.3)")

    def test_numbers(self):
        self.assertEqual([figures.significant(v) for v in (0, 0.01234, 38.53, 1574.3)], ["0", "0.0123", "38.5", "1,570"])
        self.assertEqual(figures.seed_range([0.5, 0.9, 0.7], "higher"), "50.0 to 90.0")
        self.assertEqual(figures.seed_range([0.5, 0.9, 0.7], "lower"), "90.0 to 50.0")
        self.assertEqual(figures.seed_range([0.5], "lower"), "50.0")

    def test_selections(self):
        rows = selections.selection_rows(figures.Comparison(comparison()), {"exact": "hard, exact"}, "words wrong", "symbol_error_rate", "phonemes wrong", 100)
        self.assertEqual(rows[2], ["hard, exact", "30.4 (29.4 to 31.4)", "31.0 to 30.0", "-1.3 (-2.9 to +0.3)", "0.037", "better when it trains", "8.0 (7.6 to 8.4)", "89"])
        found = selections.what_was_found(figures.Comparison(comparison()))[0]
        self.assertIn("exact differs from soft.", found)
        self.assertIn("for new seeds on these examples", found)

    def test_lab(self):
        row = {"label": "reinforce x4", "objective": "expected", "bias": 0.17, "bias_low": 0, "bias_high": 0.449, "variance": 38.53, "cosine": 0.162, "seconds": 0.0054}
        own = {"name": "decoder.attention", "bias": 0.42, "bias_low": 0.4, "bias_high": 0.45}
        rows = figures.lab_rows({"checkpoints": [{"rows": [dict(row, blocks=[own]), dict(row, skipped="x")]}]})
        self.assertEqual(rows[1:], [["reinforce x4", "expected", "17.0 (0.0 to 44.9)", "42.0 (40.0 to 45.0)", "38.5", "0.162", "5.4"]])
        rows = figures.lab_rows({"checkpoints": [{"rows": [dict(row, variance_low=30, variance_high=50)]}]})
        self.assertEqual(rows[1][4], "38.5 (30 to 50)")


class Text(unittest.TestCase):
    RUNS = [{"cpu": "Some CPU, 2 cores, AVX2", "commit": "abc", "date": "2026-11-28"},
            {"cpu": "Some CPU, 2 cores, AVX2", "commit": "def+changes", "date": "2026-12-01"}]

    def test_provenance(self):
        self.assertEqual(text.provenance("x", self.RUNS, ["a", "b", "c"]).replace("\n", " "),
                         "Made by `./dev tables x`, 28 November 2026 to 1 December 2026, commit abc and def+changes, on Some CPU, 2 cores, "
                         "AVX2: `a` and 2 more.")
        self.assertIn("AVX2 (that did other work, too): `a`", text.provenance("x", [dict(self.RUNS[0], crowded=True)], ["a"]).replace("\n", " "))

    def test_document(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "d.md")
            with open(path, "w", encoding="utf-8") as file:
                file.write("before\n<!-- table x -->\nold\n<!-- end x -->\nafter\n")
            new = text.block("x", [["a", "b"], ["1", "p|q"]], self.RUNS, ["c"], ["Below."])
            text.replace(path, "x", new)
            with open(path, encoding="utf-8") as file:
                got = file.read()
            self.assertIn("| a | b |\n|---|---|\n| 1 | p\\|q |", got)
            self.assertTrue(got.startswith("before\n<!-- table x -->") and got.endswith("<!-- end x -->\nafter\n"))
            self.assertNotIn("old", got)
            self.assertRaises(ValueError, text.current, path, "y")
        self.assertRaises(ValueError, text.markdown, [["a", "b"], ["1"]])


class Machine(unittest.TestCase):
    def test_processors(self):
        core = "processor\t: 0\nmodel name\t: Some CPU\ncpu family\t: 6\nmodel\t\t: 167\nflags\t\t: sse avx2 avx512f\n"
        self.assertEqual(machine.processor(core + "\n" + core), "Some CPU (family 6, model 167), 2 cores, AVX-512")
        arm = "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"
        self.assertEqual(machine.processor(arm), "processor of implementer 0x41, part 0xd0c, 1 core, NEON")


class Counting(steps.Printed):
    """Counts how often it is executed; breaks off where `breaks`."""
    executed, breaks = 0, False

    def execute(self, threads):
        self.executed += 1
        if self.breaks:
            raise KeyboardInterrupt
        super().execute(threads)


class Steps(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root, steps.ROOT = steps.ROOT, self.folder.name
        with open(os.path.join(steps.ROOT, "input"), "w", encoding="utf-8") as file:
            file.write("1")

    def tearDown(self):
        steps.ROOT = self.root
        self.folder.cleanup()

    def step(self, word="one"):
        return Counting("t/s", ["echo", word], ["input"])

    def test_finished_is_kept(self):
        step = self.step()
        self.assertRaises(steps.Missing, step.text)
        step.run(1)
        step.run(1)
        self.assertEqual((step.executed, step.text(), step.complete()), (1, "one\n", True))
        self.assertEqual(len(step.made()["runs"]), 1)
        self.assertIn("commit", step.made()["runs"][0])

    def test_broken_off_is_not_finished(self):
        step = self.step()
        step.breaks = True
        self.assertRaises(KeyboardInterrupt, step.run, 1)
        self.assertFalse(step.complete())
        step.breaks = False
        step.run(1)
        self.assertEqual((step.executed, step.complete()), (2, True))

    def test_other_command_or_input_is_refused(self):
        self.step().run(1)
        self.assertIn("another command", self.step("two").stale())
        with open(os.path.join(steps.ROOT, "input"), "w", encoding="utf-8") as file:
            file.write("2")
        self.assertIn("other content of input", self.step().stale())
        self.assertRaises(SystemExit, self.step().run, 1)

    def test_failed_command(self):
        step = steps.Printed("t/f", ["false"])
        self.assertRaises(SystemExit, step.run, 1)
        self.assertFalse(step.complete())

    def test_adopted_comparison(self):
        made = os.path.join(steps.ROOT, "elsewhere")
        os.makedirs(made)
        with open(os.path.join(made, "compare.json"), "w", encoding="utf-8") as file:
            json.dump({"variants": [{"each": [{"program": "0.1.0 abc"}, {"program": "0.1.0 def"}]}]}, file)
        step = steps.Compare("t/c", "input")
        step.adopt(made)
        self.assertEqual([run["commit"] for run in step.made()["runs"]], ["abc", "def"])
        self.assertTrue(step.complete())
        self.assertRaises(SystemExit, step.adopt, made)  # there already


class Definitions(unittest.TestCase):
    def test_every_definition_loads_and_no_place_is_used_for_two_things(self):
        places = {}
        for name in tables.names():
            for step in tables.definition(name).steps:
                self.assertEqual(places.setdefault(step.place, step.command()), step.command(), step.place)
                for path in step.inputs:
                    self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)


if __name__ == "__main__":
    unittest.main()
