/* compare.html: what was found, curves with bands over seeds, the tables. */
"use strict";
(() => {
    const { data, main, el, number, select, checkbox, table, lineChart, color, onTheme } = attend;
    const variants = data.variants, reference = data.reference, dash = "\u2013", minus = "\u2212";
    const card = (title, ...children) => el("section", { class: "card" }, title && el("h2", {}, title), ...children);

    /* A mean with its interval to two figures of the interval. */
    function digits(size) { return Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(size)))); }
    function interval(m, signed) {
        if (!m || m.mean === null) return dash;
        const half = m.half_width, sign = signed && m.mean >= 0 ? "+" : "";
        const fixed = x => x.toLocaleString("en-US", { minimumFractionDigits: digits(half), maximumFractionDigits: digits(half) });
        const text = half > 0 ? fixed(m.mean) : number(m.mean);
        return sign + text.replace("-", minus) + (half === null ? "" : " \u00b1 " + (half > 0 ? fixed(half) : "0"));
    }
    const p = value => value === null ? dash : value < 1e-4 ? value.toExponential(0).replace("e-", "e\u2212") : value.toFixed(4);

    function verdict(v) {
        const d = v.difference;
        if (!d) return el("span", { class: "muted" }, "reference");
        if (d.verdict === "better") return el("strong", { class: "good" }, "better");
        if (d.verdict === "worse") return el("strong", { class: "bad" }, "worse");
        if (d.verdict !== "not distinguishable") return d.verdict;
        if (d.differences.mean === 0 && d.differences.deviation === 0) return "equal with every seed";
        return "not distinguishable; " + (d.seeds_more === null ? "more than 10,000 seeds" : "about " + number(d.seeds_more) + " more seed" + (d.seeds_more === 1 ? "" : "s")) + " needed";
    }

    /* What was found. */
    const found = data.found.slice();
    const sum = found.pop();
    main.append(card(null,
        el("p", { id: "found" }, el("strong", {}, sum)),
        found.length > 0 && el("ul", { class: "small" }, found.map(sentence => el("li", {}, sentence))),
        el("p", { class: "muted small" }, data.metric + " of the " + data.split + " split, " + data.better + " is better; " +
            (data.seeds.length > 1
                ? data.seeds.length + " seeds (" + data.seeds.join(", ") + "). Means with their " + number(100 * data.confidence) + " % intervals (Student\u2019s t), each for itself; paired t tests against " + reference + ", corrected for the number of variants (Holm)."
                : "one seed (" + data.seeds[0] + "): no intervals and no tests."))));

    for (const v of variants)
        if (v.other_batches)
            main.append(el("p", { class: "note" }, v.name + " is not trained on the batches of " + reference + ", as it changes " + v.other_batches + "."));

    /* Curves. */
    const axes = [{ value: "step", text: "steps" }, { value: "targets", text: "targets" }, { value: "seconds", text: "seconds" }]
        .filter(a => data.curves.some(c => c.variants.some(v => v[a.value].some(x => x !== null))));
    const first = Math.max(0, data.curves.findIndex(c => c.metric === data.metric && c.split === data.curve));
    const view = { curve: first, x: "step", log: false, bands: true, seeds: false, shown: variants.map(() => true), range: null };

    /* A curve needs an axis that rises: points without a position, or with that of the point before, are left out. */
    function rising(curve, values) {
        const result = Object.fromEntries(values.map(name => [name, []]));
        result.x = [];
        curve[view.x].forEach((x, i) => {
            if (x === null || (result.x.length > 0 && x <= result.x[result.x.length - 1])) return;
            result.x.push(x);
            for (const name of values) result[name].push(curve[name][i] === null ? NaN : curve[name][i]);
        });
        return result;
    }
    function series() {
        const all = [];
        data.curves[view.curve].variants.forEach((curve, i) => {
            if (!view.shown[i]) return;
            const dashed = i >= 8;
            if (view.seeds)
                for (const run of curve.each) {
                    const r = rising(run, ["value"]);
                    all.push({ label: variants[i].name + ", seed " + run.seed, color: i, x: r.x, y: r.value, thin: true, dashed });
                }
            const r = rising(curve, ["mean", "low", "high"]);
            const band = view.bands && r.low.some(Number.isFinite);
            all.push({ label: variants[i].name, color: i, x: r.x, y: r.mean, low: band ? r.low : null, high: band ? r.high : null, dashed });
        });
        return all;
    }
    const axisText = () => axes.find(a => a.value === view.x).text;
    const curveText = c => c.metric + " (" + c.split + ")";
    let chart = null;
    const redraw = () => chart.update({ series: series(), x: axisText(), log: view.log, range: view.range, label: curveText(data.curves[view.curve]) });
    if (data.curves.length > 0) {
        const swatches = variants.map((v, i) => el("span", { class: i >= 8 ? "swatch dashed" : "swatch" }));
        const paint = () => swatches.forEach((s, i) => { s.style.color = color(i); });
        const area = el("div", { id: "curves" });
        main.append(card("Curves",
            el("div", { class: "controls" },
                select("Metric", data.curves.map((c, i) => ({ value: i, text: curveText(c) })), view.curve, v => { view.curve = Number(v); redraw(); }),
                select("Over", axes, view.x, v => { view.x = v; view.range = null; redraw(); }),
                checkbox("log scale", view.log, on => { view.log = on; redraw(); }),
                data.seeds.length > 1 && checkbox("bands", view.bands, on => { view.bands = on; redraw(); }),
                checkbox("each seed", view.seeds, on => { view.seeds = on; redraw(); })),
            area,
            el("ul", { class: "legend", "aria-label": "variants" }, variants.map((v, i) =>
                el("li", {}, el("label", {}, el("input", { type: "checkbox", checked: true, onchange: event => { view.shown[i] = event.target.checked; redraw(); } }), swatches[i], v.name)))),
            el("p", { class: "muted small" }, data.seeds.length > 1 ? "Bands: " + number(100 * data.confidence) + " % intervals of the mean over the seeds that finished. Drag to zoom, double-click to show all." : "Drag to zoom, double-click to show all.")));
        paint();
        onTheme(paint);
        area.className = "tall";
        chart = lineChart(area, { series: series(), x: axisText(), log: view.log, range: view.range, label: curveText(data.curves[view.curve]), zoomed: range => { view.range = range; redraw(); } });
    }

    /* Tables. */
    const mean = m => m && m.mean !== null ? m.mean : null;
    main.append(card("Result", table([
        { title: "variant", cell: v => v.name, sort: v => v.name },
        { title: "finished", number: true, cell: v => v.finished + "/" + v.runs + (v.diverged ? ", " + v.diverged + " diverged" : "") + (v.failed ? ", " + v.failed + " failed" : "") + (v.exploded ? ", " + v.exploded + " exploded" : ""), sort: v => v.finished },
        { title: data.metric, number: true, cell: v => interval(v.value), sort: v => mean(v.value) },
        { title: minus + " " + reference, number: true, cell: v => v.difference ? interval(v.difference.differences, true) : "", sort: v => v.difference ? mean(v.difference.differences) : 0 },
        { title: "p", number: true, cell: v => v.difference ? p(v.difference.p) : "", sort: v => v.difference && v.difference.p },
        { title: "p corrected", number: true, cell: v => v.difference ? p(v.difference.p_corrected) : "", sort: v => v.difference && v.difference.p_corrected },
        { title: "seconds", number: true, cell: v => mean(v.seconds) === null ? dash : v.seconds.mean.toFixed(1), sort: v => mean(v.seconds) },
        { title: "parameters", number: true, cell: v => number(v.parameters), sort: v => v.parameters },
        { title: "verdict", class: "wide", cell: verdict },
    ], variants, "result")));

    const metrics = Object.keys(variants[0].metrics);
    if (metrics.length > 1)
        main.append(card("All metrics of the " + data.split + " split", table([
            { title: "variant", cell: v => v.name, sort: v => v.name },
            ...metrics.map(m => ({ title: m, number: true, cell: v => interval(v.metrics[m]), sort: v => mean(v.metrics[m]) })),
        ], variants, "all metrics")));

    if (data.threshold !== null)
        main.append(card("Until " + data.metric + (data.better === "higher" ? " \u2265 " : " \u2264 ") + Number(data.threshold.toPrecision(6)) + " (" + data.curve + ")",
            el("p", { class: "muted small" }, "The first evaluation that shows it; means over the runs that reached it."),
            table([
                { title: "variant", cell: v => v.name, sort: v => v.name },
                { title: "reached", number: true, cell: v => v.until_threshold.reached + "/" + v.runs, sort: v => v.until_threshold.reached },
                { title: "steps", number: true, cell: v => interval(v.until_threshold.steps), sort: v => mean(v.until_threshold.steps) },
                { title: "targets", number: true, cell: v => interval(v.until_threshold.targets), sort: v => mean(v.until_threshold.targets) },
                { title: "seconds", number: true, cell: v => interval(v.until_threshold.seconds), sort: v => mean(v.until_threshold.seconds) },
            ], variants, "steps, targets and seconds until the threshold")));

    if (data.steps.length > 0)
        main.append(card(data.metric + " (" + data.curve + ") at steps", table([
            { title: "variant", cell: v => v.name, sort: v => v.name },
            ...data.steps.map((step, i) => ({ title: number(step), number: true, cell: v => interval(v.at_steps[i]), sort: v => mean(v.at_steps[i]) })),
        ], variants, "values at steps")));

    main.append(card("What each variant changes", el("p", { class: "muted small" }, "Against " + reference + "; all options that are not listed are the same."), table([
        { title: "variant", cell: r => r.variant },
        { title: "option", cell: r => r.option },
        { title: reference, class: "mono", cell: r => r.reference || dash },
        { title: "here", class: "mono", cell: r => r.here || dash },
    ], variants.flatMap(v => v.changed.length === 0
        ? (v.name === reference ? [] : [{ variant: v.name, option: "nothing" }])
        : v.changed.map(c => ({ variant: v.name, option: c.option, reference: c.reference, here: c.variant }))), "changed options")));

    main.append(card("Runs", table([
        { title: "variant", cell: r => r.variant, sort: r => r.variant },
        { title: "seed", number: true, cell: r => String(r.seed), sort: r => r.seed },
        { title: "status", cell: r => r.status + (r.message ? ": " + r.message : ""), sort: r => r.status },
        { title: data.metric, number: true, cell: r => number(r.value), sort: r => r.value },
        { title: "steps", number: true, cell: r => number(r.steps), sort: r => r.steps },
        { title: "seconds", number: true, cell: r => typeof r.seconds === "number" ? r.seconds.toFixed(1) : dash, sort: r => r.seconds },
        { title: "folder", class: "mono", cell: r => r.folder },
    ], variants.flatMap(v => v.each.map(r => ({ ...r, variant: v.name }))), "runs"),
    el("p", { class: "muted small" }, "Config: ", el("span", { class: "mono" }, data.config))));
})();
