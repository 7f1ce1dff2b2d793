/* The report: samples, options, provenance, the lab's table, and the tabs that hold all. */
"use strict";
(() => {
    const { el, number, visible } = attend;
    const runs = attend.data.runs;

    /* A different label for each run. */
    const taken = new Map();
    for (const run of runs) {
        const double = runs.filter(r => r.name === run.name).length > 1;
        const base = double && run.folder !== run.name ? `${run.name} (${run.folder})` : run.name;
        const n = (taken.get(base) || 0) + 1;
        taken.set(base, n);
        run.label = n === 1 ? base : `${base} #${n}`;
    }
    const plain = json => { try { const v = JSON.parse(json); return typeof v !== "string" ? json : v === "" ? "(empty)" : v; } catch (e) { return json; } };
    const shown = text => el("bdi", {}, visible(text, true));
    const heading = (run, i) => runs.length === 1 ? null : el("h2", {}, el("span", { class: "swatch box", style: `color:var(--series-${i % 8});display:inline-block`, "aria-hidden": "true" }), " ", shown(run.label));

    /* What differs between two texts: characters that are in no longest common subsequence are marked. */
    function marked(text, reference) {
        const a = [...text], b = [...reference];
        if (text === reference || a.length > 400 || b.length > 400 || !a.length) return [visible(text, true)];
        const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
        for (let i = a.length - 1; i >= 0; --i)
            for (let j = b.length - 1; j >= 0; --j)
                table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
        const parts = [];
        let i = 0, j = 0, same = "", other = "";
        const flush = () => {
            if (same) parts.push(visible(same, true));
            if (other) parts.push(el("mark", {}, visible(other, true)));
            same = other = "";
        };
        while (i < a.length) {
            if (j < b.length && a[i] === b[j]) { if (other) flush(); same += a[i]; ++i; ++j; }
            else if (j < b.length && table[i][j + 1] > table[i + 1][j]) ++j;
            else { if (same) flush(); other += a[i]; ++i; }
        }
        flush();
        return parts;
    }

    function samples(parent) {
        runs.forEach((run, r) => {
            const title = heading(run, r);
            if (title) parent.append(title);
            const examples = new Map();
            for (const evaluation of run.samples)
                evaluation.items.forEach((item, i) => {
                    const key = i + "\n" + item.source + "\n" + item.reference;
                    if (!examples.has(key)) examples.set(key, { ...item, rows: [] });
                    const rows = examples.get(key).rows, last = rows[rows.length - 1];
                    if (last && last.decoded === item.decoded) last.to = evaluation.step;
                    else rows.push({ from: evaluation.step, to: evaluation.step, decoded: item.decoded });
                });
            if (!examples.size) parent.append(el("section", { class: "card" }, el("p", { class: "muted" }, "No samples were written: train.samples is 0, nothing was evaluated, or the model does not write text.")));
            const grid = el("div", { class: "grid" });
            parent.append(grid);
            for (const example of examples.values())
                grid.append(el("section", { class: "card sample" },
                    el("dl", { class: "example-text" }, el("dt", {}, "source"), el("dd", { class: "mono" }, shown(example.source)), el("dt", {}, "reference"), el("dd", { class: "mono" }, shown(example.reference))),
                    attend.table([
                        { title: "step", class: "number", cell: row => number(row.from) + (row.to > row.from ? " \u2013 " + number(row.to) : "") },
                        { title: "", cell: row => row.decoded === example.reference ? el("span", { class: "good", title: "as the reference" }, "\u2713") : el("span", { class: "bad", title: "not the reference" }, "\u2717") },
                        { title: "decoded", class: "mono wide", cell: row => el("bdi", {}, marked(row.decoded, example.reference)) },
                    ], example.rows, "decoded texts in the course of training")));
        });
    }

    function options(parent) {
        const rows = new Map();
        runs.forEach((run, i) => {
            for (const option of run.config) {
                if (!rows.has(option.path)) rows.set(option.path, { ...option, defaults: new Set(), values: Array(runs.length).fill(null), changed: Array(runs.length).fill(false) });
                rows.get(option.path).values[i] = option.value;
                if (option.default !== null) rows.get(option.path).defaults.add(plain(option.default));
                rows.get(option.path).changed[i] = option.changed;
            }
        });
        const state = { changed: true, differing: false, text: "" };
        const body = el("div"), count = el("output", { class: "muted" });
        function fill() {
            const list = [...rows.values()].filter(row => (!state.changed || row.changed.some(Boolean)) && (!state.differing || new Set(row.values).size > 1) &&
                (row.path + " " + row.help).toLowerCase().includes(state.text.toLowerCase()));
            count.textContent = `${list.length} of ${rows.size} options`;
            body.replaceChildren(attend.table([
                { title: "option", class: "mono", cell: row => el("span", { class: "mono", title: row.help }, visible(row.path, true)) },
                ...runs.map((run, i) => ({ title: runs.length === 1 ? "value" : run.label, class: "mono value", cell: row => row.values[i] === null ? "\u2013" : row.changed[i] ? el("strong", {}, shown(plain(row.values[i]))) : shown(plain(row.values[i])) })),
                { title: "default", class: "mono muted value", cell: row => row.defaults.size ? shown([...row.defaults].join(" or ")) : "\u2013" },
                ...(runs.length < 3 ? [{ title: "what it is", class: "muted small wide wide-only", cell: row => row.help }] : []),
            ], list.map(row => ({ ...row, class: !state.changed && row.changed.some(Boolean) ? "changed" : null })), "options"));
        }
        const search = el("input", { type: "search", "aria-label": "filter options", placeholder: "filter", oninput: () => { state.text = search.value; fill(); } });
        parent.append(el("section", { class: "card" }, el("h2", {}, "Options"),
            el("div", { class: "controls", style: "margin-bottom:.75rem" }, attend.checkbox("only what differs from the defaults", true, v => { state.changed = v; fill(); }),
                runs.length > 1 && attend.checkbox("only what differs between the runs", false, v => { state.differing = v; fill(); }), search, count), body));
        fill();
    }

    function provenance(parent) {
        runs.forEach((run, i) => {
            const s = run.summary || {}, option = path => { const o = run.config.find(c => c.path === path); return o ? o.value : null; };
            const facts = [
                ["run", run.name], ["folder", run.folder], ["status", s.status || "not ended"], ["message", s.message],
                ["program", s.version && `attend ${s.version}` + (s.commit ? `, built at commit ${s.commit}` : "")],
                ["seed", option("seed")], ["shards", option("train.shards")],
                ["steps", s.steps === undefined ? null : number(s.steps) + (option("train.steps") ? " of " + number(Number(option("train.steps"))) : "")],
                ["extended", Array.isArray(s.extended) ? s.extended.map(e => `at step ${e.at} from ${e.before} to ${e.now} steps`).join(", ") : null], ["time", s.seconds === undefined ? null : number(s.seconds) + " s"], ["parameters", s.parameters === undefined ? null : number(s.parameters)],
                ["peak memory", s.peak_memory_mib === undefined ? null : number(s.peak_memory_mib) + " MiB"],
                ["data files", run.state.data && run.state.data + " (bytes, CRC-32)"], ["weights begun with", s.weights && s.weights + " (bytes, CRC-32)"], ["vocabulary", run.state.vocabulary && run.state.vocabulary + " (bytes, CRC-32)"], ["bundle of the failed step", s.bundle],
            ].filter(f => f[1] !== null && f[1] !== undefined && f[1] !== "");
            parent.append(el("section", { class: "card" }, heading(run, i) || el("h2", {}, "Provenance"),
                el("dl", { class: "facts" }, facts.flatMap(([k, v]) => [el("dt", {}, k), el("dd", { class: "mono" }, shown(v))]))));
        });
    }

    /* The lab: what estimators of the gradient cost, as lab.json has it. Any number may be missing. */
    function lab(parent) {
        runs.filter(r => r.lab).forEach(run => {
            const found = run.lab, checkpoints = (Array.isArray(found.checkpoints) ? found.checkpoints : []).filter(c => c && Array.isArray(c.rows));
            const card = el("section", { class: "card" }, el("h2", {}, "Estimators of the gradient", runs.length > 1 ? [", ", shown(run.label)] : ""));
            parent.append(card);
            if (found.recommendation) card.append(el("p", {}, shown(found.recommendation)));
            if (!checkpoints.length) { card.append(el("p", { class: "muted" }, "lab.json contains no checkpoint.")); return; }
            const figure = v => typeof v === "number" ? v : null;
            const measures = { variance: "variance", bias: "bias", cosine: "cosine with the exact gradient", seconds: "seconds a step", variance_times_cost: "variance \u00d7 cost" };
            const state = { at: checkpoints.length - 1, measure: "variance" };
            const box = el("div", { class: "chart-area" }), bars = el("canvas", { role: "img" }), body = el("div"), blocks = el("div");
            let chart = null;
            const label = row => String(row.label || row.estimator || "?");
            function draw() {
                const rows = checkpoints[state.at].rows.filter(row => row && figure(row[state.measure]) !== null);
                if (chart) chart.destroy();
                box.style.height = 60 + 28 * Math.max(1, rows.length) + "px";
                const values = rows.map(row => row[state.measure]), positive = values.length > 0 && values.every(v => v > 0);
                const spread = positive && Math.max(...values) > 20 * Math.min(...values);
                bars.setAttribute("aria-label", measures[state.measure] + ": " + rows.map(row => label(row) + " " + number(row[state.measure])).join(", "));
                const ticks = { color: attend.css("muted") }, grid = { color: attend.css("line") };
                chart = new Chart(bars, {
                    type: "bar",
                    data: { labels: rows.map(row => visible(label(row), true)), datasets: [{ data: values, backgroundColor: rows.map(row => attend.color(row.biased ? 1 : 0)), borderRadius: 3, maxBarThickness: 18 }] },
                    options: {
                        indexAxis: "y", animation: false, maintainAspectRatio: false, responsive: true,
                        scales: { x: { type: spread ? "logarithmic" : "linear", ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 18, callback: v => number(v) }, grid, title: { display: true, text: measures[state.measure] + (spread ? " (logarithmic)" : ""), color: attend.css("muted") } }, y: { ticks: { ...ticks, color: attend.css("text"), autoSkip: false }, grid: { display: false } } },
                        plugins: { legend: { display: false }, tooltip: { callbacks: { label: item => " " + number(item.parsed.x) } } },
                    },
                });
            }
            function fill() {
                const rows = checkpoints[state.at].rows.filter(Boolean);
                const shownText = text => visible(text, true);
                const interval = (r, name) => number(r[name]) + (figure(r[name + "_low"]) !== null || figure(r[name + "_high"]) !== null ? ` (${number(r[name + "_low"])} to ${number(r[name + "_high"])})` : "");
                const column = (title, name) => ({ title, number: true, cell: r => number(r[name]), sort: r => figure(r[name]) });
                body.replaceChildren(attend.table([
                    { title: "estimator", cell: r => shown(label(r)), sort: label }, { title: "objective", cell: r => shown(r.objective || found.objective || "\u2013") },
                    { title: "biased", cell: r => r.biased === true ? "yes" : r.biased === false ? "no" : "\u2013" },
                    { title: "bias (interval)", number: true, cell: r => interval(r, "bias"), sort: r => figure(r.bias) },
                    { title: "variance (interval)", number: true, cell: r => interval(r, "variance"), sort: r => figure(r.variance) },
                    column("cosine", "cosine"), column("seconds", "seconds"), column("variance \u00d7 cost", "variance_times_cost"), column("draws", "draws"), column("|g|", "gradient"),
                ], rows, "estimators"));
                const names = [...new Set(rows.flatMap(r => (Array.isArray(r.blocks) ? r.blocks : []).map(b => b && b.name)).filter(n => typeof n === "string"))];
                const block = (r, n) => (Array.isArray(r.blocks) ? r.blocks : []).find(b => b && b.name === n) || {};
                /* Since format 2 a block's figures are in units of its own gradient; before, of the whole gradient. */
                const own = found.format >= 2, unit = own ? " by block, in units of the block\u2019s own gradient" : " by block of parameters";
                const measured = (r, n, name) => block(r, n).gradient_is_zero === true ? "|g| is 0" : interval(block(r, n), name);
                const tables = names.length ? ["bias", "variance", "cosine"].filter(name => own || name !== "cosine") : [];
                blocks.replaceChildren(...tables.flatMap(name => [el("h3", { style: "margin-top:1rem" }, name[0].toUpperCase() + name.slice(1) + unit), attend.table([
                    { title: "estimator", cell: r => shown(label(r)), sort: label }, ...names.map(n => ({ title: visible(n, true), number: true, cell: r => measured(r, n, name), sort: r => figure(block(r, n)[name]) })),
                ], rows, name + " by block")]));
                const heavy = rows.filter(r => r.heavy_tail === true || (Array.isArray(r.blocks) && r.blocks.some(b => b && b.heavy_tail === true)));
                if (heavy.length) blocks.append(el("p", { class: "note small" }, "Heavy tails: rare draws carry the variance of " + heavy.map(r => shownText(label(r))).join(", ") + ", so it and its interval may be too small."));
            }
            box.append(bars);
            card.append(el("div", { class: "controls" },
                checkpoints.length > 1 && attend.select("checkpoint", checkpoints.map((c, i) => ({ value: i, text: "step " + number(c.step) })), state.at, v => { state.at = Number(v); draw(); fill(); }),
                attend.select("measure", Object.entries(measures).map(([value, text]) => ({ value, text })), state.measure, v => { state.measure = v; draw(); })),
                box, el("ul", { class: "legend" }, el("li", {}, el("span", { class: "swatch box", style: "color:var(--series-0)" }), "unbiased"), el("li", {}, el("span", { class: "swatch box", style: "color:var(--series-1)" }), "biased")),
                el("h3", { style: "margin-top:1rem" }, "All figures"), body, blocks);
            draw();
            fill();
            attend.onTheme(draw);
        });
    }

    attend.main.replaceChildren();
    for (const run of runs)
        for (const note of run.notes) attend.main.append(el("p", { class: "note small" }, runs.length > 1 ? [shown(run.label), ": "] : "", visible(note, true)));
    attend.tabs(attend.main, [
        { id: "curves", title: "Curves", build: p => attend.curves(p, runs) },
        { id: "attention", title: "Attention", build: p => attend.maps(p, runs) },
        { id: "samples", title: "Samples", build: samples },
        { id: "options", title: "Options", build: options },
        { id: "provenance", title: "Provenance", build: provenance },
        ...(runs.some(r => r.lab) ? [{ id: "lab", title: "Lab", build: lab }] : []),
    ]);
})();
