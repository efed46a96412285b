"""The report's figure: risk against coverage, as an ``<svg>`` element.

Colours are CSS variables of the page (``--rawi``, ``--starter``, ``--ink``, ``--rule``), so that it
follows the page's theme; the systems differ in shape as well. Its labels are English: matplotlib
does not shape Arabic. The same numbers give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import PercentFormatter

from eval import words
from eval.metrics import RiskPoint
from eval.results import Results
from rag.phrase import Phrase

# What matplotlib draws with, and what stands for it in the page.
_INK, _RULE, _RAWI, _STARTER = "#010101", "#020202", "#030303", "#040404"
_VARIABLES = {_INK: "ink", _RULE: "rule", _RAWI: "rawi", _STARTER: "starter"}
_STYLES: tuple[dict[str, Any], ...] = (
    {"color": _RAWI, "marker": "o"},
    {"color": _STARTER, "marker": "D"},
)
_SIZE = (4.3, 2.9)  # inches; a phone is as wide, a desktop has room for two

_RC: dict[Any, Any] = {
    "svg.hashsalt": "rawi",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _INK,
    "axes.grid.axis": "x",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _RULE,
    "grid.linewidth": 0.6,
    "text.color": _INK,
    "xtick.color": _RULE,
    "ytick.color": _RULE,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "ytick.major.pad": 7,
    "lines.markersize": 4.5,
}

Curve = tuple[Sequence[RiskPoint], RiskPoint | None]
"""A curve, and the point at which the system stands with its own threshold, if there is one."""


@dataclass(frozen=True)
class Figure:
    """A plot; ``paired`` when the starter stands in it beside Rawi."""

    title: Phrase
    note: Phrase
    svg: str
    paired: bool


def of_run(systems: Sequence[Results], anchor: str) -> list[Figure]:
    """Plot risk against coverage, of runs that know it.

    :param systems: Rawi, and the starter if it was run.
    :param anchor: Unique in the page.
    """
    found: dict[str, Curve] = {}
    for run, name in zip(systems, words.SYSTEMS, strict=False):
        curve = run.summary.get("risk_coverage", {}).get("all")
        if curve:
            coverage, risk = curve["own"]["coverage"], curve["own"]["risk"]
            own = None if risk is None else RiskPoint(0.0, coverage, risk)
            found[name.en] = ([RiskPoint(*point) for point in curve["points"]], own)
    if not found:
        return []
    svg = curves(found, f"{anchor}-risk")
    return [Figure(words.RISK_FIGURE, words.RISK_NOTE, svg, len(systems) > 1)]


def curves(systems: Mapping[str, Curve], name: str) -> str:
    """Draw risk against coverage.

    :param systems: By name, Rawi first.
    :param name: Unique in the page, for the ids within the plot.
    """
    with rc_context(_RC):
        drawing = Drawing(_SIZE, layout="constrained")
        axes = drawing.subplots()
        axes.grid(visible=True, axis="y")
        for (system, (points, own)), style in zip(systems.items(), _STYLES, strict=False):
            x = [point.coverage for point in points]
            y = [point.risk for point in points]
            axes.plot(x, y, color=style["color"], lw=1.6)
            axes.annotate(
                system, (x[-1], y[-1]), (4, 0), textcoords="offset points",
                color=style["color"], va="center", annotation_clip=False,
            )  # fmt: skip
            if own is not None:
                axes.plot([own.coverage], [own.risk], clip_on=False, **style)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axes.set_xlabel("coverage: share of questions that are answered")
        axes.set_ylabel("risk: share of them that is wrong")
        buffer = io.StringIO()
        drawing.savefig(buffer, format="svg", transparent=True)
    return _embedded(buffer.getvalue(), name)


def _embedded(svg: str, name: str) -> str:
    """Return the ``<svg>`` of a file without what only a file of its own needs."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<svg[^>]*?(viewBox=\"[^\"]*\")[^>]*>", r'<svg \1 aria-hidden="true">', svg)
    svg = re.sub(
        r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->|font-family:[^;]*;",
        "",
        svg,
        flags=re.DOTALL,
    )
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', svg).replace("url(#", f"url(#{name}-")
    for drawn, variable in _VARIABLES.items():
        svg = svg.replace(drawn, f"var(--{variable})")
    return re.sub(r"\n\s*", "\n", svg).strip()
