"""How pictures are drawn: SVG for a page that brings its own colours and font.

Colours are drawn as stand-ins and become CSS variables (`var(--ink)`), so that one picture serves light and dark.
"""

import io
import re
import threading
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK, FAINT, GRID = "#010101", "#020202", "#030303"
BEST, BASE, OTHER, BAD = "#040404", "#050505", "#060606", "#070707"
VARIABLES = {
    INK: "ink", FAINT: "faint", GRID: "grid", BEST: "best", BASE: "base", OTHER: "other", BAD: "bad",
}  # fmt: skip
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a $ in a parameter's name is a dollar
    "font.size": 9,
    "axes.edgecolor": GRID,
    "axes.labelcolor": FAINT,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "text.color": INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}
WIDTH, HEIGHT = 9.2, 3.4
"""Inches of 72 CSS pixels."""

COLOURS = {
    "page": ("#ffffff", "#14171b"), "ink": ("#16191d", "#e8ebee"), "faint": ("#5c6570", "#9aa4af"),
    "grid": ("#dfe3e8", "#333a42"), "best": ("#0a7d4f", "#45c98d"), "base": ("#2f5fd0", "#7fa5ff"),
    "other": ("#a3adb9", "#66707c"), "bad": ("#c2362b", "#ff7d70"),
}  # fmt: skip
"""Of a picture that stands alone, on light and on dark; a report brings its own."""

_DRAWING = threading.Lock()
"""Matplotlib's settings are global, and pictures are drawn in threads."""


def picture(title: str, draw: Callable[[Figure], None]) -> str:
    """An `<svg>` element to put into a page, as wide as its place."""
    with _DRAWING, mpl.rc_context(STYLE | {"svg.hashsalt": title}):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        draw(figure)
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    return _inline(out.getvalue(), title)


def standalone(picture: str) -> str:
    """A picture as a file of its own, with colours and a font."""

    def block(index: int) -> str:
        return "".join(f"--{name}: {pair[index]}; " for name, pair in COLOURS.items())

    style = (
        f"<style>svg {{ {block(0)}background: var(--page); font-family: system-ui, sans-serif }} "
        f"@media (prefers-color-scheme: dark) {{ svg {{ {block(1)}}} }}</style>"
    )
    end = picture.index(">") + 1
    return picture[:end] + style + picture[end:]


def slug(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())


def _inline(svg: str, title: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    prefix = slug(title)  # ids are unique in a page, not only in a picture
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\1{prefix}-", svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r"<svg \1", svg, count=1)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
