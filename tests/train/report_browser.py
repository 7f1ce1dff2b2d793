#!/usr/bin/env python3
"""The pages of `attend report` in headless Chromium: report_browser.py PROGRAM. ./dev test report runs it.

Trains a few tiny runs, makes pages of them and of folders with hostile contents, opens them from disk without a network, and
compares what they show with the stored tensors, bit by bit.
"""
import array
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile
import traceback

from browser import Browser, BrowserError

SMALL = {
    "name": "small", "seed": 3,
    "data": {"task": "dates", "train_examples": 64, "valid_examples": 12, "test_examples": 8},
    "model": {"type": "rnn_seq2seq", "embedding": 5, "hidden": 6},
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "train": {"steps": 12, "batch": 8, "shards": 2, "log_every": 1, "evaluate_every": 4, "maps": 2},
}
ROWS = {**SMALL, "name": "rows",
        "data": {"task": "induction", "vocabulary": 9, "min_period": 3, "max_period": 4, "length": 9, "train_examples": 16, "valid_examples": 4, "test_examples": 0},
        "model": {"type": "gpt", "layers": 1, "heads": 1, "width": 8, "context": 9}}
TRANSFORMER = {"type": "transformer_seq2seq", "layers": 2, "heads": 2, "width": 8}
TABS = ["curves", "attention", "samples", "options", "provenance"]
HOSTILE = ["</script><script>alert(1)</script>", "\"quoted'", "<img src=x onerror=alert(2)>", "\u202eabc\u202c", "\x01\x07\x1b", "\U0001f600\u200d\U0001f525",
           "\u2028\u2029", "a\u0301\u0302", " ", "", "\n", "-->", "&amp;", "w" * 300, "\ud83d"]


def need(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


class Runs:
    """What the tests look at, made once."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.make("soft", SMALL)
        self.make("transformer", {**SMALL, "name": "transformer", "model": TRANSFORMER})
        self.make("hard", {**SMALL, "name": "hard", "model": {**SMALL["model"], "attention": {"select": {"type": "hard"}}}})
        self.make("rows", ROWS)
        self.all = self.report("soft", "transformer", "hard")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def make(self, name, config):
        with open(self.path(name + ".json"), "w") as f:
            json.dump(config, f)
        self.attend("train", self.path(name + ".json"), "--out", self.path(name))
        return self.path(name, "report.html")

    def attend(self, *arguments):
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True)
        need(done.returncode == 0, arguments, "ended with", done.returncode, done.stderr[-2000:])

    def report(self, *names):
        out = self.path("-".join(names) + ".html")
        self.attend("report", *[self.path(n) for n in names], "--out", out)
        return out

    def by_hand(self, name, files):
        """A run's folder from texts and, under maps/, (tensors, about)."""
        for file, contents in {"config.json": json.dumps({"name": name}), **files}.items():
            os.makedirs(os.path.dirname(self.path(name, file)), exist_ok=True)
            with open(self.path(name, file), "wb") as f:
                f.write(safetensors(*contents) if isinstance(contents, tuple) else contents.encode("utf-8", "surrogatepass"))
        return self.report(name)

    def stored(self, run):
        """{step: (about, {tensor name: (shape, floats)})}"""
        found = {}
        for path in glob.glob(self.path(run, "maps", "*.safetensors")):
            with open(path, "rb") as f:
                data = f.read()
            end = 8 + struct.unpack("<Q", data[:8])[0]
            header = json.loads(data[8:end])
            about = json.loads(header.pop("__metadata__")["maps"])
            tensors = {}
            for name, t in header.items():
                need(t["dtype"] == "F32", "a float build is tested")
                values = array.array("f", data[end + t["data_offsets"][0]:end + t["data_offsets"][1]])
                tensors[name] = (t["shape"], values)
            found[about["step"]] = (about, tensors)
        need(found, "no maps of", run)
        return found


def safetensors(tensors, about):
    header, data = {"__metadata__": {"maps": json.dumps(about)}}, b""
    for name, (shape, values) in tensors.items():
        packed = array.array("f", values).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + data


def bits(value):
    return struct.pack("<f", float(value))


def clean(page, name=""):
    need(page.problems == [], name, "the page complains:", page.problems)
    need(len(page.requests) == 1 and page.requests[0].startswith("file://"), name, "the page asks for", page.requests)


def no_overflow(page, name):
    wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    need(wide <= 0, name, "is", wide, "pixels wider than the window")


def readout(page):
    return page.run("({...document.getElementById('map-readout').dataset, text: document.getElementById('map-readout').textContent})")


def focused(page):
    return page.run("document.activeElement.id || document.activeElement.tagName")


def test_opens_from_disk_without_network(browser, runs):
    for tab in TABS:
        page = browser.open(runs.path("soft", "report.html"), fragment="#" + tab)
        clean(page, tab)
        need(page.run("document.querySelector('[role=tab][aria-selected=true]').id") == "tab-" + tab, tab)
        need(page.run(f"document.getElementById('panel-{tab}').innerText.trim().length") > 40, tab, "is empty")
        page.close()


def test_notices_requests_and_complaints(browser, runs):
    """The test's own eyes: a page with an image from elsewhere and one with an error are seen."""
    with open(runs.path("bad.html"), "w") as f:
        f.write("<img src='http://example.org/x.png'><script>missing()</script>")
    page = browser.open(runs.path("bad.html"))
    need(len(page.requests) == 2 and any("missing" in p for p in page.problems), page.requests, page.problems)
    need(any("ERR_" in p for p in page.problems), "the network was there:", page.problems)
    page.close()


def test_scrubber_moves_and_every_cell_is_the_stored_weight(browser, runs):
    stored = runs.stored("soft")
    steps = sorted(stored)
    page = browser.open(runs.path("soft", "report.html"), fragment="#attention")
    need(page.run("document.getElementById('scrubber-step').textContent") == f"step {steps[-1]} ({len(steps)} of {len(steps)})")
    pictures = []
    page.run("document.getElementById('scrubber').focus()")
    page.key("Home")
    for step in steps:
        page.wait(f"document.getElementById('scrubber-step').textContent.startsWith('step {step} ')")
        pictures.append(page.run("document.getElementById('map').toDataURL()"))
        (rows, columns), values = stored[step][1]["0/attention"]
        page.run("document.getElementById('map').focus()")
        for _ in range(rows):
            page.key("ArrowUp")
        for r in range(rows):
            page.key("Home")
            for c in range(columns):
                at = readout(page)
                need((int(at["row"]), int(at["column"])) == (r, c), "the keyboard is at", at, "not at", r, c)
                need(bits(at["weight"]) == bits(values[r * columns + c]), "step", step, "cell", r, c, "shows", at["weight"], "stored", values[r * columns + c])
                need(at["text"].startswith(at["weight"]), at)
                page.key("ArrowRight")
            page.key("ArrowDown")
        page.run("document.getElementById('scrubber').focus()")
        page.key("ArrowRight")
    need(len(set(pictures)) == len(steps), "the picture does not follow the scrubber")
    page.run("document.getElementById('map').focus()")
    page.key("PageUp")
    need(page.run("document.getElementById('scrubber').value") == str(len(steps) - 2), "Page Up does not move the scrubber")
    clean(page)
    page.close()


def test_value_on_hover(browser, runs):
    stored = runs.stored("soft")
    (rows, columns), values = stored[max(stored)][1]["0/attention"]
    page = browser.open(runs.path("soft", "report.html"), fragment="#attention")
    seen = set()
    box = page.run("(() => { const m = document.getElementById('map'); m.scrollIntoView({block: 'center'}); const b = m.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")
    for i in range(12):
        for j in range(12):
            page.mouse(box[0] + box[2] * (0.2 + 0.05 * i), box[1] + box[3] * (0.25 + 0.06 * j))
            tip = page.run("(() => { const t = document.querySelector('.map-tip'); return t.hidden ? null : t.dataset.weight; })()")
            if tip:
                seen.add(bits(tip))
    need(len(seen) > 20, "the tip was seen over", len(seen), "cells")
    need(seen <= {bits(v) for v in values}, "the tip shows what is not stored")
    page.close()


TABLE = """(() => { const d = document.querySelector('details'); d.open = true; d.dispatchEvent(new Event('toggle'));
    return [...d.querySelectorAll('tbody tr')].map(tr => [...tr.querySelectorAll('td')].map(td => td.textContent)); })()"""


def test_every_map_of_every_run(browser, runs):
    page = browser.open(runs.all, fragment="#attention")
    compared = 0
    for i, run in enumerate(("soft", "transformer", "hard")):
        stored = runs.stored(run)
        page.run(f"(() => {{ const s = document.querySelectorAll('#panel-attention select')[0]; s.value = '{i}'; s.dispatchEvent(new Event('change')); }})()")
        for at, step in enumerate(sorted(stored)):
            about, tensors = stored[step]
            page.run(f"(() => {{ const s = document.getElementById('scrubber'); s.value = '{at}'; s.dispatchEvent(new Event('input')); }})()")
            for e, example in enumerate(about["examples"]):
                page.run(f"(() => {{ const s = document.querySelectorAll('#panel-attention select')[1]; s.value = '{e}'; s.dispatchEvent(new Event('change')); }})()")
                need(page.run("document.getElementById('scrubber-step').textContent").startswith(f"step {step} "), "another example keeps the step")
                for m, kept in enumerate(example["maps"]):
                    page.run(f"document.querySelectorAll('#all-maps button')[{m}].click()")
                    (rows, columns), values = tensors[f"{example['number']}/{kept['site']}"]
                    shown = page.run(TABLE)
                    need(len(shown) == rows and all(len(row) == columns for row in shown), kept["site"], "has another shape")
                    need(b"".join(bits(v) for row in shown for v in row) == values.tobytes(), run, step, kept["site"], "differs from what is stored")
                    compared += rows * columns
    need(compared > 10000, "only", compared, "weights")
    need(page.run("!document.querySelector('.chosen-key').closest('li').hidden"), "hard attention has no key for what it chose")
    page.key("Tab")
    clean(page)
    page.close()


def test_gold_alignment_of_a_row_without_a_source(browser, runs):
    stored = runs.stored("rows")
    example = stored[max(stored)][0]["examples"][0]
    page = browser.open(runs.path("rows", "report.html"), fragment="#attention")
    need(page.run("!document.querySelector('.gold-key').closest('li').hidden"), "no key for the gold alignment")
    page.run("document.getElementById('map').focus()")
    for _ in range(9):
        page.key("ArrowUp")
    marked = []
    for r in range(9):
        page.key("Home")
        for c in range(9):
            at = readout(page)
            if "gold alignment" in at["text"]:
                marked.append((int(at["row"]), int(at["column"])))
            page.key("ArrowRight")
        page.key("ArrowDown")
    gold = [(r, begin) for r, (begin, end) in enumerate(example["gold"]) if end > begin]
    need(len(gold) >= 3 and marked == gold, "marked", marked, "gold", gold)
    clean(page)
    page.close()


def test_site_layer_and_head(browser, runs):
    page = browser.open(runs.report("transformer"), fragment="#attention")
    labels = page.run("[...document.querySelectorAll('#panel-attention label')].map(l => l.firstChild.textContent)")
    need(labels == ["example", "site", "layer", "head", "colours"], labels)
    for wanted, site in ((["encoder self", "1", "0"], "encoder.1.self.heads.0"), (["decoder cross", "0", "1"], "decoder.0.cross.heads.1")):
        for label, value in zip(("site", "layer", "head"), wanted):
            page.run(f"""(() => {{ const l = [...document.querySelectorAll('#panel-attention label')].find(l => l.firstChild.textContent === '{label}');
                l.lastChild.value = '{value}'; l.lastChild.dispatchEvent(new Event('change')); }})()""")
        need(site in page.run("document.getElementById('map').getAttribute('aria-label')"), site)
    clean(page)
    page.close()


def test_keyboard_reaches_everything(browser, runs):
    page = browser.open(runs.path("soft", "report.html"), fragment="#curves")
    seen = []
    for _ in range(8):
        page.key("Tab")
        seen.append(focused(page))
    need(seen[1] == "theme" and "tab-curves" in seen and "smoothing" in seen, seen)
    page.run("document.getElementById('tab-curves').focus()")
    for tab in TABS[1:] + TABS[:1]:
        page.key("ArrowRight")
        need(focused(page) == "tab-" + tab and page.run(f"!document.getElementById('panel-{tab}').hidden"), "arrow to", tab)
    page.key("End")
    need(focused(page) == "tab-provenance", "End")
    page.key("Home")
    page.key("ArrowRight")
    seen = []
    while "map" not in seen:
        page.key("Tab")
        seen.append(focused(page))
        need(len(seen) < 20, "Tab does not reach the map:", seen)
    need("scrubber" in seen and "play" in seen, seen)
    need(page.run("getComputedStyle(document.activeElement).outlineStyle") != "none", "focus cannot be seen")
    clean(page)
    page.close()


LIMITS = "(() => { const x = Chart.getChart(document.querySelector('[data-metric=loss] canvas')).scales.x; return [x.min, x.max]; })()"


def test_curves_zoom_smooth_and_read(browser, runs):
    page = browser.open(runs.path("soft", "report.html"), fragment="#curves")
    metrics = [json.loads(line) for line in open(runs.path("soft", "metrics.jsonl"))]
    names = {n for m in metrics for n in m} - {"step", "split", "seconds", "targets"}
    need(set(page.run("[...document.querySelectorAll('[data-metric]')].map(e => e.dataset.metric)")) == names, "not every metric has a chart")
    data = "Chart.getChart(document.querySelector('[data-metric=loss] canvas')).data.datasets"
    drawn = page.run(f"{data}.filter(d => d.label === 'train')[0].data.map(p => p.y)")
    need(drawn == [m["loss"] for m in metrics if m["split"] == "train"], "the training curve is not metrics.jsonl's")
    whole = page.run(LIMITS)
    page.run("document.querySelector('[data-metric=loss] canvas').focus()")
    page.key("ArrowRight")
    first = page.run("document.querySelector('[data-metric=loss] .readout').textContent")
    need(first.startswith("step 1: train "), first)
    page.key("+")
    zoomed = page.run(LIMITS)
    need(zoomed[1] - zoomed[0] < whole[1] - whole[0], "zoom", whole, zoomed)
    need(page.run("Chart.getChart(document.querySelector('[data-metric=lr] canvas')).scales.x.max") == zoomed[1], "the charts share a range")
    page.key("0")
    need(page.run(LIMITS) == whole, "0 shows all")
    box = page.run("(() => { const b = document.querySelector('[data-metric=loss] canvas').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")
    x, y = box[0] + box[2] * 0.4, box[1] + box[3] / 2
    page.mouse(x, y, "mousePressed", button="left", clickCount=1)
    page.mouse(x + box[2] * 0.3, y, buttons=1)
    page.mouse(x + box[2] * 0.3, y, "mouseReleased", button="left", clickCount=1)
    dragged = page.run(LIMITS)
    need(whole[0] < dragged[0] < dragged[1] < whole[1], "drag", whole, dragged)
    page.run("[...document.querySelectorAll('#panel-curves button')].find(b => b.textContent === 'Show all').click()")
    need(page.run(LIMITS) == whole, "Show all")
    axis = "(() => { const s = document.querySelector('#panel-curves select'); s.value = '%s'; s.dispatchEvent(new Event('change')); })()"
    page.run(axis % "targets")
    counts = [m["targets"] for m in metrics if m["split"] == "train"]
    need(page.run(f"{data}.filter(d => d.label === 'train')[0].data.map(p => p.x)") == counts, "targets as the x axis")
    steps = [m["step"] for m in metrics if m["split"] == "valid"]
    need(page.run(f"{data}.filter(d => d.label === 'valid')[0].data.map(p => p.x)") == [counts[s - 1] for s in steps], "evaluations among the targets")
    page.run(axis % "step")
    page.run("document.getElementById('smoothing').focus()")
    page.key("End")
    need(page.run(f"{data}.filter(d => d.label === 'train').length") == 2, "smoothed and raw")
    page.key("Home")
    page.run("document.querySelector('[data-metric=loss] button').click()")
    need(page.run("Chart.getChart(document.querySelector('[data-metric=loss] canvas')).scales.y.type") == "logarithmic", "log")
    page.run("document.querySelector('#curves-legend input').click()")
    need(page.run(f"{data}.some(d => d.label === 'train')") is False, "a curve can be hidden")
    clean(page)
    page.close()


def test_themes_and_widths(browser, runs):
    for path, tabs in ((runs.all, TABS), (runs.path("transformer", "report.html"), ["attention"])):
        for width in (1280, 768, 390, 320):
            for tab in tabs:
                page = browser.open(path, width=width, height=844, fragment="#" + tab)
                backgrounds = []
                for theme in ("light", "dark"):
                    page.theme(theme)
                    page.wait(f"document.documentElement.dataset.theme === '{theme}'")
                    no_overflow(page, f"{tab} at {width}")
                    backgrounds.append(page.run("getComputedStyle(document.body).backgroundColor"))
                need(backgrounds[0] != backgrounds[1], "the themes look the same")
                clean(page, tab)
                page.close()
    page = browser.open(runs.all, fragment="#attention")
    pictures = []
    for wanted in ("light", "dark"):
        page.run("document.getElementById('theme').click()")
        need(page.run("document.documentElement.dataset.theme") == wanted, "the switch says", wanted)
        pictures.append(page.run("document.getElementById('map').toDataURL()"))
    need(pictures[0] != pictures[1], "the map does not follow the theme")
    page.close()


def test_samples_options_and_provenance(browser, runs):
    page = browser.open(runs.path("soft", "report.html"), fragment="#samples")
    text = open(runs.path("soft", "samples.txt")).read()
    source = next(line[11:] for line in text.splitlines() if line.startswith("source"))
    need(source in page.run("document.getElementById('panel-samples').innerText"), "the first sample is missing")
    need(page.run("document.querySelectorAll('.sample').length") == 4, "four examples")
    page.run("document.getElementById('tab-options').click()")
    rows = page.run("[...document.querySelectorAll('#panel-options tbody tr')].map(tr => [...tr.children].map(td => td.innerText))")
    need(["optimizer.learning_rate", "0.01", "0.001"] in [r[:3] for r in rows], rows)
    need(not any(r[0] == "train.clip_value" for r in rows), "defaults are hidden at first")
    page.run("document.querySelector('#panel-options input[type=checkbox]').click()")
    need(page.run("document.querySelectorAll('#panel-options tbody tr').length") > len(rows), "all options")
    page.run("document.getElementById('tab-provenance').click()")
    facts = page.run("document.querySelector('.facts').innerText")
    for word in ("finished", "attend 0.", "seed", "shards"):
        need(word in facts, word, "is not in", facts)
    clean(page)
    page.close()


def test_hostile_contents(browser, runs):
    n = len(HOSTILE)
    values = [((i * 7919) % 1000) / 999 for i in range(n * n)]
    values[3], values[4], values[5] = float("nan"), float("inf"), -0.0
    texts = [t.encode("utf-8", "replace").decode() for t in HOSTILE]
    about = {"format": 1, "step": 5, "split": "valid", "examples": [{
        "number": 0, "source": texts, "input": texts, "target": texts, "predicted": texts, "gold": [[0, 2], [5, 99], [-3, 4]] + [[0, 0]] * 5,
        "lengths": {"source": n, "target": 10 ** 9},
        "maps": [{"site": "x<b>.</script>", "rows": "target", "columns": "source", "chosen": [-1, 99] + [1] * (n - 2)},
                 {"site": "empty", "rows": "target", "columns": "source"}]}]}
    lines = [{"step": i, "split": "train", "loss": v, "grad_norm": "nan", "</script>": 1} for i, v in enumerate(["nan", "inf", "-inf", 1e308, -1e308, 0, 1e-300])]
    samples = "== step 5  loss nan\n" + "".join(f"source     {t}\nreference  {t[::-1]}\ndecoded    {t}{t}\n\n" for t in HOSTILE)
    name = "</title><script>alert(3)</script>\u202e"
    path = runs.by_hand("hostile", {
        "config.json": json.dumps({"name": name, "seed": "</script>", "data": {"task": "<b>", "x": HOSTILE}, "model": []}),
        "summary.json": json.dumps({"status": name, "message": name, "steps": "many", "seconds": None, "best": {"loss": "nan"}, "test": {"loss": 1}}),
        "metrics.jsonl": "\n".join(json.dumps(line) for line in lines) + "\nrubbish \x00 \udcff\n", "samples.txt": samples,
        "lab.json": json.dumps({"checkpoints": [None, {"step": "x", "rows": [None, {"label": name, "variance": None, "blocks": "x"}, {}]}], "recommendation": name}),
        "maps/step-5.safetensors": ({"0/x<b>.</script>": ([n, n], values), "0/empty": ([0, 0], [])}, about)})
    for width in (1280, 390):
        for tab in TABS + ["lab"]:
            page = browser.open(path, width=width, fragment="#" + tab)
            clean(page, tab)
            no_overflow(page, tab)
            need(page.run("[document.querySelectorAll('main script, main img, main b').length, document.scripts.length]") == [0, 6], tab, "lets markup through")
            page.close()
    page = browser.open(path, fragment="#attention")
    page.run("document.querySelectorAll('#all-maps button')[1].click()")
    need("empty" in page.run("document.getElementById('map-readout').textContent"), "an empty map")
    page.run("document.querySelectorAll('#all-maps button')[0].click()")
    shown = [v for row in page.run(TABLE) for v in row]
    need(shown[3:6] == ["nan", "inf", "-0"], shown[3:6])
    need("\\u{202e}" in page.run("document.querySelector('.values').innerText"), "a bidi control is made visible")
    clean(page)
    page.close()


def test_runs_that_did_not_get_far(browser, runs):
    killed = runs.by_hand("killed", {"metrics.jsonl": json.dumps({"step": 1, "split": "train", "loss": 3.5}) + "\n{\"step\": 2"})
    nothing = runs.by_hand("nothing", {})
    for path in (killed, nothing, runs.report("killed", "soft", "nothing", "soft")):
        for tab in TABS:
            page = browser.open(path, width=390, fragment="#" + tab)
            clean(page, path + tab)
            no_overflow(page, path + tab)
            page.close()
    page = browser.open(killed)
    need("has not ended, or was killed" in page.run("document.querySelector('.note').parentNode.innerText"), "it does not say that it was killed")
    page.close()


def test_lab(browser, runs):
    def row(label, variance, biased):
        return {"estimator": label, "label": label, "objective": "expected", "biased": biased, "draws": 1000, "bias": 0.01, "bias_low": -0.01,
                "bias_high": 0.03, "variance": variance, "cosine": 0.9, "seconds": 0.01, "variance_times_cost": None, "gradient": 2.5, "heavy_tail": label.endswith("x1"),
                "blocks": [{"name": "encoder", "variance": variance, "bias": 0}, {"name": "decoder.attention", "gradient_is_zero": True}]}
    rows = [row("reinforce none x1", 12.5, False), row("reinforce leave_one_out x4", 0.25, False), row("gumbel_softmax", None, True)]
    path = runs.by_hand("lab", {"lab.json": json.dumps({"format": 2, "objective": "expected", "checkpoints": [{"step": 0, "rows": rows}, {"step": 100, "rows": rows[:2]}],
                                                        "recommendation": "Use leave-one-out."})})
    page = browser.open(path, fragment="#lab")
    text = page.run("document.getElementById('panel-lab').innerText")
    need("in units of the block\u2019s own gradient" in text and "|g| is 0" in text, text)
    need("Heavy tails: rare draws carry the variance of reinforce none x1" in text, text)
    need("Use leave-one-out." in text and "reinforce none x1" in text and "-0.01 to 0.03" in text, text)
    bars = page.run("Chart.getChart(document.querySelector('#panel-lab canvas')).data.datasets[0].data")
    need(bars == [12.5, 0.25], bars)
    page.run("[...document.querySelectorAll('#panel-lab th button')].find(b => b.textContent === 'variance (interval)').click()")
    need(page.run("document.querySelector('#panel-lab tbody th').innerText") == "reinforce leave_one_out x4", "sorted by variance")
    page.run("(() => { const s = document.querySelector('#panel-lab select'); s.value = '0'; s.dispatchEvent(new Event('change')); })()")
    need(page.run("document.querySelector('#panel-lab tbody').children.length") == 3, "the other checkpoint")
    clean(page)
    page.close()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: report_browser.py PROGRAM")
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="attend-report-") as folder:
        try:
            runs = Runs(os.path.abspath(sys.argv[1]), folder)
            with Browser() as browser:
                for name, test in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
                    try:
                        test(browser, runs)
                        passed += 1
                        print("ok " + name, flush=True)
                    except (AssertionError, KeyError, IndexError, TypeError, ValueError) as e:
                        failed += 1
                        where = traceback.extract_tb(e.__traceback__)[1]
                        print(f"FAIL {name}: line {where.lineno}: {type(e).__name__} {e}", flush=True)
        except (BrowserError, AssertionError, OSError) as e:
            failed += 1
            print(f"FAIL report_browser: {e}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
