/* The page of attention maps: run, example, evaluation (a scrubber), site; the map with its symbols, and all maps small. */
"use strict";
attend.maps = (parent, runs) => {
    const { el, number, exact, visible } = attend;
    const withMaps = runs.filter(r => r.maps && r.maps.examples.length);

    /* Weights of a frame, one typed array a map. */
    function unpack(run, example, frame) {
        if (frame.unpacked) return frame.unpacked;
        const text = atob(frame.weights), bytes = new Uint8Array(text.length);
        for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
        const view = new DataView(bytes.buffer), single = run.maps.type === "f32";
        let at = 0;
        frame.unpacked = example.maps.map(map => {
            const [rows, columns] = map.shape, values = single ? new Float32Array(rows * columns) : new Float64Array(rows * columns);
            for (let r = 0; r < rows; ++r)
                for (let c = 0; c < (map.triangle ? r + 1 : columns); ++c, at += single ? 4 : 8)
                    values[r * columns + c] = single ? view.getFloat32(at, true) : view.getFloat64(at, true);
            return values;
        });
        return frame.unpacked;
    }

    /* "decoder.1.self.heads.3" to its parts. */
    function parsed(site) {
        const words = site.split("."), head = words.indexOf("heads");
        const layer = words.findIndex((w, i) => /^\d+$/.test(w) && (head < 0 || i < head));
        return {
            site: words.filter((w, i) => i !== layer && (head < 0 || i < head)).join(" ") || site,
            layer: layer < 0 ? null : Number(words[layer]), head: head < 0 ? null : Number(words[head + 1]),
        };
    }

    const state = { run: withMaps[0], example: 0, frame: -1, map: 0, scale: "largest", asked: false, row: 0, column: 0 };
    const example = () => state.run.maps.examples[state.example];
    const frame = () => example().frames[state.frame];
    const map = () => example().maps[state.map];
    const weights = () => unpack(state.run, example(), frame())[state.map];
    const single = () => state.run.maps.type === "f32";

    /* Colours. */
    const rgb = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
    function painter(values) {
        const low = rgb(attend.css("map-low")), mid = rgb(attend.css("map-mid")), high = rgb(attend.css("map-high")), bad = attend.css("bad");
        let top = 0;
        for (const v of values) if (Number.isFinite(v) && v > top) top = v;
        if (state.scale === "one") top = 1;
        const mix = (a, b, t) => a.map((x, i) => Math.round(x + (b[i] - x) * t));
        const paint = (v, largest = top) => {
            if (!Number.isFinite(v)) return bad;
            let t = largest > 0 ? Math.min(1, Math.max(0, v / largest)) : 0;
            if (state.scale === "root") t = Math.sqrt(t);
            return "rgb(" + (t < 0.5 ? mix(low, mid, 2 * t) : mix(mid, high, 2 * t - 1)).join(",") + ")";
        };
        const paintRow = (r, columns) => {
            const row = values.subarray(r * columns, (r + 1) * columns);
            const largest = state.scale === "row" ? row.reduce((a, b) => Number.isFinite(b) ? Math.max(a, b) : a, 0) : top;
            return c => paint(row[c], largest);
        };
        return { paint, paintRow, top };
    }

    /* The map that is looked at. */
    const canvas = el("canvas", { tabIndex: 0, id: "map", role: "application", "aria-describedby": "map-readout" });
    const tip = el("div", { class: "map-tip", hidden: true, "aria-hidden": "true" });
    const holder = el("div", { class: "map-holder" }, canvas, tip);
    const readout = el("p", { id: "map-readout", class: "map-readout", "aria-live": "polite" });
    const layout = { cell: 16, left: 0, top: 0, right: 0, rows: 0, columns: 0 };
    const symbols = name => example()[name] || [];
    const symbol = (name, i) => i < symbols(name).length ? visible(symbols(name)[i]) : "?";
    const predictedAt = r => map().rows === "source" ? null : (frame().predicted[r] || null);
    const chosenAt = r => { const c = frame().chosen[map().site]; return c ? c[r] : null; };
    /* The gold alignment is of the source; where there is none, of the row that is read. */
    const hasGold = () => symbols("source").length > 0 ? map().rows === "target" && map().columns === "source" : map().rows === "input" && map().columns === "input";
    const goldOf = r => hasGold() && example().gold[r];
    const isGold = (r, c) => { const g = goldOf(r); return g && c >= g[0] && c < g[1]; };

    function shortened(context, text, most) {
        if (context.measureText(text).width <= most) return text;
        const characters = [...text];
        while (characters.length > 1 && context.measureText(characters.join("") + "\u2026").width > most) characters.pop();
        return characters.join("") + "\u2026";
    }

    function draw() {
        const [rows, columns] = map().shape, values = weights(), { paint, paintRow, top } = painter(values);
        const context = canvas.getContext("2d"), mono = attend.css("mono");
        const rowNames = [...Array(rows).keys()].map(i => symbol(map().rows, i)), columnNames = [...Array(columns).keys()].map(i => symbol(map().columns, i));
        const said = [...Array(rows).keys()].map(predictedAt), says = said.some(s => s !== null && s !== "");
        context.font = `13px ${mono}`;
        const longest = names => Math.min(110, Math.max(10, ...names.map(n => context.measureText(n).width)));
        const left = Math.max(Math.ceil(longest(rowNames)) + 30, 7 * map().rows.length + 26), right = says ? Math.ceil(longest(said.filter(Boolean).map(s => visible(s)))) + 26 : 8;
        const width = Math.max(200, holder.clientWidth);
        const cell = Math.max(13, Math.min(34, Math.floor((width - left - right) / Math.max(1, columns))));
        const upright = longest(columnNames) > cell - 2;
        const above = (upright ? Math.ceil(longest(columnNames)) : 14) + 32;
        Object.assign(layout, { cell, left, top: above, right, rows, columns });
        const w = left + columns * cell + right, h = above + rows * cell + 8, ratio = window.devicePixelRatio || 1;
        canvas.width = Math.round(w * ratio);
        canvas.height = Math.round(h * ratio);
        canvas.style.width = w + "px";
        canvas.style.height = h + "px";
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, w, h);
        const font = Math.min(13, Math.max(9, cell - 3));
        const muted = attend.css("muted"), text = attend.css("text"), accent = attend.css("accent");
        context.textBaseline = "middle";
        context.direction = "ltr";

        for (let r = 0; r < rows; ++r)
            for (let c = 0, color = paintRow(r, columns); c < columns; ++c) {
                context.fillStyle = color(c);
                context.fillRect(left + c * cell, above + r * cell, cell - 1, cell - 1);
            }
        context.strokeStyle = attend.css("map-line");
        context.lineWidth = 1;
        context.strokeRect(left - 0.5, above - 0.5, columns * cell, rows * cell);
        context.strokeStyle = attend.css("gold");
        context.lineWidth = 2;
        for (let r = 0; r < rows; ++r) {
            const gold = goldOf(r);
            const from = gold ? Math.max(0, gold[0]) : 0, to = gold ? Math.min(columns, gold[1]) : 0;
            if (to > from) context.strokeRect(left + from * cell + 0.5, above + r * cell + 0.5, (to - from) * cell - 2, cell - 2);
            const chosen = chosenAt(r);
            if (chosen !== null && chosen >= 0 && chosen < columns) {
                context.beginPath();
                context.arc(left + chosen * cell + cell / 2 - 0.5, above + r * cell + cell / 2 - 0.5, Math.max(3, cell / 5), 0, 7);
                context.fillStyle = attend.css("chosen");
                context.fill();
                context.lineWidth = 1.5;
                context.strokeStyle = attend.css("surface");
                context.stroke();
                context.strokeStyle = attend.css("gold");
                context.lineWidth = 2;
            }
        }

        context.font = `11px system-ui, sans-serif`;
        context.fillStyle = muted;
        context.textAlign = "left";
        context.fillText(shortened(context, map().columns + " \u2192", Math.max(60, columns * cell)), left, 9);
        context.textAlign = "right";
        context.fillText(map().rows + " \u2193", left - 8, above - 10);
        if (says) {
            context.textAlign = "left";
            context.fillText("says", left + columns * cell + 8, above - 10);
        }
        context.font = `${font}px ${mono}`;
        for (let r = 0; r < rows; ++r) {
            const y = above + r * cell + cell / 2;
            context.textAlign = "right";
            context.fillStyle = r === state.row ? accent : text;
            context.fillText(shortened(context, rowNames[r], 110), left - 8, y);
            if (says && said[r]) {
                context.textAlign = "left";
                context.fillStyle = said[r] === symbols("target")[r] ? attend.css("good") : attend.css("bad");
                context.fillText(shortened(context, visible(said[r]), 110), left + columns * cell + 8, y);
            }
        }
        for (let c = 0; c < columns; ++c) {
            const x = left + c * cell + cell / 2;
            context.fillStyle = c === state.column ? accent : text;
            if (upright) {
                context.save();
                context.translate(x, above - 7);
                context.rotate(-Math.PI / 2);
                context.textAlign = "left";
                context.fillText(shortened(context, columnNames[c], 110), 0, 0);
                context.restore();
            } else {
                context.textAlign = "center";
                context.fillText(columnNames[c], x, above - 12);
            }
        }
        if (rows > 0 && columns > 0) {
            context.strokeStyle = accent;
            context.lineWidth = 2;
            context.strokeRect(left + state.column * cell - 1, above + state.row * cell - 1, cell + 1, cell + 1);
        }
        scaleTop.textContent = state.scale === "row" ? "the row's largest" : single() ? exact(Math.fround(top)) : exact(top, false);
        scaleBar.style.background = `linear-gradient(90deg, ${[0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1].map(t => paint(t * (top || 1))).join(", ")})`;
    }

    function describe(r, c) {
        const w = weights()[r * map().shape[1] + c], gold = isGold(r, c), chosen = chosenAt(r) === c;
        return { w, text: exact(w, single()), gold, chosen };
    }
    function read() {
        const [rows, columns] = map().shape;
        if (!rows || !columns) { readout.textContent = "This map is empty."; return; }
        state.row = Math.min(state.row, rows - 1);
        state.column = Math.min(state.column, columns - 1);
        const d = describe(state.row, state.column), said = predictedAt(state.row);
        readout.replaceChildren(
            el("strong", { class: "mono", id: "map-weight" }, d.text), " from ",
            map().rows + " ", el("bdi", { class: "mono" }, symbol(map().rows, state.row)), ` (row ${state.row + 1}) to `,
            map().columns + " ", el("bdi", { class: "mono" }, symbol(map().columns, state.column)), ` (column ${state.column + 1})`,
            d.gold ? ", gold alignment" : "", d.chosen ? ", chosen" : "",
            ...(said ? ["; the model says ", el("bdi", { class: "mono" }, visible(said))] : []));
        Object.assign(readout.dataset, { row: state.row, column: state.column, weight: d.text });
        canvas.setAttribute("aria-label", `Attention map ${map().site}, ${rows} rows, ${columns} columns, step ${frame().step}. Arrow keys move from cell to cell, Page Up and Page Down from evaluation to evaluation.`);
    }
    function place(event) {
        const box = canvas.getBoundingClientRect();
        const column = Math.floor((event.clientX - box.left - layout.left) / layout.cell), row = Math.floor((event.clientY - box.top - layout.top) / layout.cell);
        return row >= 0 && column >= 0 && row < layout.rows && column < layout.columns ? { row, column } : null;
    }
    canvas.addEventListener("pointermove", event => {
        const at = place(event);
        tip.hidden = at === null;
        if (!at) return;
        const d = describe(at.row, at.column);
        tip.replaceChildren(el("strong", {}, d.text), el("span", {}, ` ${symbol(map().rows, at.row)} \u2192 ${symbol(map().columns, at.column)}`), d.gold ? " gold" : "", d.chosen ? " chosen" : "");
        tip.dataset.weight = d.text;
        const x = layout.left + at.column * layout.cell + layout.cell / 2, y = layout.top + at.row * layout.cell;
        tip.style.left = Math.max(holder.scrollLeft + 4, Math.min(x - tip.offsetWidth / 2, holder.scrollLeft + holder.clientWidth - tip.offsetWidth - 4)) + "px";
        tip.style.top = Math.max(0, y - tip.offsetHeight - 6) + "px";
    });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
    canvas.addEventListener("click", event => {
        const at = place(event);
        if (at) { Object.assign(state, at); draw(); read(); }
    });
    canvas.addEventListener("keydown", event => {
        const [rows, columns] = map().shape;
        const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (move) {
            state.row = Math.max(0, Math.min(rows - 1, state.row + move[0]));
            state.column = Math.max(0, Math.min(columns - 1, state.column + move[1]));
        } else if (event.key === "Home") state.column = 0;
        else if (event.key === "End") state.column = columns - 1;
        else if (event.key === "PageUp" || event.key === "PageDown") {
            event.preventDefault();
            goTo(state.frame + (event.key === "PageUp" ? -1 : 1));
            return;
        } else return;
        event.preventDefault();
        draw();
        read();
        const x = layout.left + state.column * layout.cell;
        if (x < holder.scrollLeft + layout.left) holder.scrollLeft = x - layout.left;
        else if (x + layout.cell > holder.scrollLeft + holder.clientWidth) holder.scrollLeft = x + 2 * layout.cell - holder.clientWidth;
    });

    /* The scrubber. */
    const scrubber = el("input", { type: "range", min: "0", value: "0", step: "1", id: "scrubber", "aria-label": "evaluation", oninput: () => goTo(Number(scrubber.value)) });
    const where = el("output", { id: "scrubber-step" });
    let timer = null;
    const play = el("button", { type: "button", id: "play", onclick: () => timer === null ? start() : stop() }, "Play");
    function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }
    function start() {
        play.textContent = "Stop";
        if (state.frame === example().frames.length - 1) goTo(0);
        timer = setInterval(() => { if (state.frame < example().frames.length - 1) goTo(state.frame + 1); else stop(); }, 500);
    }
    function goTo(index) {
        state.frame = Math.max(0, Math.min(example().frames.length - 1, index));
        scrubber.value = String(state.frame);
        const text = `step ${number(frame().step)}`;
        where.textContent = `${text} (${state.frame + 1} of ${example().frames.length})`;
        scrubber.setAttribute("aria-valuetext", text);
        refresh();
    }

    /* All maps of the example, small. */
    const all = el("div", { class: "thumbs", id: "all-maps" });
    function drawAll() {
        const shown = unpack(state.run, example(), frame());
        example().maps.forEach((m, i) => {
            const button = all.children[i], small = button.querySelector("canvas"), context = small.getContext("2d"), [rows, columns] = m.shape;
            const { paintRow } = painter(shown[i]), size = Math.max(1, Math.min(8, Math.floor(132 / Math.max(rows, columns, 1))));
            small.width = Math.max(1, columns * size);
            small.height = Math.max(1, rows * size);
            for (let r = 0; r < rows; ++r)
                for (let c = 0, color = paintRow(r, columns); c < columns; ++c) {
                    context.fillStyle = color(c);
                    context.fillRect(c * size, r * size, size, size);
                }
            button.setAttribute("aria-pressed", String(i === state.map));
        });
    }
    function name(m) {
        const p = parsed(m.site);
        return p.site + (p.layer === null ? "" : `, layer ${p.layer}`) + (p.head === null ? "" : `, head ${p.head}`);
    }

    /* The values as a table, for copying. */
    const values = el("details", {}, el("summary", {}, "Values of this map as a table"));
    values.addEventListener("toggle", fillValues);
    function fillValues() {
        while (values.children.length > 1) values.lastChild.remove();
        if (!values.open) return;
        const [rows, columns] = map().shape, w = weights();
        values.append(el("div", { class: "table values", tabIndex: 0, role: "region", "aria-label": "values" }, el("table", {},
            el("thead", {}, el("tr", {}, el("th", {}, map().rows + " \\ " + map().columns), [...Array(columns).keys()].map(c => el("th", { scope: "col", class: "number" }, symbol(map().columns, c))))),
            el("tbody", {}, [...Array(rows).keys()].map(r => el("tr", {}, el("th", { scope: "row" }, symbol(map().rows, r)),
                [...Array(columns).keys()].map(c => el("td", { class: "number" }, exact(w[r * columns + c], single())))))))));
    }

    /* Choosing. Site, layer and head are chosen apart; what is not there for a site is skipped. */
    const chooser = el("div", { class: "controls" });
    const texts = el("dl", { class: "example-text" });
    function choose() {
        const parts = example().maps.map(m => parsed(m.site)), now = parts[state.map];
        const unique = list => [...new Set(list)];
        const pick = (site, layer, head) => {
            const score = p => (p.site === site ? 4 : 0) + (p.layer === layer ? 2 : 0) + (p.head === head ? 1 : 0);
            state.map = parts.reduce((best, p, i) => score(p) > score(parts[best]) ? i : best, 0);
            choose();
            refresh();
        };
        const sites = unique(parts.map(p => p.site)), here = parts.filter(p => p.site === now.site), layers = unique(here.map(p => p.layer));
        const heads = unique(here.filter(p => p.layer === now.layer).map(p => p.head));
        chooser.replaceChildren(...[
            withMaps.length > 1 && attend.select("run", withMaps.map((r, i) => ({ value: i, text: visible(r.label, true) })), withMaps.indexOf(state.run), v => { stop(); open(withMaps[Number(v)]); }),
            attend.select("example", state.run.maps.examples.map((e, i) => ({ value: i, text: `${e.number}: ${preview(e)}` })), state.example, v => { stop(); state.example = Number(v); openExample(state.frame); }),
            attend.select("site", sites, now.site, v => pick(v, now.layer, now.head)),
            layers.length > 1 && attend.select("layer", layers.map(l => ({ value: l, text: String(l) })), now.layer, v => pick(now.site, Number(v), now.head)),
            heads.length > 1 && attend.select("head", heads.map(h => ({ value: h, text: String(h) })), now.head, v => pick(now.site, now.layer, Number(v))),
            attend.select("colours", [{ value: "largest", text: "0 to the largest" }, { value: "row", text: "0 to the row's largest" }, { value: "one", text: "0 to 1" }, { value: "root", text: "square root" }], state.scale, v => { state.scale = v; state.asked = true; refresh(); }),
        ].filter(Boolean));
    }
    function preview(e) {
        const from = e.source.length ? e.source : e.input, text = from.map(s => visible(s, true)).join(from.every(s => [...s].length <= 1) ? "" : " ");
        return [...text].slice(0, 28).join("") + ([...text].length > 28 ? "\u2026" : "");
    }
    function openExample(at) {
        const e = example();
        if (state.map >= e.maps.length) state.map = 0;
        if (!state.asked) state.scale = e.maps.some(m => m.shape[1] > 32) ? "row" : "largest";  // among many, small weights matter
        const joined = list => list.map(s => visible(s, true)).join(list.every(s => [...s].length <= 1 || /^<.*>$/.test(s)) ? "" : " ");
        const cut = (name, list) => e.lengths[name] > list.length ? `the first ${list.length} of ${number(e.lengths[name])} symbols are shown` : "";
        texts.replaceChildren(...[["source", e.source], [e.source.length ? "target" : "text", e.source.length ? e.target : e.input]].filter(p => p[1].length).flatMap(([title, list]) => [
            el("dt", {}, title), el("dd", { class: "mono", dir: "auto" }, joined(list), " ", el("span", { class: "muted small" }, cut(title === "source" ? "source" : "target", list)))]));
        all.replaceChildren(...e.maps.map((m, i) => el("button", { type: "button", onclick: () => { state.map = i; choose(); refresh(); holder.scrollIntoView({ block: "nearest" }); } }, el("canvas", { "aria-hidden": "true" }), el("span", {}, name(m)))));
        scrubber.max = String(e.frames.length - 1);
        scrubber.disabled = play.disabled = e.frames.length < 2;
        choose();
        goTo(at < 0 ? e.frames.length - 1 : at);
    }
    function open(run) { state.run = run; state.example = 0; openExample(-1); }
    function refresh() {
        read();
        draw();
        drawAll();
        fillValues();
        goldKey.hidden = !(hasGold() && example().gold.some(g => g[1] > g[0]));
        chosenKey.hidden = !frame().chosen[map().site];
        belowKey.hidden = !weights().some(w => w < 0);
    }

    if (!withMaps.length) {
        parent.append(el("section", { class: "card" }, el("h2", {}, "Attention"),
            ...runs.map(r => el("p", { class: "muted", "data-no-maps": r.folder }, (runs.length > 1 ? r.name + ": " : "") + (r.no_maps || "")))));
        return;
    }
    const scaleBar = el("span", { class: "scale-bar" }), scaleTop = el("span", { class: "mono" });
    const goldKey = el("li", {}, el("span", { class: "key gold-key" }), "gold alignment"), chosenKey = el("li", {}, el("span", { class: "key chosen-key" }), "chosen position"),
        belowKey = el("li", {}, "weights below 0 are drawn as 0");
    const maps = withMaps.flatMap(r => r.maps.examples.map(e => e.maps)), most = Math.max(...maps.map(m => m.length)), widest = Math.max(...maps.flat().map(m => m.shape[1]));
    parent.append(
        el("section", { class: "card" }, el("h2", {}, "Attention"), chooser, texts,
            el("div", { class: "scrub" }, play, scrubber, where)),
        el("div", { class: widest > 32 ? null : "beside", style: "--side:" + (most > 8 ? "520px" : "344px") },
            el("section", { class: "card" }, holder, readout,
                el("ul", { class: "legend" }, el("li", {}, el("span", { class: "mono" }, "0"), scaleBar, scaleTop), goldKey, chosenKey, belowKey), values),
            el("section", { class: "card" }, el("h2", {}, "All maps of this example"), all)));
    open(withMaps[0]);
    attend.onTheme(refresh);
    let width = holder.clientWidth;
    new ResizeObserver(() => { if (holder.clientWidth !== width && holder.clientWidth > 0) { width = holder.clientWidth; draw(); } }).observe(holder);
};
