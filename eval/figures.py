"""The report's figures: which numbers are plotted, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval import plots, words
from eval.metrics import RiskPoint
from eval.results import Results
from eval.statistics import Interval
from rag.phrase import Phrase


@dataclass(frozen=True)
class Figure:
    """A plot; ``paired`` when the starter stands in it beside Rawi. Its own labels are English."""

    title: Phrase
    note: Phrase
    svg: str
    paired: bool


def of_run(systems: Sequence[Results], anchor: str) -> list[Figure]:
    """Plot quality by category, and risk against coverage.

    :param systems: Rawi, and the starter if it was run.
    :param anchor: Unique in the page.
    """
    return [*_quality(systems, anchor), *_risk(systems, anchor)]


def _quality(systems: Sequence[Results], anchor: str) -> Iterator[Figure]:
    measure = "right" if "right" in systems[0].summary["metrics"]["all"] else "evidence_hit"
    found = [run.summary.get("by_category", {}) for run in systems]
    rows = {
        f"{words.english(words.of_group(category))} ({measures[measure]['n']})": [
            _interval(of.get(category, {}).get(measure)) for of in found
        ]
        for category, measures in found[0].items()
        if measure in measures
    }
    if rows:
        svg = plots.dots(rows, words.MEASURES[measure].en, f"{anchor}-all")
        yield Figure(words.QUALITY_FIGURE, words.WITH_INTERVALS, svg, len(systems) > 1)


def _interval(value: Mapping[str, Any] | None) -> Interval | None:
    if value is None:
        return None
    mean, low, high = value["mean"], value["low"], value["high"]
    return Interval(mean, mean, mean) if low is None else Interval(mean, low, high)


def _risk(systems: Sequence[Results], anchor: str) -> Iterator[Figure]:
    curves = {}
    for run, name in zip(systems, words.SYSTEMS, strict=False):
        curve = run.summary.get("risk_coverage", {}).get("all")
        if curve:
            coverage, risk = curve["own"]["coverage"], curve["own"]["risk"]
            own = None if risk is None else RiskPoint(0.0, coverage, risk)
            curves[name.en] = ([RiskPoint(*point) for point in curve["points"]], own)
    if curves:
        svg = plots.curves(curves, "risk: share of them that is wrong", f"{anchor}-risk")
        yield Figure(words.RISK_FIGURE, words.RISK_NOTE, svg, len(systems) > 1)
