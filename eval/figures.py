"""The report's figures: which numbers are plotted, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval import plots, tables, words
from eval.files import Line
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


def by_pair(runs: Sequence[Results]) -> list[Figure]:
    """Plot retrieval by language pair of all SQuAD runs; none, no figure."""
    return [
        Figure(
            words.joined(tables.PAIR_MEASURES[name], words.BY_LANGUAGES, by=Phrase(" ", " ")),
            words.PAIR_FIGURE_NOTE,
            plots.dots(
                {label: [_interval(measures[name])] for label, measures in tables.pairs(runs)},
                tables.PAIR_MEASURES[name].en,
                f"pairs-{n}",
            ),
            paired=False,
        )
        for n, name in enumerate(("recall@1", "ndcg@10") if runs else ())
    ]


def of_run(systems: Sequence[Results], anchor: str) -> list[Figure]:
    """Quality by category and language, risk and coverage, times, as far as the run has them.

    :param systems: Rawi, and the starter if it was run.
    :param anchor: Unique in the page.
    """
    return [*_quality(systems, anchor), *_risk(systems, anchor), *_times(systems, anchor)]


def _quality(systems: Sequence[Results], anchor: str) -> Iterator[Figure]:
    overall = systems[0].summary["metrics"]["all"]
    measure = "right" if "right" in overall else "evidence_hit"
    for group, label in words.LANGUAGES.items():
        rows = _category_rows(systems, group, measure)
        if rows:
            note = words.WITH_INTERVALS if group == "all" else words.WITHOUT_INTERVALS
            svg = plots.dots(rows, words.MEASURES[measure].en, f"{anchor}-{group}")
            title = words.joined(words.QUALITY_FIGURE, label)
            yield Figure(title, note, svg, len(systems) > 1)


def _category_rows(
    systems: Sequence[Results], group: str, measure: str
) -> dict[str, list[Interval | None]]:
    found = [
        run.summary.get("by_category", {})
        if group == "all"
        else run.summary.get("by_language_and_category", {}).get(group, {})
        for run in systems
    ]
    return {
        f"{words.english(words.of_group(category))} ({measures[measure]['n']})": [
            _interval(of.get(category, {}).get(measure)) for of in found
        ]
        for category, measures in found[0].items()
        if measure in measures
    }


def _risk(systems: Sequence[Results], anchor: str) -> Iterator[Figure]:
    curves = {
        name.en: ([RiskPoint(*point) for point in curve["points"]], _own(curve))
        for run, name in zip(systems, words.SYSTEMS, strict=False)
        if (curve := run.summary.get("risk_coverage", {}).get("all"))
    }
    if curves:
        svg = plots.curves(curves, "risk: share of them that is wrong", f"{anchor}-risk")
        yield Figure(words.RISK_FIGURE, words.RISK_NOTE, svg, len(systems) > 1)


def _own(curve: Line) -> RiskPoint | None:
    own = curve["own"]
    return None if own["risk"] is None else RiskPoint(0.0, own["coverage"], own["risk"])


def _times(systems: Sequence[Results], anchor: str) -> Iterator[Figure]:
    rows = {
        label.en: [_measured(run, name) for run in systems] for name, label in words.TIMES.items()
    }
    if any(any(row) for row in rows.values()):
        svg = plots.rugs(rows, f"{anchor}-time")
        yield Figure(words.TIME_FIGURE, words.TIME_NOTE, svg, len(systems) > 1)


def _measured(run: Results, name: str) -> list[float]:
    """Return the seconds of all answers; a first token is there only where one was written."""
    return [
        line["timings"][name]
        for line in run.answers.values()
        if line.get("timings") and not (name == "first_token_s" and line["abstained"])
    ]


def _interval(value: Mapping[str, Any] | None) -> Interval | None:
    if value is None:
        return None
    mean, low, high = value["mean"], value["low"], value["high"]
    return Interval(mean, mean, mean) if low is None else Interval(mean, low, high)
