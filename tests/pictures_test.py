#!/usr/bin/env python3
"""Tests of ./dev pictures (docs/pictures) and of docs/attention.md: drawing from planted maps; every factor has its entry.
Standard library only; no program is run."""
import json
import os
import re
import struct
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "docs/pictures"))
import pictures  # noqa: E402  (finds docs/tables, too)
import drawing  # noqa: E402
import rows  # noqa: E402
import steps  # noqa: E402

FACTORS = ("score", "bias", "positions", "window", "align", "select", "attention")
MOST_BYTES = 8192


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def planted(folder, weights, rows_of="target", source=("a", " ", "<"), target=("x", "</s>"), **more):
    """A run's folder with one map, as train/records/maps.cpp writes it."""
    about = {"format": 1, "step": 20, "split": "valid", "examples": [
        {"number": 4, "source": list(source), "input": [], "target": list(target),
         "maps": [{"site": "attention", "number": 0, "rows": rows_of, "columns": "source", **more}]}]}
    values = [w for row in weights for w in row]
    head = json.dumps({"__metadata__": {"maps": json.dumps(about)}, "4/attention": {
        "dtype": "F32", "shape": [len(weights), len(weights[0])], "data_offsets": [0, 4 * len(values)]}}).encode()
    os.makedirs(f"{folder}/maps")
    for step, content in ((3, b""), (20, struct.pack("<Q", len(head)) + head + struct.pack(f"<{len(values)}f", *values))):
        with open(f"{folder}/maps/step-{step}.safetensors", "wb") as file:
            file.write(content)


class Drawing(unittest.TestCase):
    WEIGHTS = [[0.0, 0.01, 0.99], [0.5, 0.5, 0.0]]

    def panel(self, **more):
        with tempfile.TemporaryDirectory() as folder:
            planted(folder, self.WEIGHTS, **more)
            return drawing.last_maps(folder).panel(0, "", "a label")

    def test_the_last_map_is_read(self):
        panel = self.panel(chosen=[2, -1])
        self.assertEqual((panel.rows, panel.columns, panel.chosen), (["x", "</s>"], ["a", " ", "<"], [2, -1]))
        self.assertEqual([[round(w, 2) for w in row] for row in panel.weights], self.WEIGHTS)
        with tempfile.TemporaryDirectory() as folder:
            planted(folder, self.WEIGHTS)
            self.assertRaisesRegex(ValueError, "known: attention", drawing.last_maps(folder).panel, 0, "other", "")

    def test_levels(self):
        self.assertEqual([drawing.level(w, 1) for w in (0, 1e-30, 0.02, 0.03, 0.5, 1, 1.7)], [0, None, None, 1, 10, 20, 20])
        self.assertEqual(drawing.level(0.05, 0.1), 10)
        self.assertEqual([drawing.opacity(s) for s in (None, 1, 10, 20)], [".07", ".05", ".5", "1"])
        self.assertEqual(drawing.scale_top([drawing.Panel("", ["a"], ["b"], [[0.09]])]), 0.1)

    def test_squares(self):
        # Equal neighbours are one line: exact zeros with dots, small weights faint, then from light to dark.
        self.assertEqual(drawing.squares(self.panel(), 1), [
            '<path stroke="url(#z)" d="M0 0h1M2 1h1"/>', '<path stroke-opacity=".07" d="M1 0h1"/>',
            '<path stroke-opacity=".5" d="M0 1h2"/>', '<path stroke-opacity="1" d="M2 0h1"/>'])

    def test_weights_below_0_have_a_colour_and_a_minus(self):
        # Differential and talking heads have such weights. One that rounds to 0 has the colour alone.
        panel = drawing.Panel("", ["x", "y"], ["a", "b", "c"], [[-0.5, -0.5, 1], [0, -0.01, -0.25]])
        self.assertEqual(drawing.squares(panel, 1), [
            '<path stroke="url(#z)" d="M0 1h1"/>', f'<path stroke="{drawing.RED}" stroke-opacity=".07" d="M1 1h1"/>',
            f'<path stroke="{drawing.RED}" stroke-opacity=".25" d="M2 1h1"/>',
            f'<path stroke="{drawing.RED}" stroke-opacity=".5" d="M0 0h2"/>', '<path stroke-opacity="1" d="M2 0h1"/>',
            '<path stroke="url(#m)" d="M0 0h2M2 1h1"/>'])
        self.assertEqual(drawing.scale_top([drawing.Panel("", ["a"], ["b", "c"], [[0.2, -0.4]])]), 0.5)
        text, plain = drawing.draw([panel], "", ""), drawing.draw([self.panel()], "", "")
        of_legend = [[e.text for e in ElementTree.fromstring(t)[-1] if e.text] for t in (text, plain)]
        self.assertEqual(of_legend[0], ["weight", "\u22121", "\u22120.5", "0", "0.5", "1"])
        self.assertEqual(of_legend[1], ["weight", "0", "0.25", "0.5", "0.75", "1"])
        self.assertEqual((text.count('id="m"'), plain.count('id="m"')), (1, 0))
        self.assertNotIn(drawing.RED, plain)

    def test_picture(self):
        text = drawing.draw([self.panel(chosen=[2, -1]), self.panel()], "one & two", "made <so>")
        root = ElementTree.fromstring(text)
        words = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
        for word in ("x", "</s>", "a", "\u2423", "<", "a label", "source \u2192", "\u2190 target", "read"):
            self.assertIn(word, words)
        self.assertEqual([root[0].text, root[1].text], ["one & two", "made <so>"])
        self.assertEqual(text.count(drawing.ORANGE), 2)  # one ring, one in the legend; -1 read nothing
        self.assertEqual(text, drawing.draw([self.panel(chosen=[2, -1]), self.panel()], "one & two", "made <so>"))
        self.assertNotIn("font-face", text)

    def test_wide_maps_fit_a_page(self):
        panel = drawing.Panel("", ["aa"] * 20, ["12"] * 24, [[0.1] * 24] * 20)
        self.assertLessEqual(drawing.Layout([panel]).width, drawing.WIDTH)
        self.assertTrue(drawing.Layout([panel, panel]).upright)  # two letters no longer fit side by side
        self.assertFalse(drawing.Layout([drawing.Panel("", ["a"], ["1"] * 9, [[0.1] * 9])]).upright)


class Document(unittest.TestCase):
    """docs/options.md is made of the program's own tables, and a test of the program fails when it is out of date."""

    def test_every_factor_has_an_entry(self):
        known = re.findall(rf"^### ((?:{'|'.join(FACTORS)}) \w+)$", read("docs/options.md"), re.M)
        entries = re.findall(rf"^### ((?:{'|'.join(FACTORS)}) \w+)$", read("docs/attention.md"), re.M)
        self.assertGreater(len(known), 30)
        self.assertEqual([f"docs/attention.md has no entry '### {name}'" for name in known if name not in entries], [])
        self.assertEqual([name for name in entries if name not in known], [])

    def test_every_picture_stands_in_the_document_with_its_command(self):
        document = read("docs/attention.md")
        for name in rows.PICTURES:
            begin, end = pictures.in_document(name, document)
            self.assertEqual(document[begin:end], pictures.block(name))
        self.assertEqual(document.count("<!-- picture "), len(rows.PICTURES))

    def test_every_picture_is_small_and_says_how_it_was_made(self):
        files = [f for f in os.listdir(f"{ROOT}/docs/pictures") if f.endswith(".svg")]
        self.assertEqual(sorted(files), sorted(f"{name}.svg" for name in rows.PICTURES))
        for name, picture in rows.PICTURES.items():
            text = read(f"docs/pictures/{name}.svg")
            self.assertLess(len(text.encode()), MOST_BYTES, name)
            root = ElementTree.fromstring(text)
            self.assertEqual(root[0].text, picture.shows)
            self.assertRegex(root[1].text, rf"^Made by \./dev pictures {name}, .*, commit \w+, on .*, \d+ cores?, ")
            self.assertTrue(root[1].text.endswith(": " + pictures.Trained(name).command()), name)
            self.assertLessEqual(int(root.get("width")), drawing.WIDTH, name)
            self.assertTrue(os.path.exists(os.path.join(steps.ROOT, picture.config)), picture.config)


if __name__ == "__main__":
    unittest.main()
