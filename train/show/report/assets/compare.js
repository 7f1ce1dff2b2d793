/* compare.html: what was found, curves with bands that hold whole mean curves, areas under the curves, times until a threshold, the tables. */
"use strict";
(() => {
    const { data, main, el, number, select, checkbox, table, lineChart, color, onTheme } = attend;
    const variants = data.variants, reference = data.reference, dash = "\u2013", minus = "\u2212";
    const card = (title, ...children) => el("section", { class: "card" }, title && el("h2", {}, title), ...children);

    /* A mean with its interval over runs, which stays in what the metric can be, to two figures. */
    function digits(size) { return Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(size)))); }
    function interval(m, signed) {
        if (!m || m.mean === null) return dash;
        const sign = x => (signed && x >= 0 ? "+" : ""), half = m.limits === null ? null : (m.limits[1] - m.limits[0]) / 2;
        const fixed = x => (sign(x) + x.toLocaleString("en-US", { minimumFractionDigits: digits(half), maximumFractionDigits: digits(half) })).replace("-", minus);
        return half > 0 ? fixed(m.mean) + " (" + fixed(m.limits[0]) + " to " + fixed(m.limits[1]) + ")" : sign(m.mean) + number(m.mean).replace("-", minus);
    }
    const p = value => value === null ? dash : value < 1e-4 ? value.toExponential(0).replace("e-", "e\u2212") : value.toFixed(4);

    function verdict(v) {
        const d = v.difference;
        if (!d) return el("span", { class: "muted" }, "reference");
        if (d.verdict.startsWith("better")) return el("strong", { class: "good" }, d.verdict);
        if (d.verdict.startsWith("worse")) return el("strong", { class: "bad" }, d.verdict);
        return d.verdict;
    }

    /* Limits, a part for each population. */
    const populations = { new_seeds: "new seeds", new_seeds_these_examples: "new seeds, these examples", new_seeds_and_examples: "new seeds and new examples" };
    function limits(l, signed) {
        const size = digits((l[1] - l[0]) / 2), fixed = x => (signed && x >= 0 ? "+" : "") + x.toFixed(size).replace("-", minus);
        return fixed(l[0]) + " to " + fixed(l[1]);
    }
    const kinds_of_limits = Object.keys(populations).filter(k => variants.some(v => v.limits[k]));
    const limit_columns = (of, signed) => kinds_of_limits.map(k => ({ title: populations[k], number: true, cell: v => of(v) && of(v)[k] ? limits(of(v)[k], signed) : dash }));

    /* What was found. */
    const found = data.found.slice();
    const sum = found.pop();
    main.append(card(null,
        el("p", { id: "found" }, el("strong", {}, sum)),
        found.length > 0 && el("ul", { class: "small" }, found.map(sentence => el("li", {}, sentence))),
        el("p", { class: "muted small" }, data.metric + " of the " + data.split + " split, " + data.better + " is better; " +
            (data.seeds.length > 1
                ? data.seeds.length + " seeds (" + data.seeds.join(", ") + "). Means of the runs that trained with " + number(100 * data.confidence) + " % intervals for what the column says; differences to " + reference + " seed by seed, where both trained; " + (data.decides ? data.decides + ", " : "") + "corrected for " + (data.tests + data.tests_of_trained) + " test" + (data.tests + data.tests_of_trained === 1 ? "" : "s") + " (Holm)" + (data.look > 1 ? " and for look " + data.look : "") + "."
                : "one seed (" + data.seeds[0] + "): it tells nothing of other seeds."))));

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
    let notes = () => {}, strip = () => {};
    const percent = number(100 * data.confidence) + " %";
    /* What the lines and bands are, for the curve that is shown. */
    function curveNote(curve) {
        const words = [];
        if (data.seeds.length > 1) words.push("Lines: the mean over all runs of a variant.");
        if (curve.variants.some(v => v.low.length > 0)) words.push("The band holds the whole mean curve with " + percent + " (new seeds, these data); where all seeds agree it has no width.");
        else if (data.seeds.length > 1) words.push("A band that holds the whole mean curve needs three seeds or more.");
        if (curve.worst !== null && curve.variants.some(v => v.each.some(broke)))
            words.push("A run that diverged or failed counts as " + number(curve.worst) + " from there on, and never as worse.");
        curve.variants.forEach((v, i) => {
            if (!v.whole) words.push(variants[i].name + (v.step.length > 0 ? " ends at step " + number(v.step[v.step.length - 1]) + ": not every run is known beyond." : " has no mean: not every run has a value."));
        });
        return words.concat("Drag to zoom, double-click to show all.").join(" ");
    }
    const broke = run => run.status === "diverged" || run.status === "failed";
    const redraw = () => { notes(); strip(); redrawChart(); };
    const redrawChart = () => chart.update({ series: series(), x: axisText(), log: view.log, range: view.range, label: curveText(data.curves[view.curve]) });
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
            el("p", { class: "muted small", id: "curves-note" })));
        const note = document.getElementById("curves-note");
        notes = () => note.replaceChildren(curveNote(data.curves[view.curve]));
        paint();
        onTheme(paint);
        area.className = "tall";
        notes();
        chart = lineChart(area, { series: series(), x: axisText(), log: view.log, range: view.range, label: curveText(data.curves[view.curve]), zoomed: range => { view.range = range; redraw(); } });
    }

    /* The area under each run's curve: a dot for each seed, on one scale for all variants. */
    function dots(curve, i) {
        const all = curve.variants.flatMap(v => v.each.map(r => r.area)).filter(x => x !== null);
        const low = Math.min(...all), width = Math.max(...all) - low;
        const line = el("div", { class: "dots" });
        for (const run of curve.variants[i].each) {
            if (run.area === null) continue;
            const dot = el("span", { class: broke(run) ? "dot broke" : "dot", title: "seed " + run.seed + ": " + number(run.area) + (broke(run) ? " (" + run.status + ")" : "") });
            dot.style.left = (width > 0 ? 100 * (run.area - low) / width : 50) + "%";
            line.append(dot);
        }
        line.style.color = "var(--series-" + i % 8 + ")";
        return line;
    }
    const average = values => values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : null;
    function areaTable(curve) {
        const rows = variants.map((v, i) => ({ name: v.name, i, each: curve.variants[i].each }));
        const known = row => row.each.every(r => r.area !== null) ? average(row.each.map(r => r.area)) : null;
        return table([
            { title: "variant", cell: r => r.name, sort: r => r.name },
            { title: "mean", number: true, cell: r => number(known(r)), sort: known },
            { title: "each seed", class: "dots-cell", cell: r => dots(curve, r.i) },
            { title: "values", class: "wide-only", cell: r => r.each.map(x => number(x.area)).join(", ") },
        ], rows, "area under the curve");
    }
    if (data.curves.some(c => c.variants.some(v => v.each.some(r => r.area !== null)))) {
        const place = el("div"), title = el("h2");
        main.append(el("section", { class: "card", id: "areas" }, title,
            el("p", { class: "muted small" }, "The mean height of each run\u2019s curve, from the first evaluation that all runs have to the last step that all variants reach; a dot is a seed. A run that diverged or failed counts as the worst value from there on (a ring), and none is left out."), place));
        strip = () => {
            const curve = data.curves[view.curve];
            title.textContent = "Area under the curve: " + curveText(curve);
            place.replaceChildren(curve.variants.some(v => v.each.some(r => r.area !== null)) ? areaTable(curve) : el("p", { class: "muted small" }, "This is no metric, or no run has finished: no area."));
        };
        strip();
    }

    /* Time until the threshold. */
    const range = (limits, signed) => limits.map(x => (signed && x > 0 ? "+" : "") + number(x).replace("-", minus)).join(" to ");
    const shares = limits => limits.map(x => String(Number((100 * x).toPrecision(3)))).join(" to ") + " %";
    function stairs(curve, horizon, i) {
        const s = { label: variants[i].name, color: i, x: [], y: [], low: [], high: [], dashed: i >= 8 };
        const add = (x, step) => { s.x.push(x); s.y.push(step[1]); s.low.push(step[2]); s.high.push(step[3]); };
        curve.forEach((step, k) => {
            if (k > 0) add(step[0], curve[k - 1]);
            add(step[0], step);
        });
        add(horizon, curve[curve.length - 1]);
        if (variants.length > 4) s.low = s.high = null;
        return s;
    }
    const goal = data.until && data.metric + (data.better === "higher" ? " \u2265 " : " \u2264 ") + Number(data.until.threshold.toPrecision(6)) + " (" + data.curve + ")";
    if (data.until) {
        const steps = data.until.steps, area = el("div", { id: "reached" }), kinds = ["steps", "targets", "seconds"].filter(k => data.until[k]);
        const cell = (kind, i) => { const w = data.until[kind].variants[i]; return number(w.mean) + " (" + range(w.limits) + ")"; };
        main.append(card("Until " + goal,
            area,
            el("p", { class: "muted small" }, "The share of runs that have reached it (Kaplan and Meier)" + (variants.length > 4 ? "." : ", with " + percent + " limits at each step for itself.") + " A run that diverged or failed has not reached it."),
            table([
                { title: "variant", cell: r => r.v.name, sort: r => r.v.name },
                { title: "reached", number: true, cell: r => { const w = steps.variants[r.i]; return w.reached + "/" + w.runs + " (" + shares(w.share) + ")"; }, sort: r => steps.variants[r.i].reached },
                ...kinds.map(kind => ({ title: kind, number: true, cell: r => cell(kind, r.i), sort: r => data.until[kind].variants[r.i].mean })),
                { title: minus + " " + reference + " (steps)", number: true, cell: r => { const c = steps.variants[r.i].contrast; return c ? (c.difference > 0 ? "+" : "") + number(c.difference).replace("-", minus) + " (" + range(c.limits, true) + ")" : ""; } },
                { title: "earlier than " + reference, number: true, cell: r => { const c = steps.variants[r.i].contrast; return c ? c.earlier + ", later " + c.later : ""; } },
            ], variants.map((v, i) => ({ v, i })), "time until the threshold"),
            el("p", { class: "muted small" }, "Means of the time, in which no more is counted than all variants were trained for (" + kinds.map(k => number(data.until[k].horizon) + " " + k).join(", ") + "), with limits that assume no distribution and count on failures that a few seeds do not show.")));
        area.className = "tall";
        lineChart(area, { series: steps.variants.map((w, i) => stairs(w.curve, steps.horizon, i)), x: "steps", floor: 0, label: "share of runs that reached " + goal });
    } else
        main.append(card("Time until a threshold", el("p", { class: "muted small", id: "no-threshold" },
            data.threshold_given ? "No run has finished, so nothing can be said yet." : "None was fixed beforehand. Set compare.threshold in the config to a value of " + data.metric + " before the runs are looked at; until then the area under the curve says how fast a variant learns.")));

    /* The metric by the length of the examples. */
    if (data.by_length) {
        const asked = data.by_length, symbols = asked.side + " symbols", title = data.metric + " by " + symbols;
        if (asked.missing !== null)
            main.append(card(title, el("p", { class: "muted small", id: "no-lengths" }, "None: " + asked.missing + ".")));
        else {
            const area = el("div", { id: "lengths", class: "tall" });
            const widest = m => Object.entries(m.limits).pop();
            const used = [...new Set(variants.flatMap(v => v.by_length).map(widest).filter(l => l).map(l => populations[l[0]]))];
            const counts = bin => variants.flatMap(v => v.by_length.filter(m => m.bin === bin).map(m => m.examples));
            const spread = all => Math.min(...all) === Math.max(...all) ? number(all[0]) : number(Math.min(...all)) + " to " + number(Math.max(...all));
            const cell = m => m ? number(m.mean) + (widest(m) ? " (" + limits(widest(m)[1]) + ")" : "") : dash;
            const swatches = variants.map((v, i) => el("span", { class: i >= 8 ? "swatch dashed" : "swatch", style: "color:var(--series-" + i % 8 + ")" }));
            const bins = asked.bins.map((b, bin) => ({ name: b.name, bin, examples: counts(bin) })).filter(r => r.examples.length > 0);
            const lines = variants.map((v, i) => {
                const band = v.by_length.some(widest), edge = k => band ? v.by_length.map(m => widest(m) ? widest(m)[1][k] : NaN) : null;
                return { label: v.name, color: i, x: v.by_length.map(m => bins.findIndex(b => b.bin === m.bin)), y: v.by_length.map(m => m.mean), low: edge(0), high: edge(1), dashed: i >= 8, points: true };
            });
            main.append(card(title, area,
                el("ul", { class: "legend", "aria-label": "variants by length" }, variants.map((v, i) => el("li", {}, swatches[i], " " + v.name))),
                el("p", { class: "muted small", id: "lengths-note" }, "A point is the mean over the runs that trained, of the " + data.split + " examples of one bin" +
                    (used.length > 0 ? ", with its " + percent + " interval, for each bin by itself: " + used.join(" or ") + "." : ".") + " Bins without examples are left out; those with few have wide intervals."),
                table([
                    { title: symbols, cell: r => r.name },
                    { title: "examples", number: true, cell: r => spread(r.examples) },
                    ...variants.map(v => ({ title: v.name, number: true, cell: r => cell(v.by_length.find(m => m.bin === r.bin)) })),
                ], bins, "metric by length")));
            lineChart(area, { series: lines, x: symbols, places: bins.map(b => b.name), label: title });
        }
    }

    /* Tables. */
    const mean = m => m && m.mean !== null ? m.mean : null;
    main.append(card("Result", table([
        { title: "variant", cell: v => v.name, sort: v => v.name },
        { title: "trained", number: true, cell: v => v.trained.count + "/" + v.runs + ["collapsed", "diverged", "failed", "exploded"].map(k => [k === "collapsed" ? v.outcomes.filter(o => o === k).length : v[k], k]).filter(x => x[0] > 0).map(x => ", " + x[0] + " " + x[1]).join(""), sort: v => v.trained.count },
        { title: data.metric, number: true, cell: v => number(mean(v.value)), sort: v => mean(v.value) },
        ...limit_columns(v => v.limits),
        { title: "middle half", number: true, cell: v => v.middle_half_limits ? number(v.middle_half) + " (" + limits(v.middle_half_limits) + ")" : number(v.middle_half), sort: v => v.middle_half },
        { title: "worst seed", number: true, cell: v => v.diverged > 0 ? "diverged" : number(v.worst), sort: v => v.worst },
        { title: "seconds", number: true, cell: v => mean(v.seconds) === null ? dash : v.seconds.mean.toFixed(1), sort: v => mean(v.seconds) },
        { title: "parameters", number: true, cell: v => number(v.parameters), sort: v => v.parameters },
        { title: "verdict", class: "wide", cell: verdict },
    ], variants, "result")));
    const others = variants.filter(v => v.difference);
    if (others.length > 0)
        main.append(card("Against " + reference, table([
            { title: "variant", cell: v => v.name, sort: v => v.name },
            { title: "difference", number: true, cell: v => { const m = mean(v.difference.differences); return m === null ? dash : (m >= 0 ? "+" : "") + number(m).replace("-", minus); }, sort: v => mean(v.difference.differences) },
            ...limit_columns(v => v.difference.limits, true),
            { title: "better with", number: true, cell: v => v.difference.better_with + "/" + v.difference.pairs, sort: v => v.difference.better_with },
            { title: "probability of improvement", number: true, cell: v => v.difference.probability_of_improvement ? number(v.difference.probability_of_improvement.value) + " (" + limits(v.difference.probability_of_improvement.limits) + ")" : dash },
            { title: "p (t)", number: true, cell: v => p(v.difference.p_t), sort: v => v.difference.p_t },
            { title: "p (signs)", number: true, cell: v => p(v.difference.p_signs), sort: v => v.difference.p_signs },
            { title: "p corrected", number: true, cell: v => p(v.difference.p_corrected), sort: v => v.difference.p_corrected },
            { title: "verdict", class: "wide", cell: verdict },
        ], others, "differences")));
    main.append(card(data.metric + " of every seed", table([
        { title: "variant", cell: v => v.name },
        ...data.seeds.map((seed, i) => ({ title: String(seed), number: true, cell: v => v.values[i] === null ? v.outcomes[i] : number(v.values[i]), sort: v => v.values[i] })),
    ], variants, "values of seeds")));

    const metrics = Object.keys(variants[0].metrics);
    if (metrics.length > 1)
        main.append(card("All metrics of the " + data.split + " split", table([
            { title: "variant", cell: v => v.name, sort: v => v.name },
            ...metrics.map(m => ({ title: m, number: true, cell: v => interval(v.metrics[m]), sort: v => mean(v.metrics[m]) })),
        ], variants, "all metrics")));

    if (data.steps.length > 0)
        main.append(card(data.metric + " (" + data.curve + ") at steps", table([
            { title: "variant", cell: v => v.name, sort: v => v.name },
            ...data.steps.map((step, i) => ({ title: number(step), number: true, cell: v => interval(v.at_steps[i]), sort: v => mean(v.at_steps[i]) })),
        ], variants, "values at steps")));

    /* A value as JSON, a single text without its quotes. */
    const bare = value => !value ? dash : /^"[^"\\]+"$/.test(value) ? value.slice(1, -1) : value;
    main.append(card("What each variant changes", el("p", { class: "muted small" }, "Against " + reference + "; all options that are not listed are the same, but for those of a row in the place of another: it is named with its options that are not the defaults."), table([
        { title: "variant", cell: r => r.variant },
        { title: "option", cell: r => r.option },
        { title: reference, class: "mono", cell: r => bare(r.reference) },
        { title: "here", class: "mono", cell: r => bare(r.here) },
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
