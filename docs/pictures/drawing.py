"""Attention maps as SVG: small, without fonts, readable on a light and on a dark page. Standard library only.

A map is a table of squares: a row for each query, a column for each position that it may read. The darker a square, the larger
its weight. A dot marks a weight that is exactly 0, red with a minus one below 0, an orange ring the position that a hard choice
read.
"""
import html
import json
import os
import struct

WIDTH = 600  # of a page's column: a picture is at most so wide
BLUE, RED, GREY, ORANGE = "#2f7fe0", "#d93a3a", "#78828d", "#e8730c"  # each has contrast with white and with black
MINUS = (("#fff", 2), ("#111", 1))  # colours and widths, one on the other: seen on a faint and on a full square, on any page
LEVELS = 20  # steps in which weights are shown
LEGEND = 310  # its width
FAINT = 0.07  # opacity of weights that round to 0 and are not 0


class Maps:
    """A file RUN/maps/step-N.safetensors (train/records/maps.h says what is in it)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self._bytes = file.read()
        length = struct.unpack("<Q", self._bytes[:8])[0]
        self._tensors = json.loads(self._bytes[8:8 + length])
        self._data = 8 + length
        self.examples = json.loads(self._tensors["__metadata__"]["maps"])["examples"]

    def weights(self, name):
        """Rows of float32 numbers."""
        tensor = self._tensors[name]
        if tensor["dtype"] != "F32":
            raise ValueError(f"maps are of F32: tensor '{name}', type {tensor['dtype']}")
        rows, columns = tensor["shape"]
        begin, end = (self._data + offset for offset in tensor["data_offsets"])
        values = struct.unpack(f"<{rows * columns}f", self._bytes[begin:end])
        return [values[r * columns:(r + 1) * columns] for r in range(rows)]

    def panel(self, example, site, label):
        """What draw() needs of one example and site; `site` is a name, or "" where there is one."""
        one = self.examples[example]
        names = [m["site"] for m in one["maps"]]
        if site not in names and (site or len(names) != 1):
            raise ValueError(f"no such site: '{site}', known: {', '.join(names)}")
        m = one["maps"][names.index(site) if site else 0]
        weights = self.weights(f"{one['number']}/{m['site']}")
        return Panel(label, one[m["rows"]][:len(weights)], one[m["columns"]][:len(weights[0])], weights, m.get("chosen", []),
                     m["rows"], m["columns"])


def last_maps(folder):
    """The newest file of a run's maps."""
    steps = [f for f in os.listdir(f"{folder}/maps") if f.startswith("step-") and f.endswith(".safetensors")]
    return Maps(f"{folder}/maps/{max(steps, key=lambda f: int(f[5:-12]))}")


class Panel:
    """`rows` and `columns`: symbols; `weights`: a list of columns for each row; `chosen`: a position for each row, or empty."""

    def __init__(self, label, rows, columns, weights, chosen=(), row_title="", column_title=""):
        self.label, self.rows, self.columns, self.weights, self.chosen = label, rows, columns, weights, chosen
        self.row_title, self.column_title = row_title, column_title


def number(x):
    """Short: at most one decimal."""
    return f"{x:.1f}".rstrip("0").rstrip(".").replace("-0", "0") if abs(x) < 0.05 else f"{x:.1f}".removesuffix(".0")


def shown(symbol):
    return html.escape("\u2423" if symbol == " " else symbol, quote=False)


def runs(values):
    """[begin, end) and value of equal neighbours."""
    begin = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[begin]:
            yield begin, i, values[begin]
            begin = i


def level(weight, top):
    """Of its size: 0 for what is exactly 0, None where it rounds to 0, else 1 ... LEVELS."""
    if weight == 0:
        return 0
    return min(LEVELS, round(LEVELS * abs(weight) / top)) or None


def scale_top(panels):
    """The size of the weight of a full square: 1, or less where all weights are small."""
    largest = max(abs(w) for p in panels for row in p.weights for w in row)
    return next((top for top in (0.05, 0.1, 0.25, 0.5) if largest <= top), 1.0)


def opacity(step):
    return f"{FAINT if step is None else step / LEVELS:.2f}".removeprefix("0").rstrip("0").rstrip(".") or "1"


def squares(panel, top):
    """A path for each level and sign: lines of width 1, in units of a square, half a square too high; then the minuses."""
    paths, minuses = {}, []
    for r, row in enumerate(panel.weights):
        for begin, end, (step, below) in runs([(level(w, top), w < 0) for w in row]):
            line = f"M{begin} {r}h{end - begin}"
            paths.setdefault((step, below), []).append(line)
            if below and step:
                minuses.append(line)
    out = []
    for step, below in sorted(paths, key=lambda s: (0.5 if s[0] is None else s[0], s[1])):
        paint = 'stroke="url(#z)"' if step == 0 else f'stroke-opacity="{opacity(step)}"'
        colour = f'stroke="{RED}" ' if below else ""
        out.append(f'<path {colour}{paint} d="{"".join(paths[step, below])}"/>')
    return out + ([f'<path stroke="url(#m)" d="{"".join(minuses)}"/>'] if minuses else [])


class Layout:
    """Sizes of the panels in pixels, of all the same square."""

    def __init__(self, panels):
        longest_row = max(len(s) for p in panels for s in p.rows)
        letters = max(len(s) for p in panels for s in p.columns)
        gap = 16
        for self.cell in (22, 20, 18, 16, 15, 14, 13, 12, 11):
            self.font = min(13, self.cell - 2)
            self.left = round(max(longest_row, 1) * 0.62 * self.font) + 22
            self.width = sum(self.left + len(p.columns) * self.cell for p in panels) + gap * (len(panels) - 1) + 4
            if self.width <= WIDTH:
                break
        self.upright = letters > 1 and letters * 0.62 * self.font > self.cell - 3  # columns' symbols, turned by 90 degrees
        self.gap = gap
        self.label = 18 if any(p.label for p in panels) else 0
        self.top = self.label + 16 + round((0.62 * letters if self.upright else 1) * self.font) + 4
        self.bottom = self.top + max(len(p.rows) for p in panels) * self.cell
        self.width = max(self.width, self.left + LEGEND)
        self.height = self.bottom + 34


def panel_svg(p, layout, x, top):
    c, left, y = layout.cell, x + layout.left, layout.top
    out = []
    if p.label:
        out.append(f'<text x="{left}" y="13" font-weight="bold">{html.escape(p.label, quote=False)}</text>')
    out.append(f'<text x="{left}" y="{layout.label + 11}" font-size="11">{p.column_title} \u2192</text>')
    out.append(f'<text x="{x + 11}" y="{y}" font-size="11" text-anchor="end" transform="rotate(-90 {x + 11} {y})">'
               f'\u2190 {p.row_title}</text>')
    out.append(f'<g text-anchor="end" font-family="monospace" font-size="{layout.font}">')
    for r, symbol in enumerate(p.rows):
        out.append(f'<text x="{left - 4}" y="{number(y + (r + 0.5) * c + 0.35 * layout.font)}">{shown(symbol)}</text>')
    out.append("</g>")
    anchor = "start" if layout.upright else "middle"
    out.append(f'<g text-anchor="{anchor}" font-family="monospace" font-size="{layout.font}">')
    for s, symbol in enumerate(p.columns):
        if layout.upright:
            at = number(left + (s + 0.5) * c + 0.35 * layout.font)
            out.append(f'<text transform="translate({at} {y - 4})rotate(-90)">{shown(symbol)}</text>')
        else:
            out.append(f'<text x="{number(left + (s + 0.5) * c)}" y="{y - 4}">{shown(symbol)}</text>')
    out.append("</g>")
    size = f'width="{len(p.columns)}" height="{len(p.rows)}"'
    out.append(f'<g transform="translate({left} {y})scale({c})">')
    out += [f'<g transform="translate(0 .5)" stroke="{BLUE}" shape-rendering="crispEdges">', *squares(p, top), "</g>"]
    out.append(f'<rect {size} fill="url(#g)" stroke="{GREY}" stroke-width=".06"/>')
    for r, s in enumerate(p.chosen):
        if 0 <= s < len(p.columns):
            out.append(f'<circle cx="{s}.5" cy="{r}.5" r=".34" fill="none" stroke="{ORANGE}" stroke-width=".13"/>')
    out.append("</g>")
    return out


def legend_svg(layout, top, chosen, below):
    """Squares with their weights; `below`: also of weights below 0."""
    y, out, x = layout.bottom + 14, [], layout.left
    out.append(f'<g font-size="11"><text x="{x}" y="{y + 10}">weight</text>')
    x += 42
    for share in (-1, -0.5, 0, 0.5, 1) if below else (0, 0.25, 0.5, 0.75, 1):
        colour = RED if share < 0 else BLUE
        paint = f'fill="{colour}" fill-opacity="{opacity(round(abs(share) * LEVELS))}"' if share else 'fill="none"'
        out.append(f'<rect x="{x}" y="{y}" width="12" height="12" {paint} stroke="{GREY}"/>')
        if share == 0:
            out.append(f'<circle cx="{x + 6}" cy="{y + 6}" r="1.2"/>')
        if share < 0:
            out += [f'<path d="M{x + 3} {y + 6}h6" stroke="{colour}" stroke-width="{width}"/>' for colour, width in MINUS]
        text = f"{share * top:.3f}".rstrip("0").rstrip(".").replace("-", "\u2212")
        out.append(f'<text x="{x + 16}" y="{y + 10}">{text}</text>')
        x += 28 + round(6.2 * len(text))
    if chosen:
        out.append(f'<circle cx="{x + 6}" cy="{y + 6}" r="4" fill="none" stroke="{ORANGE}" stroke-width="1.6"/>'
                   f'<text x="{x + 15}" y="{y + 10}">read</text>')
    out.append("</g>")
    return out


def draw(panels, title, made):
    """The SVG's text. `title`: what is seen; `made`: how it was made, for <desc>."""
    layout, top = Layout(panels), scale_top(panels)
    below = any(w < 0 for p in panels for row in p.weights for w in row)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width}" height="{layout.height}" '
           f'viewBox="0 0 {layout.width} {layout.height}" font-family="sans-serif" font-size="13" fill="{GREY}">',
           f"<title>{html.escape(title, quote=False)}</title>", f"<desc>{html.escape(made, quote=False)}</desc>",
           '<pattern id="z" y="-.5" width="1" height="1" patternUnits="userSpaceOnUse">'
           f'<circle cx=".5" cy=".5" r=".07" fill="{GREY}"/></pattern>',
           '<pattern id="g" width="1" height="1" patternUnits="userSpaceOnUse">'
           f'<path d="M0 0h1M0 0v1" stroke="{GREY}" stroke-opacity=".4" stroke-width=".04"/></pattern>']
    if below:
        lines = [f'<path d="M.3 .5h.4" stroke="{colour}" stroke-width="{width / 14:.2f}"/>' for colour, width in MINUS]
        out.append(f'<pattern id="m" y="-.5" width="1" height="1" patternUnits="userSpaceOnUse">{"".join(lines)}</pattern>')
    x = 0
    for p in panels:
        out += panel_svg(p, layout, x, top)
        x += layout.left + len(p.columns) * layout.cell + layout.gap
    out += legend_svg(layout, top, any(len(p.chosen) for p in panels), below)
    return "\n".join(out) + "\n</svg>\n"
