"""The report's plots, each one function from numbers to an ``<svg>`` element.

::

    dots     a mean and its interval, by row and system
    curves   risk against coverage, by system

Colours are CSS variables of the page (``--rawi``, ``--starter``, ``--ink``, ``--rule``), so that a
plot follows the page's theme; the systems differ in shape as well. All text is English or ids:
matplotlib does not shape Arabic. The same numbers give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from eval.metrics import RiskPoint
from eval.statistics import Interval

# What matplotlib draws with, and what stands for it in the page.
_INK, _RULE, _RAWI, _STARTER = "#010101", "#020202", "#030303", "#040404"
_VARIABLES = {_INK: "ink", _RULE: "rule", _RAWI: "rawi", _STARTER: "starter"}
_STYLES: tuple[dict[str, Any], ...] = (
    {"color": _RAWI, "marker": "o"},
    {"color": _STARTER, "marker": "D"},
)
_OFFSET = 0.17  # of a row's height, that two systems stand above and below its middle

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
_LABEL = 28  # characters of a row's name
_WIDTH = 4.3  # inches; a phone is as wide, a desktop has room for two


def dots(rows: Mapping[str, Sequence[Interval | None]], label: str, name: str) -> str:
    """Draw a dot and its 95 % interval for each row and system, as shares from 0 to 100 %.

    :param rows: Row to one interval a system, Rawi first; ``None`` leaves its place empty.
    :param label: Of the axis.
    :param name: Unique in the page, for the ids within the plot.
    """

    def draw(axes: Axes) -> None:
        for y, intervals in enumerate(rows.values()):
            for system, (interval, style) in enumerate(zip(intervals, _STYLES, strict=False)):
                if interval is None:
                    continue
                at = y + (_OFFSET * (2 * system - 1) if len(intervals) > 1 else 0)
                axes.plot([interval.low, interval.high], [at, at], color=style["color"], lw=1.4)
                axes.plot([interval.mean], [at], clip_on=False, **style)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axes.set_xlabel(label)
        _name_rows(axes, list(rows))

    return _svg(draw, 0.75 + 0.29 * len(rows), name)


def curves(
    systems: Mapping[str, tuple[Sequence[RiskPoint], RiskPoint | None]], label: str, name: str
) -> str:
    """Draw risk against coverage.

    :param systems: System to its curve, Rawi first, and the point at which the system stands with
        its own threshold, if there is one.
    :param label: Of the risk axis.
    :param name: As for ``dots``.
    """

    def draw(axes: Axes) -> None:
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
        axes.set_ylabel(label)

    return _svg(draw, 2.9, name)


def seconds(value: float) -> str:
    """Write a time as people read it: ``45 ms``, ``0.31 s``, ``12.4 s``."""
    if value < 0.1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [_label(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)


def _label(name: str) -> str:
    """Shorten a name of somebody else's choosing, to letters that every font has."""
    name = "".join(letter if letter.isascii() or letter == "→" else "?" for letter in name)
    return name if len(name) <= _LABEL else name[: _LABEL - 1] + "…"


def _svg(draw: Callable[[Axes], None], height: float, name: str) -> str:
    """Draw on a new figure and return its ``<svg>``, without what only a file of its own needs."""
    with rc_context(_RC):
        figure = Figure((_WIDTH, height), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        buffer = io.StringIO()
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    svg = buffer.getvalue()
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
