"""The report's tables: numbers of summary.json as rows of text, headed in both languages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval import words
from eval.files import Line
from eval.results import Results
from eval.statistics import Estimate
from eval.words import MEASURES, RAWI, STARTER, SYSTEMS, TIMES, Words
from rag.phrase import Phrase


@dataclass(frozen=True)
class Table:
    """Rows of text; the first cell of each is its heading."""

    caption: Phrase
    head: Sequence[Words]
    rows: Sequence[Sequence[Words]]
    note: Phrase | None = None


def share(value: Mapping[str, Any] | None) -> str:
    """Write a measure in percent with its interval: ``78.3 (72.0–84.1)``."""
    if value is None:
        return "–"
    mean = f"{100 * value['mean']:.1f}"
    if value["low"] is None:
        return mean
    return f"{mean} ({100 * value['low']:.1f}–{100 * value['high']:.1f})"


def headline(run: Results, others: Sequence[Results]) -> Table:
    """Show every measure by language beside the starter's, and overall beside other runs'."""
    groups: Mapping[str, Line] = run.summary["metrics"]
    shown = [group for group in groups if group == "all" or len(groups) > 2]
    systems = [(RAWI, run), *([(STARTER, run.baseline)] if run.baseline else [])]
    columns: list[tuple[Words, Line]] = [
        (words.joined(name, words.of_group(group)), of.summary["metrics"].get(group, {}))
        for group in shown
        for name, of in systems
    ]
    columns += [(name_of(o, [run, *others]), o.summary["metrics"]["all"]) for o in others]
    rows: list[Sequence[Words]] = [
        (
            label,
            *(share(measures.get(name)) for _, measures in columns),
            str(groups["all"][name]["n"]),
        )
        for name, label in labelled(groups["all"])
    ]
    head = [words.MEASURE, *(name for name, _ in columns), words.COUNT]
    return Table(words.MEASURES_CAPTION, head, rows)


def labelled(found: Collection[str]) -> list[tuple[str, Words]]:
    """Return names and labels, in the order of ``MEASURES``; those not known there come last."""
    ordered = dict.fromkeys([*(name for name in MEASURES if name in found), *found])
    return [(name, MEASURES.get(name, name)) for name in ordered]


# What a summary groups by → the table's caption, its first heading, its measures and its note.
GROUPED: dict[str, tuple[Phrase, Phrase, tuple[str, ...], Phrase | None]] = {
    "by_direction": (
        words.BY_DIRECTION,
        words.DIRECTION,
        ("right", "right_in_its_words", "incomplete", "wrong", "error_rate", "evidence_hit"),
        words.BY_DIRECTION_NOTE,
    ),
    "by_category": (
        words.BY_CATEGORY,
        words.CATEGORY,
        ("right", "obeyed", "evidence_hit", "citation_recall"),
        None,
    ),
}


def grouped(run: Results, by: str) -> Table | None:
    """Show the measures that matter most by what ``GROUPED`` names, beside the starter's."""
    groups: Mapping[str, Line] | None = run.summary.get(by)
    if not groups:
        return None
    caption, first, measures, note = GROUPED[by]
    names = [name for name in measures if name in run.summary["metrics"]["all"]]
    theirs = run.baseline.summary.get(by, {}) if run.baseline else {}
    head: list[Words] = [first, words.COUNT]
    for name in names:
        head.append(MEASURES[name])
        if theirs:
            head.append(words.joined(STARTER, MEASURES[name], by=Phrase(": ", ": ")))
    rows: list[Sequence[Words]] = []
    for group, found in groups.items():
        row = [str(max(value["n"] for value in found.values()))]
        for name in names:
            row.append(share(found.get(name)))
            if theirs:
                row.append(share(theirs.get(group, {}).get(name)))
        rows.append((words.of_group(group), *row))
    return Table(caption, head, rows, note)


def times(systems: Sequence[Results]) -> Table | None:
    """Show seconds and tokens of Rawi's answers, and of the starter's if it was run."""
    rows: list[Sequence[Words]] = []
    for run, system in zip(systems, SYSTEMS, strict=False):
        for group, cost in run.summary.get("costs", {}).items():
            shown = [
                f"{_seconds(at['p50'])} · {_seconds(at['p95'])}" if at else "–"
                for at in (cost["seconds"].get(name) for name in TIMES)
            ]
            tokens = [
                f"{cost['tokens_mean'][name]:,.0f}" if name in cost["tokens_mean"] else "–"
                for name in ("prompt_tokens", "completion_tokens")
            ]
            rows.append((words.joined(system, words.of_group(group)), *shown, *tokens))
    until = [words.joined(words.UNTIL, what, by=Phrase(" ", " ")) for what in TIMES.values()]
    head = [words.PERCENTILES, *until, words.PROMPT_TOKENS, words.ANSWER_TOKENS]
    return Table(words.TIME_AND_TOKENS, head, rows) if rows else None


def _seconds(value: float) -> str:
    """Write a time as people read it: ``45 ms``, ``0.31 s``, ``12.4 s``."""
    if value < 0.1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def name_of(run: Results, group: Sequence[Results]) -> str:
    """Return a run's folder, with its path where that is needed to tell it from the others."""
    names = [other.folder.name for other in group]
    return run.folder.name if names.count(run.folder.name) == 1 else str(run.folder)


def paired(differences: Mapping[str, Estimate], name: str) -> Table:
    """Show how much one run differs from the run of this name, by measure."""
    return Table(
        words.PAIRED.format(name=name),
        [words.MEASURE, words.DIFFERENCE, words.QUESTIONS],
        [(label, *_shown(differences[measure])) for measure, label in labelled(differences)],
        words.PAIRED_NOTE,
    )


def _shown(difference: Estimate) -> list[str]:
    shown = _points(difference.mean)
    if difference.low is not None and difference.high is not None:
        shown += f" ({_points(difference.low)} to {_points(difference.high)})"
    return [shown, str(difference.n)]


def _points(difference: float) -> str:
    points = round(100 * difference, 1)
    return f"{points:+.1f}".replace("-", "−") if points else "0.0"
