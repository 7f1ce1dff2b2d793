#!/usr/bin/env python3
"""compare.html in headless Chromium: compare_browser.py PROGRAM. ./dev test report runs it.

Runs tiny comparisons, opens their pages from disk without a network, and holds what they draw against metrics.jsonl.
"""
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

from browser import Browser, BrowserError

SMALL = {
    "data": {"task": "copy", "symbols": 4, "min_length": 2, "max_length": 5, "train_examples": 60, "valid_examples": 20, "test_examples": 10},
    "model": {"type": "rnn_seq2seq", "embedding": 5, "hidden": 6},
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "train": {"steps": 12, "batch": 9, "shards": 2, "log_every": 5, "evaluate_every": 4, "best_metric": "loss"},
}
HOSTILE = "<img src=x onerror=alert(2)> \"'& \U0001f600 abc " + "w" * 40
T_2 = 4.302652729911275  # Student's t with 2 degrees of freedom at 0.975


def beyond(c):
    """P(|T| > c) of Student's t with 2 degrees of freedom."""
    return 1 - c / math.sqrt(2 + c * c)


def critical(runs):
    """Of the simultaneous band of three curves (train/study/compare/curves.cpp), by the definition."""
    residuals = []
    for values in zip(*runs):
        mean = sum(values) / 3
        if max(values) - min(values) > 1e-11 * max(map(abs, values)):
            residuals.append([v - mean for v in values])
    angles = []
    for a, b in zip(residuals, residuals[1:]):
        cosine = sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
        angles.append(math.acos(max(-1.0, min(1.0, cosine))))
    low, high = T_2, 1e6
    for _ in range(200):
        c = (low + high) / 2
        missed = beyond(c) + sum(min(beyond(c), angle / math.pi / math.sqrt(1 + c * c / 2)) for angle in angles)
        low, high = (c, high) if missed > 0.05 else (low, c)
    return high


WILD = {"optimizer": {"type": "sgd", "learning_rate": 1000, "momentum": 0.99, "weight_decay": 1}, "train.clip_norm": 0, "train.steps": 400,
        "train.evaluate_every": 1000}


def need(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def close(a, b):
    return abs(a - b) <= 1e-6 * max(abs(a), abs(b), 1e-3)


class Comparisons:
    """What the tests look at, made once."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.three = self.make("three", {"plain": {}, "concat": {"model.attention.score": "concat"}, "slow": {"optimizer.learning_rate": 0.001}},
                               [1, 2, 3], {"steps": [4, 8]})
        self.one = self.make("one", {"plain": {}, HOSTILE: {"train.batch": 7}}, [5], {})
        self.wild = self.make("wild", {"plain": {}, "wild": WILD}, [1, 2], {}, code=3)
        self.level = sorted(min(line["loss"] for line in self.lines("three", "plain", seed, "valid")) for seed in (1, 2, 3))[1]
        self.goal = self.make("goal", {"plain": {}, "slow": {"optimizer.learning_rate": 0.001}}, [1, 2, 3], {"threshold": self.level})
        self.lengths = self.make("lengths", {"plain": {}, "none": {"model.attention": "none", "model.bidirectional": False}}, [1, 2, 3],
                                 {"metric": "accuracy", "by_length": {"side": "source", "edges": [3, 4, 7]}})
        self.older = self.without_lengths("lengths", "older")
        self.many = self.make("many", {f"rate {i}": {"optimizer.learning_rate": 0.001 * (i + 1)} for i in range(10)}, [1, 2], {})

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def make(self, name, variants, seeds, compare, code=0):
        with open(self.path(name + ".json"), "w") as f:
            json.dump({"name": name, "base": SMALL, "seeds": seeds, "variants": variants, "compare": compare}, f)
        done = subprocess.run([self.program, "compare", self.path(name + ".json"), "--out", self.path(name)], capture_output=True, text=True)
        need(done.returncode == code, name, "ended with", done.returncode, done.stderr[-2000:])
        self.said = {**getattr(self, "said", {}), name: done.stdout}
        return self.path(name, "compare.html")

    def without_lengths(self, name, copy):
        """The comparison as an older program left it: what it kept of examples has no lengths."""
        shutil.copytree(self.path(name), self.path(copy))
        for variant in ("plain", "none"):
            path = self.path(copy, variant, "seed-2", "test_scores.jsonl")
            with open(path) as f:
                lines = [json.loads(line) for line in f]
            with open(path, "w") as f:
                f.writelines(json.dumps({k: v for k, v in line.items() if k != "lengths"}) + "\n" for line in lines)
        done = subprocess.run([self.program, "report", self.path(copy)], capture_output=True, text=True)
        need(done.returncode == 0, copy, "report ended with", done.returncode, done.stderr[-2000:])
        return self.path(copy, "compare.html")

    def scores(self, name, variant, seed):
        with open(self.path(name, variant, f"seed-{seed}", "test_scores.jsonl")) as f:
            return [line for line in map(json.loads, f) if "example" in line]

    def lines(self, name, variant, seed, split):
        with open(self.path(name, variant, f"seed-{seed}", "metrics.jsonl")) as f:
            return [line for line in map(json.loads, f) if line["split"] == split]


def clean(page):
    need(page.problems == [], "the page complains:", page.problems)
    need(len(page.requests) == 1 and page.requests[0].startswith("file://"), "the page asks for", page.requests)


def no_overflow(page, name):
    wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    need(wide <= 0, name, "is", wide, "pixels wider than the window")


CHART = "Chart.getChart(document.querySelector('#curves canvas'))"


def drawn(page):
    """The chart's lines: {label: [{x, y}]}, edges of bands as label + ' low' and ' high'."""
    found = {}
    for d in page.run(CHART + ".data.datasets.map(d => ({label: d.label, band: !!d.band, fill: d.fill, data: d.data.map(p => [p.x, p.y])}))"):
        found[d["label"] + (" high" if d["fill"] == "-1" else " low" if d["band"] else "")] = d["data"]
    return found


def choose(page, label, text):
    page.run(f"""(() => {{
        const control = [...document.querySelectorAll('.controls label')].find(l => l.textContent.startsWith({json.dumps(label)})).querySelector('select');
        control.value = [...control.options].find(o => o.text === {json.dumps(text)}).value;
        control.dispatchEvent(new Event('change'));
    }})()""")


def press(page, label):
    page.run(f"[...document.querySelectorAll('.controls label, .legend label')].find(l => l.textContent === {json.dumps(label)}).querySelector('input').click()")


def cells(page, caption):
    rows = page.run(f"[...document.querySelector('[aria-label={json.dumps(caption)}] table').rows].map(r => [...r.cells].map(c => c.textContent))")
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def test_opens_without_network_and_says_what_was_found(browser, made):
    page = browser.open(made.three)
    clean(page)
    need(page.run("document.getElementById('found').textContent") == next(line for line in made.said["three"].splitlines() if line.startswith("Found")))
    need(page.run("document.title") == "three: comparison")


def test_curves_are_the_means_and_simultaneous_bands_of_metrics(browser, made):
    page = browser.open(made.three)
    for metric, split in (("loss", "valid"), ("exact_match", "valid"), ("loss", "train"), ("lr", "train")):
        choose(page, "Metric", f"{metric} ({split})")
        for axis, key in (("steps", "step"), ("seconds", "seconds")):
            choose(page, "Over", axis)
            lines = drawn(page)
            for variant in ("plain", "concat", "slow"):
                runs = [made.lines("three", variant, seed, split) for seed in (1, 2, 3)]
                need(len(lines[variant]) == len(runs[0]), variant, metric, lines[variant])
                c = critical([[line[metric] for line in run] for run in runs])
                least, most = {"exact_match": (0, 1), "loss": (0, math.inf)}.get(metric, (-math.inf, math.inf))
                for i, (x, y) in enumerate(lines[variant]):
                    values = [run[i][metric] for run in runs]
                    mean = sum(values) / 3
                    half = c * math.sqrt(sum((v - mean) ** 2 for v in values) / 2 / 3)
                    need(close(x, sum(run[i][key] for run in runs) / 3), variant, metric, axis, x)
                    need(close(y, mean), variant, metric, y, mean)
                    need(close(lines[variant + " low"][i][1], max(least, mean - half)), variant, metric, lines[variant + " low"][i], mean - half)
                    need(close(lines[variant + " high"][i][1], min(most, mean + half)), variant, metric, lines[variant + " high"][i], mean + half)
    choose(page, "Over", "targets")
    need(close(drawn(page)["plain"][-1][0], sum(made.lines("three", "plain", s, "train")[-1]["targets"] for s in (1, 2, 3)) / 3))
    need(page.run("document.querySelector('#curves .readout').textContent") == "targets")
    clean(page)


def text_of(page, selector):
    return page.run(f"document.querySelector({json.dumps(selector)}).textContent")


def test_the_caption_says_what_the_band_is(browser, made):
    need("holds the whole mean curve with 95 %" in text_of(browser.open(made.three), "#curves-note"))
    need("three seeds or more" in text_of(browser.open(made.many), "#curves-note"))
    need("band" not in text_of(browser.open(made.one), "#curves-note"))


def area(lines, metric):
    """Trapezoids over the evaluations, per step."""
    sum_ = sum((b["step"] - a["step"]) * (a[metric] + b[metric]) / 2 for a, b in zip(lines, lines[1:]))
    return sum_ / (lines[-1]["step"] - lines[0]["step"])


def test_the_area_under_each_curve_is_a_dot_for_each_seed(browser, made):
    page = browser.open(made.three)
    for metric in ("loss", "exact_match"):
        choose(page, "Metric", f"{metric} (valid)")
        rows = cells(page, "area under the curve")
        for row in rows:
            areas = [area(made.lines("three", row["variant"], seed, "valid"), metric) for seed in (1, 2, 3)]
            need(all(abs(float(x) - a) <= 1e-3 * abs(a) for x, a in zip(row["values"].split(", "), areas)), row, areas)
            need(abs(float(row["mean"]) - sum(areas) / 3) <= 1e-3 * sum(areas) / 3, row, areas)
        need(page.run("document.querySelectorAll('#areas .dot').length") == 9)
    choose(page, "Metric", "lr (train)")
    need("no metric" in text_of(page, "#areas"))
    clean(page)


def test_no_threshold_but_one_that_was_fixed_beforehand(browser, made):
    page = browser.open(made.three)
    need("None was fixed beforehand. Set compare.threshold" in text_of(page, "#no-threshold"))
    need(page.run("document.getElementById('reached') === null"))
    page = browser.open(made.goal)
    runs = {v: [made.lines("goal", v, seed, "valid") for seed in (1, 2, 3)] for v in ("plain", "slow")}
    times = {v: [next((line["step"] for line in run if line["loss"] <= made.level), None) for run in runs[v]] for v in runs}
    need(any(t is not None for t in times["plain"]), times)
    rows = {row["variant"]: row for row in cells(page, "time until the threshold")}
    for variant, steps in times.items():
        need(rows[variant]["reached"].startswith(f"{sum(t is not None for t in steps)}/3 ("), rows[variant])
        mean = sum(12 if t is None else t for t in steps) / 3
        need(close(float(rows[variant]["steps"].split(" ")[0]), float(f"{mean:.4g}")), rows[variant], steps)
        need(rows[variant]["seconds"] and rows[variant]["targets"], rows[variant])
    shown = page.run("Chart.getChart(document.querySelector('#reached canvas')).data.datasets.filter(d => !d.band).map(d => ({label: d.label, data: d.data.map(p => [p.x, p.y])}))")
    need([d["label"] for d in shown] == ["plain", "slow"], shown)
    for d in shown:
        need(d["data"][0] == [0, 0] and d["data"][-1][0] == 12, d)
        need(close(d["data"][-1][1], sum(t is not None for t in times[d["label"]]) / 3), d, times)
        for t in {t for t in times[d["label"]] if t is not None}:  # it rises at the evaluation that shows it, upright
            need(len([x for x, _ in d["data"] if x == t]) >= 2, d, t)
    clean(page)


def test_the_metric_by_length_is_made_of_the_examples_of_each_bin(browser, made):
    page = browser.open(made.lengths)
    chart = "Chart.getChart(document.querySelector('#lengths canvas'))"
    shown = page.run(chart + ".data.datasets.map(d => ({label: d.label, band: !!d.band, fill: d.fill, data: d.data.map(p => [p.x, p.y])}))")
    need([d["label"] for d in shown if not d["band"]] == ["plain", "none"], shown)
    rows = cells(page, "metric by length")
    need([row["source symbols"] for row in rows] == ["up to 3", "4", "5-7"], rows)  # nothing is 8 or longer
    for variant in ("plain", "none"):
        low, high, line = ([d["data"] for d in shown if d["label"] == variant and kind(d)][0] for kind in (
            lambda d: d["band"] and d["fill"] is False, lambda d: d["band"] and d["fill"] == "-1", lambda d: not d["band"]))
        need(len(line) == 3, line)
        for i, (least, most) in enumerate(((0, 3), (4, 4), (5, 7))):
            runs = [[s for s in made.scores("lengths", variant, seed) if least <= s["lengths"][0] <= most] for seed in (1, 2, 3)]
            values = [sum(s["accuracy"][0] for s in run) / sum(s["accuracy"][1] for s in run) for run in runs if run]
            lengths = [s["lengths"][0] for run in runs for s in run]
            mean = sum(values) / len(values)
            need(close(line[i][1], mean), variant, i, line[i], mean)
            need(line[i][0] == i, variant, i, line[i])
            need(0 <= low[i][1] < mean < high[i][1] <= 1, low[i], mean, high[i])
            need(rows[i]["examples"] == str(len(lengths)), rows[i], len(lengths))  # each seed has a test of its own
            need(abs(float(rows[i][variant].split(" ")[0]) - mean) < 1e-3, rows[i], mean)
    need("for each bin by itself: new seeds and new examples" in text_of(page, "#lengths-note"))
    need(page.run(chart + ".scales.x.getTicks().map(t => t.label)") == ["up to 3", "4", "5-7"], "ticks")
    need(page.run("[...document.querySelectorAll('[aria-label=\"variants by length\"] li')].map(l => l.textContent.trim())") == ["plain", "none"])
    page.run("document.querySelector('#lengths canvas').focus()")
    page.key("ArrowRight")
    text = page.run("document.querySelector('#lengths .readout').textContent")
    need(text.startswith("source symbols up to 3: ") and "plain " in text and "none " in text, text)
    clean(page)


def test_runs_without_lengths_say_so_in_one_line(browser, made):
    page = browser.open(made.older)
    need("2 of 6 runs that trained keep no lengths" in text_of(page, "#no-lengths"))
    need(page.run("document.getElementById('lengths') === null"))
    clean(page)
    need(browser.open(made.three).run("document.getElementById('lengths') === null && document.getElementById('no-lengths') === null"))


def test_controls(browser, made):
    page = browser.open(made.three)
    need(set(drawn(page)) == {v + end for v in ("plain", "concat", "slow") for end in ("", " low", " high")})
    press(page, "bands")
    need(set(drawn(page)) == {"plain", "concat", "slow"})
    press(page, "concat")
    press(page, "each seed")
    lines = drawn(page)
    need(set(lines) == {"plain", "slow"} | {f"{v}, seed {s}" for v in ("plain", "slow") for s in (1, 2, 3)})
    need([y for _, y in lines["slow, seed 2"]] == [float(f"{line['loss']:.7g}") for line in made.lines("three", "slow", 2, "valid")])
    press(page, "log scale")
    need(page.run(CHART + ".options.scales.y.type") == "logarithmic")
    clean(page)


def test_keyboard_reads_the_chart(browser, made):
    page = browser.open(made.three)
    page.run("document.querySelector('#curves canvas').focus()")
    page.key("ArrowRight")
    page.key("ArrowRight")
    text = page.run("document.querySelector('#curves .readout').textContent")
    need(text.startswith("steps 8: plain ") and "concat" in text and "slow" in text, text)
    clean(page)


def test_tables_say_what_compare_json_says(browser, made):
    page = browser.open(made.three)
    with open(made.path("three", "compare.json")) as f:
        stored = json.load(f)
    for row, variant in zip(cells(page, "result"), stored["variants"]):
        need(row["variant"] == variant["name"] and row["trained"] == "3/3", row)
        need(close(float(row["loss"].split(" ")[0]), round(variant["value"]["mean"], len(row["loss"].split(" ")[0].partition(".")[2]))), row)
    need(cells(page, "result")[0]["verdict"] == "reference")
    for row, variant in zip(cells(page, "all metrics"), stored["variants"]):
        need(set(row) == {"variant", *variant["metrics"]} and "exact_match" in row, row)
        need(close(float(row["accuracy"].split(" ")[0]), round(variant["metrics"]["accuracy"]["mean"], len(row["accuracy"].split(" ")[0].partition(".")[2]))), row)
    for row, variant in zip(cells(page, "differences"), stored["variants"][1:]):
        need(row["variant"] == variant["name"] and row["better with"] == f"{variant['difference']['better_with']}/3", row)
        need(row["verdict"] == "too few seeds" and row["p (signs)"] == "\u2013", row)
    for row, variant in zip(cells(page, "values of seeds"), stored["variants"]):
        need(all(close(float(row[str(seed)]), float(f"{value:.4g}")) for seed, value in zip((1, 2, 3), variant["values"])), row)
    runs = cells(page, "runs")
    need(len(runs) == 9 and all(run["status"] == "finished" for run in runs), runs)
    changes = cells(page, "changed options")
    need([(c["variant"], c["option"], c["here"]) for c in changes] == [("concat", "model.attention.score", "concat"), ("slow", "optimizer.learning_rate", "0.001")], changes)
    need(len(cells(page, "values at steps")[0]) == 3)
    page.run("[...document.querySelectorAll('[aria-label=result] th button')].find(b => b.textContent === 'loss').click()")
    need(cells(page, "result")[-1]["variant"] == max(stored["variants"], key=lambda v: v["value"]["mean"])["name"])
    clean(page)


def test_one_seed_and_hostile_names(browser, made):
    page = browser.open(made.one)
    need(page.run("document.getElementById('found').textContent").startswith("Found, against "))
    need(HOSTILE in [row["variant"] for row in cells(page, "result")])
    need(page.run("document.querySelectorAll('img').length") == 0)
    need(page.run("![...document.querySelectorAll('.controls label')].some(l => l.textContent === 'bands')"))
    need("as it changes train.batch" in page.run("document.querySelector('.note').textContent"))
    clean(page)
    page = browser.open(made.one, width=390, height=844)
    no_overflow(page, "the page of long names on a phone")


def test_runs_that_diverged(browser, made):
    page = browser.open(made.wild)
    need(cells(page, "result")[1]["trained"] == "0/2, 2 diverged", cells(page, "result"))
    need(all(run["status"].startswith("diverged: step ") for run in cells(page, "runs") if run["variant"] == "wild"))
    need("NaN" not in page.run("document.body.innerText") and "undefined" not in page.run("document.body.innerText"))
    for metric in ("loss (train)", "loss (valid)"):  # none is left out
        choose(page, "Metric", metric)
        lines, note = drawn(page), text_of(page, "#curves-note")
        need("A run that diverged or failed counts as " in note, note)
        need("wild" in lines and len(lines["wild"]) >= 1, lines)
    need(page.run("document.querySelectorAll('#areas .dot.broke').length") == 2)
    wild = cells(page, "area under the curve")[1]["values"].split(", ")
    need(len(wild) == 2 and "\u2013" not in wild, wild)
    clean(page)


def test_more_variants_than_colours(browser, made):
    page = browser.open(made.many)
    dashes = page.run(CHART + ".data.datasets.filter(d => !d.band).map(d => d.borderDash.length)")
    need(dashes == [0] * 8 + [2] * 2, dashes)
    clean(page)


def test_themes_and_phones(browser, made):
    for dark in (False, True):
        for width, height in ((1280, 900), (390, 844)):
            by_length = browser.open(made.lengths, width=width, height=height, dark=dark)
            no_overflow(by_length, f"the page by length at {width}, dark {dark}")
            by_length.close()
            page = browser.open(made.three, width=width, height=height, dark=dark)
            no_overflow(page, f"the page at {width}, dark {dark}")
            need(page.run("document.documentElement.dataset.theme") == ("dark" if dark else "light"))
            if "ATTEND_SCREENSHOTS" in os.environ:
                page.screenshot(os.path.join(os.environ["ATTEND_SCREENSHOTS"], f"compare-{width}-{'dark' if dark else 'light'}.png"))
            clean(page)
            page.close()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: compare_browser.py PROGRAM")
    program = os.path.abspath(sys.argv[1])
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="attend-compare-") as folder:
        try:
            made = Comparisons(program, folder)
            with Browser() as browser:
                for name, test in list(globals().items()):
                    if not name.startswith("test_"):
                        continue
                    try:
                        test(browser, made)
                        passed += 1
                        print("ok", name, flush=True)
                    except Exception:  # the next tests tell more
                        failed += 1
                        print("FAIL", name, traceback.format_exc(limit=-2), flush=True)
        except (BrowserError, AssertionError) as e:
            failed += 1
            print("FAIL", e)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
