/* What all pages share. A page's own scripts use `attend`:
 *   attend.data                       the page's JSON value
 *   attend.el(tag, attributes, ...)   an element; children are elements or texts, never HTML
 *   attend.number(x), attend.exact(x) a number for reading; the shortest decimals that read back as the same float
 *   attend.visible(text, blanks)      a symbol with its invisible characters made visible, all but blanks if asked
 *   attend.tabs(parent, pages)        tabs, each built when it is first shown
 *   attend.table(columns, rows)       a table that sorts by its columns
 *   attend.lineChart(parent, options) a line chart with bands, zoom and a cursor for the keyboard
 *   attend.select, attend.checkbox    labelled controls
 *   attend.css(name), attend.color(i) colours of the theme; attend.onTheme(f) calls f when it changes
 */
"use strict";
const attend = (() => {
    const data = JSON.parse(document.getElementById("data").textContent);
    const main = document.getElementById("main");

    function el(tag, attributes, ...children) {
        const node = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes || {})) {
            if (value === undefined || value === null || value === false) continue;
            if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
            else if (name in node && typeof value !== "string") node[name] = value;
            else node.setAttribute(name, value === true ? "" : value);
        }
        for (const child of children.flat(Infinity))
            if (child !== null && child !== undefined && child !== false)
                node.append(child instanceof Node ? child : String(child));
        return node;
    }

    /* Numbers. Strings ("nan", "inf") are shown as they are, a missing value as a dash. */
    function number(x) {
        if (x === null || x === undefined) return "\u2013";
        if (typeof x !== "number") return String(x);
        if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
        if (Number.isInteger(x) && Math.abs(x) < 1e15) return (x === 0 ? 0 : x).toLocaleString("en-US");
        const size = Math.abs(x);
        if (size >= 1e6 || size < 1e-4) return x.toExponential(3).replace(/\.?0*e\+?/, "e");
        return size >= 1000 ? x.toLocaleString("en-US", { maximumFractionDigits: 1 }) : String(Number(x.toPrecision(4)));
    }

    /* The shortest decimals that read back as the same float (or double). */
    function exact(x, single = true) {
        if (!Number.isFinite(x)) return number(x);
        if (Object.is(x, -0)) return "-0";
        if (!single) return String(x);
        for (let digits = 1; digits <= 9; ++digits) {
            const text = String(Number(x.toPrecision(digits)));
            if (Math.fround(Number(text)) === x) return text;
        }
        return String(x);
    }

    const pictures = { 9: "\u21e5", 10: "\u21b5", 13: "\u240d", 32: "\u2423", 127: "\u2421", 160: "\u237d" };
    function visible(text, blanks = false) {
        if (text === "") return blanks ? "" : "\u2205";
        let result = "";
        for (const character of String(text)) {
            const code = character.codePointAt(0);
            if (blanks && code === 32) result += " ";
            else if (pictures[code]) result += pictures[code];
            else if (code < 32) result += String.fromCodePoint(0x2400 + code);
            else if (/[\p{C}\p{Z}]/u.test(character) && code !== 0x200d) result += "\\u{" + code.toString(16) + "}";
            else if (/\p{M}/u.test(character) && result === "") result += "\u25cc" + character;
            else result += character;
        }
        return result;
    }

    /* Theme: the system's, or that of the switch. */
    const listeners = [];
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const themes = ["system", "light", "dark"];
    let theme = "system";
    try { theme = localStorage.getItem("attend-theme") || "system"; } catch (e) { /* a page from disk may have no storage */ }
    if (!themes.includes(theme)) theme = "system";
    const button = document.getElementById("theme");
    function applyTheme() {
        document.documentElement.dataset.theme = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
        button.replaceChildren(el("span", { class: "wide-only" }, "Theme: "), theme);
        button.setAttribute("aria-label", "theme: " + theme);
        for (const f of listeners) f();
    }
    button.addEventListener("click", () => {
        theme = themes[(themes.indexOf(theme) + 1) % themes.length];
        try { localStorage.setItem("attend-theme", theme); } catch (e) { /* then it is for this visit */ }
        applyTheme();
    });
    dark.addEventListener("change", applyTheme);
    const onTheme = f => listeners.push(f);
    const css = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
    const colors = 8;
    const color = i => css("series-" + (i % colors));
    function faint(hex, alpha) {
        const n = parseInt(hex.slice(1), 16);
        return `rgba(${n >> 16}, ${(n >> 8) & 255}, ${n & 255}, ${alpha})`;
    }

    /* Tabs as the ARIA pattern has them: arrows, Home and End move; a page is {id, title, build(parent)}. */
    function tabs(parent, pages) {
        const list = el("div", { class: "tabs", role: "tablist" });
        const buttons = [], panels = [];
        function show(index, focus) {
            buttons.forEach((b, i) => {
                b.setAttribute("aria-selected", String(i === index));
                b.tabIndex = i === index ? 0 : -1;
                panels[i].hidden = i !== index;
            });
            if (!panels[index].hasChildNodes()) pages[index].build(panels[index]);
            if (focus) buttons[index].focus();
            try { history.replaceState(null, "", "#" + pages[index].id); } catch (e) { /* only the address stays */ }
        }
        pages.forEach((page, i) => {
            buttons.push(el("button", {
                type: "button", role: "tab", id: "tab-" + page.id, "aria-controls": "panel-" + page.id, onclick: () => show(i),
                onkeydown: event => {
                    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: pages.length - 1 }[event.key];
                    if (to === undefined) return;
                    event.preventDefault();
                    show((to + pages.length) % pages.length, true);
                },
            }, page.title));
            panels.push(el("section", { role: "tabpanel", id: "panel-" + page.id, "aria-labelledby": "tab-" + page.id, hidden: true }));
        });
        list.append(...buttons);
        parent.append(list, ...panels);
        const asked = pages.findIndex(p => "#" + p.id === location.hash);
        show(Math.max(0, asked));
        return { show: id => show(pages.findIndex(p => p.id === id), true) };
    }

    /* Controls with their labels. options: texts, or {value, text}. */
    function select(label, options, value, change) {
        const control = el("select", { onchange: () => change(control.value) },
            options.map(o => typeof o === "object" ? el("option", { value: String(o.value) }, o.text) : el("option", { value: o }, o)));
        control.value = String(value);
        return el("label", {}, el("span", {}, label), control);
    }
    function checkbox(label, checked, change) {
        const control = el("input", { type: "checkbox", checked, onchange: () => change(control.checked) });
        return el("label", {}, control, label);
    }

    /* columns: [{title, number, cell(row) -> text or element, sort(row) -> value}]; a click on a title sorts. */
    function table(columns, rows, caption) {
        const body = el("tbody");
        let by = -1, down = false;
        const heads = columns.map((c, i) => el("th", { scope: "col", class: [c.number && "number", /wide-only/.test(c.class) && "wide-only"].filter(Boolean).join(" ") },
            c.sort ? el("button", { type: "button", onclick: () => { down = by === i && !down; by = i; fill(); } }, visible(c.title, true)) : visible(c.title, true)));
        function fill() {
            const order = rows.slice();
            if (by >= 0) {
                const missing = down ? -Infinity : Infinity;
                const key = row => { const v = columns[by].sort(row); return v === null || v === undefined ? missing : v; };
                order.sort((a, b) => { const x = key(a), y = key(b); return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1); });
            }
            heads.forEach((h, i) => i === by ? h.setAttribute("aria-sort", down ? "descending" : "ascending") : h.removeAttribute("aria-sort"));
            body.replaceChildren(...order.map(row => el("tr", { class: row.class }, columns.map((c, i) =>
                el(i === 0 ? "th" : "td", { class: c.number ? "number" : c.class, scope: i === 0 ? "row" : null }, c.cell(row))))));
        }
        fill();
        return el("div", { class: "table", tabIndex: 0, role: "region", "aria-label": caption || "table" },
            el("table", {}, caption && el("caption", { class: "visually-hidden" }, caption), el("thead", {}, el("tr", {}, heads)), body));
    }

    /* Exponential moving average with bias correction; weight 0 leaves the values as they are. What is not a number is skipped. */
    function smoothed(values, weight) {
        let mean = 0, sum = 0;
        return values.map(v => {
            if (!Number.isFinite(v)) return v;
            mean = weight * mean + (1 - weight) * v;
            sum = weight * sum + (1 - weight);
            return mean / sum;
        });
    }

    /* A line chart. options:
     *   title, label      heading and what the canvas shows
     *   x                 name of the x axis
     *   places            names of the places 0, 1, 2 ... on the x axis, where it has no numbers
     *   log               logarithmic y; values that are not above 0 are left out
     *   range             {min, max} of x, or null for all
 *   floor             0: the y axis begins there
     *   zoomed(range)     called when the user asks for another range
     *   series            [{label, color: index, x: [], y: [], low: [], high: [], dashed, thin, points}], low and high: the band
     * Drag marks a range, a double click shows all. Keyboard on the chart: left and right move a cursor that reads the values
     * out, + and - zoom around it, shift with left and right moves the range, 0 shows all.
     * Gives {update(options)}: changes some of them. */
    function lineChart(parent, options) {
        let state = { zoomed: range => update({ range }), ...options };
        const canvas = el("canvas", { tabIndex: 0, role: "img" });
        const area = el("div", { class: "chart-area" }, canvas);
        const readout = el("div", { class: "readout", "aria-live": "polite" });
        parent.append(el("figure", { class: "chart" }, state.title && el("h3", {}, state.title), area, readout));
        let chart = null, cursor = null;

        const place = x => state.places ? state.places[x] || "" : number(x);
        const usable = v => Number.isFinite(v) && (!state.log || v > 0);
        const pairs = (s, values) => s.x.map((x, i) => ({ x, y: usable(values[i]) ? values[i] : NaN }));
        function datasets() {
            const all = [];
            for (const s of state.series) {
                const line = color(s.color);
                if (s.low && s.high) {
                    const edge = { borderWidth: 0, pointRadius: 0, pointHitRadius: 0, band: true, backgroundColor: faint(line, 0.18) };
                    all.push({ ...edge, label: s.label, data: pairs(s, s.low), fill: false });
                    all.push({ ...edge, label: s.label, data: pairs(s, s.high), fill: "-1" });
                }
                const few = s.x.length <= 1 || s.points;
                all.push({
                    label: s.label, data: pairs(s, s.y), borderColor: s.thin ? faint(line, 0.35) : line, backgroundColor: line,
                    borderWidth: s.thin ? 1 : 1.8, borderDash: s.dashed ? [6, 4] : [], pointRadius: few ? 3 : 0, pointHitRadius: 6,
                    spanGaps: true, clip: 4, thin: s.thin, fill: false,
                });
            }
            return all;
        }
        function extent() {
            let min = Infinity, max = -Infinity;
            for (const s of state.series) for (const x of s.x) { min = Math.min(min, x); max = Math.max(max, x); }
            return min <= max ? { min, max } : { min: 0, max: 1 };
        }
        function draw() {
            if (chart) chart.destroy();
            canvas.setAttribute("aria-label", (state.label || state.title || "chart") + ": " + state.series.map(s => s.label).join(", "));
            const grid = { color: css("line"), drawTicks: false }, ticks = { color: css("muted"), maxRotation: 0, padding: 6, autoSkipPadding: 14 };
            const shown = state.range || extent();
            chart = new Chart(canvas, {
                type: "line", data: { datasets: datasets() },
                options: {
                    animation: false, parsing: false, normalized: true, maintainAspectRatio: false, responsive: true,
                    interaction: { mode: "nearest", axis: "x", intersect: false },
                    events: ["mousemove", "mouseout"],
                    scales: {
                        x: { type: "linear", min: shown.min, max: shown.max > shown.min ? shown.max : shown.min + 1, grid, border: { color: css("line") }, ticks: { ...ticks, stepSize: state.places ? 1 : undefined, callback: v => place(v) }},
                        y: { beginAtZero: state.floor === 0, type: state.log ? "logarithmic" : "linear", grid, border: { display: false }, ticks: { ...ticks, callback: v => number(v) } },
                    },
                    plugins: {
                        legend: { display: false }, decimation: { enabled: false },
                        tooltip: {
                            filter: item => !item.dataset.band && !item.dataset.thin, backgroundColor: css("text"), titleColor: css("surface"), bodyColor: css("surface"), boxPadding: 4,
                            callbacks: { title: items => items.length ? state.x + " " + place(items[0].parsed.x) : "", label: item => " " + item.dataset.label + "  " + number(item.parsed.y) },
                        },
                    },
                },
            });
        }
        function update(changes) {
            state = { ...state, ...changes };
            cursor = null;
            readout.textContent = state.x;
            draw();
        }

        /* Keyboard. */
        function places() {
            const shown = state.range || extent();
            return [...new Set(state.series.flatMap(s => s.x))].filter(x => x >= shown.min && x <= shown.max).sort((a, b) => a - b);
        }
        function read(x) {
            const active = [], words = [];
            chart.data.datasets.forEach((d, index) => {
                if (d.band || d.thin) return;
                const i = d.data.findIndex(p => p.x === x && Number.isFinite(p.y));
                if (i < 0) return;
                active.push({ datasetIndex: index, index: i });
                words.push(d.label + " " + number(d.data[i].y));
            });
            chart.setActiveElements(active);
            if (active.length) {
                const at = chart.getDatasetMeta(active[0].datasetIndex).data[active[0].index];
                chart.tooltip.setActiveElements(active, { x: at.x, y: at.y });
            }
            chart.update("none");
            readout.textContent = state.x + " " + place(x) + ": " + (words.join(", ") || "no value");
        }
        function zoom(range) {
            const all = extent();
            const min = Math.max(all.min, range.min), max = Math.min(all.max, range.max);
            if (!(max > min)) return;
            state.zoomed(min <= all.min && max >= all.max ? null : { min, max });
        }
        canvas.addEventListener("keydown", event => {
            const shown = state.range || extent(), width = shown.max - shown.min, all = places();
            const middle = cursor === null ? (shown.min + shown.max) / 2 : cursor;
            const arrow = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
            if (arrow && event.shiftKey) {
                const whole = extent(), move = Math.max(whole.min - shown.min, Math.min(whole.max - shown.max, arrow * width / 4));
                if (move !== 0) zoom({ min: shown.min + move, max: shown.max + move });
            } else if (arrow && all.length) {
                const here = cursor === null ? (arrow > 0 ? -1 : all.length) : all.indexOf(cursor);
                cursor = all[Math.max(0, Math.min(all.length - 1, here + arrow))];
                read(cursor);
            } else if (event.key === "+" || event.key === "=") zoom({ min: middle - width / 4, max: middle + width / 4 });
            else if (event.key === "-") zoom({ min: middle - width, max: middle + width });
            else if (event.key === "0" || event.key === "Escape") state.zoomed(null);
            else return;
            event.preventDefault();
        });

        /* Drag. */
        let from = null;
        const box = el("div", { class: "zoom-box", hidden: true });
        area.append(box);
        const inside = event => Math.max(chart.chartArea.left, Math.min(chart.chartArea.right, event.clientX - canvas.getBoundingClientRect().left));
        canvas.addEventListener("pointerdown", event => { if (event.button === 0) { from = inside(event); canvas.setPointerCapture(event.pointerId); } });
        canvas.addEventListener("pointermove", event => {
            if (from === null) return;
            const to = inside(event), top = chart.chartArea.top;
            box.hidden = Math.abs(to - from) < 6;
            Object.assign(box.style, { left: Math.min(from, to) + "px", width: Math.abs(to - from) + "px", top: top + "px", height: chart.chartArea.bottom - top + "px" });
        });
        canvas.addEventListener("pointerup", event => {
            const to = from === null ? 0 : inside(event), begin = from;
            from = null;
            box.hidden = true;
            if (begin === null || Math.abs(to - begin) < 6) return;
            const a = chart.scales.x.getValueForPixel(begin), b = chart.scales.x.getValueForPixel(to);
            zoom({ min: Math.min(a, b), max: Math.max(a, b) });
        });
        canvas.addEventListener("pointercancel", () => { from = null; box.hidden = true; });
        canvas.addEventListener("dblclick", () => state.zoomed(null));
        onTheme(draw);
        update({});
        return { update, canvas };
    }

    applyTheme();
    return { data, main, el, number, exact, visible, tabs, select, checkbox, table, smoothed, lineChart, css, color, faint, onTheme };
})();
