"""What stands on the report's page, as words and plots, before it is HTML or Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval import figures, tables, words
from eval.figures import Figure
from eval.files import Line
from eval.identity import differing
from eval.results import Results, verdict
from eval.statistics import differences, flips
from eval.tables import Table, name_of

KINDS = {
    "qa": "Questions and answers",
    "squad": "Retrieval",
    "abstain": "Answer or refuse",
    "injection": "Orders in the text",
}

INTERVALS = (
    "Shares are in %, with 95 % intervals (in brackets) from resampling clusters of questions about"
    " the same sentence or paragraph."
)
BASELINE = "The starter is what llama-index's own quick start gives with the same weights."

MOST_LISTED = 600  # questions; the files have the rest
MOST_CHANGED = 80  # of a setting

_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{20,}\b")


@dataclass(frozen=True)
class Answer:
    """How one run answered; ``tone`` is ``good``, ``bad`` or nothing."""

    text: str
    verdict: str
    tone: str
    citations: Sequence[Line]
    evidence: Sequence[Line]


@dataclass(frozen=True)
class Asked:
    """A question with the answers of one or two runs, each under its run's name."""

    question: str
    about: str
    expected: str
    sides: Sequence[tuple[str, Answer]]


@dataclass(frozen=True)
class Comparison:
    """Two runs beside each other, and what was changed between them."""

    title: str
    changes: Sequence[str]
    table: Table
    flips: Sequence[tuple[str, Sequence[Asked]]]


@dataclass(frozen=True)
class Section:
    """One run, and those that it is compared with."""

    anchor: str
    title: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    figures: Sequence[Figure]
    comparisons: Sequence[Comparison]
    questions: Sequence[Asked]
    left_out: int


@dataclass(frozen=True)
class Page:
    """The report."""

    title: str
    lead: str
    sections: Sequence[Section]


def page(runs: Sequence[Results], most: int = MOST_LISTED) -> Page:
    """Group runs that share questions, the first of each group leading, and describe them.

    :param most: Questions listed of each.
    """
    groups: list[list[Results]] = []
    for run in runs:
        group = next((g for g in groups if g[0].shared(run)), None)
        if group:
            group.append(run)
        else:
            groups.append([run])
    environment = runs[0].summary["environment"]
    return Page(
        title=f"Rawi, evaluated on {str(environment['date'])[:10]}",
        lead=f"{INTERVALS} {BASELINE}" if any(run.baseline for run in runs) else INTERVALS,
        sections=[_section(group, f"run-{n}", most) for n, group in enumerate(groups, start=1)],
    )


def _section(group: Sequence[Results], anchor: str, most: int) -> Section:
    run, *others = group
    systems = [run, run.baseline] if run.baseline else [run]
    found = [
        tables.headline(run, others),
        *(tables.grouped(run, by) for by in tables.GROUPED),
        tables.times(systems),
    ]
    compared = [(words.STARTER.en, run.baseline)] if run.baseline else []
    compared += [(name_of(other, group), other) for other in others]
    ids = list(run.scores)
    return Section(
        anchor=anchor,
        title=f"{KINDS.get(run.kind, run.kind)}: {run.folder.name}",
        facts=_facts(run),
        tables=[table for table in found if table is not None],
        figures=figures.of_run(systems, anchor),
        comparisons=[_comparison(run, other, name) for name, other in compared],
        questions=[_asked(id_, [("", run)]) for id_ in ids[:most]],
        left_out=max(0, len(ids) - most),
    )


def _facts(run: Results) -> list[tuple[str, str]]:
    environment: Line = run.summary["environment"]
    asked: Line = run.summary["set"]
    files = " · ".join(f"{key}: {value}" for key, value in asked.items() if isinstance(value, str))
    facts = [
        ("set", f"{files} · {asked['questions']} of {asked['of']} questions"),
        ("date", environment["date"]),
        ("machine", environment["machine"]),
        ("versions", _listed({"python": environment["python"], **environment["versions"]})),
        ("models", _listed(run.about["identity"]["models"])),
        ("settings", environment["settings"]),
        ("command", environment["command"]),
    ]
    if run.summary.get("failed"):
        facts.append(("failed", f"{run.summary['failed']} questions that the LLM failed at"))
    if run.baseline:
        facts += [("starter", rule) for rule in run.baseline.summary.get("rules", [])]
    return [(name, str(value)) for name, value in facts]


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_brief(value)}" for name, value in values.items() if value)


# -------------------------------------------------------------------------------- comparisons


def _comparison(run: Results, other: Results, name: str) -> Comparison:
    ids = run.shared(other)
    clusters = {id_: run.scores[id_]["cluster"] for id_ in ids}
    found = differences(run.values, {id_: other.values[id_] for id_ in ids}, clusters)
    gained, lost = flips(run.outcomes, {id_: other.outcomes[id_] for id_ in ids})
    sides = [("this run", run), (name, other)]
    return Comparison(
        f"Compared with {name}",
        [] if other is run.baseline else _changes(run, other),
        tables.paired(found, name),
        [
            (title, [_asked(id_, sides) for id_ in ids[:MOST_LISTED]])
            for title, ids in (
                (f"Wrong in {name}, right here", gained),
                (f"Right in {name}, wrong here", lost),
            )
        ],
    )


def _changes(run: Results, other: Results) -> list[str]:
    """Name what differs in settings, weights, code and versions: before → now."""
    ours, theirs = (
        {**of.about["identity"], "versions": of.summary["environment"]["versions"]}
        for of in (run, other)
    )
    return [f"{key}: {_brief(old)} → {_brief(new)}" for key, new, old in differing(ours, theirs)]


def _brief(value: object) -> str:
    """Write a setting; of a hash, what tells it from others."""
    text = _HASH.sub(r"\1…", str(value))
    return text if len(text) <= MOST_CHANGED else text[: MOST_CHANGED - 1] + "…"


# ---------------------------------------------------------------------------------- questions


def _asked(id_: str, sides: Sequence[tuple[str, Results]]) -> Asked:
    score = sides[0][1].scores[id_]
    about = [id_, score["category"], words.english(words.of_group(score["language"]))]
    return Asked(
        question=str(score.get("question", id_)),
        about=" · ".join(part for part in about if part),
        expected=str(score.get("gold_answer", "")),
        sides=[(name, _answer(run, id_)) for name, run in sides],
    )


def _answer(run: Results, id_: str) -> Answer:
    score, line = run.scores[id_], run.answers.get(id_, {})
    words, good = verdict(score)
    return Answer(
        text=line.get("error") or line.get("answer", ""),
        verdict=words,
        tone="" if good is None else "good" if good else "bad",
        citations=line.get("citations", []),
        evidence=line.get("evidence", []),
    )
