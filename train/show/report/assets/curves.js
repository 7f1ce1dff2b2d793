/* The page of curves: every metric of metrics.jsonl, all runs in one chart. */
"use strict";
attend.curves = (parent, runs) => {
    const { el, number } = attend;
    const order = ["loss", "perplexity", "bits_per_byte", "exact_match", "accuracy", "alignment_accuracy", "word_error_rate", "symbol_error_rate", "bleu", "chrf"];
    const last = ["attention_entropy", "lr", "grad_norm", "loss_z", "grad_norm_z", "tokens_per_second"];
    const shares = new Set(["exact_match", "accuracy", "alignment_accuracy", "word_error_rate", "symbol_error_rate"]);
    const splits = ["train", "valid", "test"];
    const title = name => name.replace(/_/g, " ");
    const value = v => typeof v === "number" ? v : v === "inf" ? Infinity : v === "-inf" ? -Infinity : NaN;

    /* Results: one run as a table of its metrics, several as a line each. */
    function results() {
        const card = el("section", { class: "card" }, el("h2", {}, "Results"));
        const objects = { train: "last training line", valid: "last validation", best: "best validation", test: "test" };
        const summary = run => run.summary || {};
        const names = new Set();
        for (const run of runs)
            for (const part of Object.keys(objects))
                for (const name of Object.keys(summary(run)[part] || {})) if (name !== "step") names.add(name);
        const ranked = ranking([...names]);
        if (runs.length === 1) {
            const run = runs[0], s = summary(run);
            card.append(el("p", {}, el("strong", { class: s.status === "finished" ? "good" : "bad" }, s.status || "not ended"),
                s.steps === undefined ? "" : ` after ${number(s.steps)} steps and ${number(s.seconds)} s, ${number(s.parameters)} parameters`,
                s.message ? ": " + attend.visible(s.message, true) : ""));
            const parts = Object.keys(objects).filter(p => s[p] && Object.keys(s[p]).length);
            if (parts.length)
                card.append(attend.table([
                    { title: "metric", cell: r => title(r.name) },
                    ...parts.map(p => ({ title: objects[p] + (s[p].step === undefined ? "" : `, step ${number(s[p].step)}`), number: true, cell: r => number(s[p][r.name]) })),
                ], ranked.map(name => ({ name })), "results"));
        } else {
            const shown = ranked.filter(n => runs.some(r => [summary(r).best, summary(r).test].some(p => p && p[n] !== undefined)));
            const figure = (run, n) => { const s = summary(run), p = s.test && s.test[n] !== undefined ? s.test : s.best || {}; return p[n]; };
            card.append(el("p", { class: "muted small" }, "Metrics of the test split, or of the best validation if there is no test."),
                attend.table([
                    { title: "run", cell: r => [el("span", { class: "swatch box", style: `color:var(--series-${r.color})`, "aria-hidden": "true" }), " " + attend.visible(r.run.label, true)], sort: r => r.run.label },
                    { title: "status", cell: r => summary(r.run).status || "not ended", sort: r => summary(r.run).status },
                    { title: "steps", number: true, cell: r => number(summary(r.run).steps), sort: r => summary(r.run).steps },
                    { title: "seconds", number: true, cell: r => number(summary(r.run).seconds), sort: r => summary(r.run).seconds },
                    ...shown.map(n => ({ title: title(n), number: true, cell: r => number(figure(r.run, n)), sort: r => { const v = value(figure(r.run, n)); return Number.isNaN(v) ? null : v; } })),
                ], runs.map((run, i) => ({ run, color: i % 8 })), "results of all runs"));
        }
        return card;
    }
    function ranking(names) {
        const rank = n => order.includes(n) ? order.indexOf(n) : last.includes(n) ? 100 + last.indexOf(n) : 50;
        return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
    }

    /* Curves. */
    const state = { x: "step", smoothing: 0, range: null, hidden: new Set() };
    const names = ranking([...new Set(runs.flatMap(r => splits.flatMap(s => Object.keys((r.metrics[s] || { values: {} }).values))))].filter(n => n !== "seconds" && n !== "targets"));
    const present = splits.filter(s => runs.some(r => r.metrics[s]));
    const key = (run, split) => runs.indexOf(run) + " " + split;
    const charts = [];

    /* Where a part's lines lie on the x axis. Targets are counted in training alone: other lines lie between its lines. */
    function places(run, part) {
        if (state.x === "step") return part.step;
        if (state.x === "seconds" || part.values.targets) return (part.values[state.x] || part.step.map(() => NaN)).map(value);
        const train = run.metrics.train, known = train && train.values.targets;
        return part.step.map(step => {
            if (!known) return NaN;
            const i = train.step.findIndex(s => s >= step);
            if (i < 0) return value(known[known.length - 1]);
            const before = i > 0 ? train.step[i - 1] : 0, from = i > 0 ? value(known[i - 1]) : 0;
            return from + (value(known[i]) - from) * (step - before) / Math.max(1, train.step[i] - before);
        });
    }

    function series(name) {
        const all = [];
        for (const run of runs)
            for (const split of present) {
                const part = run.metrics[split];
                if (!part || !part.values[name] || state.hidden.has(key(run, split))) continue;
                const x = places(run, part);
                const y = part.values[name].map(value);
                const color = runs.length === 1 ? splits.indexOf(split) : runs.indexOf(run);
                const label = (runs.length === 1 ? "" : run.label + ", ") + split, dashed = runs.length > 1 && split === "train";
                if (state.smoothing > 0 && split === "train" && name !== "lr" && y.length > 2) {
                    all.push({ label, color, x, y, thin: true });
                    all.push({ label, color, x, y: attend.smoothed(y, state.smoothing), dashed });
                } else
                    all.push({ label, color, x, y, dashed, points: split === "test" || y.length < 25 });
            }
        return all;
    }
    const axis = () => state.x;
    const counted = runs.some(r => r.metrics.train && r.metrics.train.values.targets);
    const refresh = () => {
        for (const c of charts) c.chart.update({ series: series(c.name), x: axis(), range: state.range });
        reset.disabled = state.range === null;
    };
    const zoomed = range => { state.range = range; refresh(); };
    const reset = el("button", { type: "button", disabled: true, onclick: () => zoomed(null) }, "Show all");

    const strength = el("output", {}, "off");
    const smoothing = el("input", { type: "range", min: "0", max: "20", value: "0", id: "smoothing", "aria-label": "smoothing", oninput: () => {
        state.smoothing = Number(smoothing.value) === 0 ? 0 : 1 - Math.pow(0.8, Number(smoothing.value));
        strength.textContent = state.smoothing === 0 ? "off" : state.smoothing.toFixed(2);
        refresh();
    } });
    const legend = el("ul", { class: "legend", id: "curves-legend" }, runs.flatMap((run, i) => present.filter(s => run.metrics[s]).map(split => {
        const color = runs.length === 1 ? splits.indexOf(split) : i % 8, dashed = runs.length > 1 && split === "train";
        const box = el("input", { type: "checkbox", checked: true, onchange: () => {
            if (box.checked) state.hidden.delete(key(run, split)); else state.hidden.add(key(run, split));
            refresh();
        } });
        return el("li", {}, el("label", {}, box, el("span", { class: "swatch" + (dashed ? " dashed" : ""), style: `color:var(--series-${color})` }),
            el("span", { dir: "auto" }, (runs.length === 1 ? "" : attend.visible(run.label, true) + ", ") + split)));
    })));

    parent.append(results());
    if (!names.length) {
        parent.append(el("section", { class: "card" }, el("h2", {}, "Curves"), el("p", { class: "muted" }, "No metrics were written yet.")));
        return;
    }
    const grid = el("div", { class: "grid" });
    parent.append(el("section", { class: "card" }, el("h2", {}, "Curves"),
        el("div", { class: "controls" },
            attend.select("x axis", [{ value: "step", text: "steps" }, { value: "seconds", text: "seconds" }, ...(counted ? [{ value: "targets", text: "targets" }] : [])], "step", v => { state.x = v; state.range = null; refresh(); }),
            el("label", {}, el("span", {}, "smoothing of training"), smoothing, strength), reset),
        legend,
        el("p", { class: "muted small", style: "margin:.6rem 0 0" }, "Drag across a chart to zoom into a range, double-click to show all. With a chart focused: arrows read values, + and \u2212 zoom, Shift and arrows move, 0 shows all.")), grid);
    for (const name of names) {
        const logarithmic = el("button", { type: "button", "aria-pressed": "false", class: "small", onclick: () => {
            const on = logarithmic.getAttribute("aria-pressed") !== "true";
            logarithmic.setAttribute("aria-pressed", String(on));
            chart.update({ log: on });
        } }, "log");
        const card = el("section", { class: "card", "data-metric": name }, el("div", { class: "chart-head" }, el("h3", {}, title(name)), logarithmic));
        logarithmic.setAttribute("aria-label", "logarithmic scale of " + title(name));
        grid.append(card);
        const chart = attend.lineChart(card, { label: title(name), x: axis(), series: series(name), range: null, zoomed, floor: shares.has(name) ? 0 : undefined });
        charts.push({ name, chart });
    }
};
