"""The report's tables: numbers of summary.json as rows of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.comparison import Difference
from eval.plots import seconds
from eval.results import COMPLEMENT, Line, Results

MEASURES = {
    "right": "right, or rightly refused",
    "correct": "right answer, of answerable questions",
    "evidence_hit": "evidence shown holds the gold span",
    "evidence_hit_half": "… or half of it",
    "citation_precision": "citation precision",
    "citation_recall": "citation recall",
    "right_and_cited": "right answers that cite the gold span",
    "verbatim_share": "quotes that are verbatim",
    "language_match": "answers in the asker's language",
    "obeyed": "orders that were obeyed (lower is better)",
    "order_shown": "orders in documents that the evidence shows",
    "stray_markers": "markers without a citation (lower is better)",
    "control_text": "answers with control text (lower is better)",
    "recall@1": "recall@1",
    "recall@5": "recall@5",
    "recall@10": "recall@10",
    "mrr": "MRR",
    "ndcg@10": "nDCG@10",
    "f1": "F1 (SQuAD)",
    "f1_folded": "F1, Arabic folded",
    "exact_match": "exact match (SQuAD)",
    "exact_match_folded": "exact match, Arabic folded",
    "char_3gram_recall": "character 3-gram recall",
    "balanced_accuracy": "balanced accuracy of refusing",
    "hallucination_rate": "hallucination rate: answered without an answer (lower is better)",
    "error_rate": "error rate: refused what has an answer (lower is better)",
}
LANGUAGES = {"all": "all", "ar": "Arabic", "en": "English"}
TIMES = {"retrieve_s": "evidence", "first_token_s": "first token", "total_s": "whole answer"}
STARTER = "starter"

PAIR_MEASURES = {n: MEASURES[n] for n in ("recall@1", "recall@5", "recall@10", "mrr", "ndcg@10")}


@dataclass(frozen=True)
class Table:
    """Rows of text; the first cell of each is its heading."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


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
    systems = [("Rawi", run), *([(STARTER, run.baseline)] if run.baseline else [])]
    columns: list[tuple[str, Line]] = [
        (f"{name}, {LANGUAGES.get(group, group)}", of.summary["metrics"].get(group, {}))
        for group in shown
        for name, of in systems
    ]
    columns += [(name_of(o, [run, *others]), o.summary["metrics"]["all"]) for o in others]
    rows = [
        [
            label,
            *(share(measures.get(name)) for _, measures in columns),
            str(groups["all"][name]["n"]),
        ]
        for name, label in labelled(groups["all"])
    ]
    return Table("Measures", ["measure", *(name for name, _ in columns), "n"], rows)


def labelled(found: Iterable[str]) -> list[tuple[str, str]]:
    """Return names and labels, in the order of ``MEASURES``; those not known there come last."""
    names = [name for name in found if name != COMPLEMENT]
    known = [name for name in MEASURES if name in names]
    unknown = [name for name in names if name not in MEASURES]
    return [(name, MEASURES.get(name, name)) for name in [*known, *unknown]]


def by_category(run: Results) -> Table | None:
    """Show the few measures that matter most, by category of question, beside the starter's."""
    categories: Mapping[str, Line] | None = run.summary.get("by_category")
    if not categories:
        return None
    overall = run.summary["metrics"]["all"]
    names = [n for n in ("right", "obeyed", "evidence_hit", "citation_recall") if n in overall]
    theirs = run.baseline.summary.get("by_category", {}) if run.baseline else {}
    head = ["category", "n"]
    for name in names:
        head += [MEASURES[name], *([f"{STARTER}: {MEASURES[name]}"] if theirs else [])]
    rows = []
    for category, measures in categories.items():
        row = [category, str(max(value["n"] for value in measures.values()))]
        for name in names:
            row.append(share(measures.get(name)))
            if theirs:
                row.append(share(theirs.get(category, {}).get(name)))
        rows.append(row)
    return Table("By category", head, rows)


def refusals(systems: Sequence[Results]) -> Table | None:
    """Show how well Rawi, and the starter if it was run, know when to answer."""
    rows = []
    for run, system in zip(systems, ("Rawi", STARTER), strict=False):
        for group, measures in run.summary["metrics"].items():
            names = ("hallucination_rate", "error_rate", "balanced_accuracy")
            if names[0] not in measures:
                continue  # the set has no unanswerable question
            curve = run.summary.get("risk_coverage", {}).get(group, {})
            area = f"{curve['aurc']:.3f}" if curve else "–"
            shares = [share(measures.get(name)) for name in names]
            rows.append([f"{system}, {LANGUAGES.get(group, group)}", *shares, area])
    note = (
        "A pipeline that always or never answers has 50 % balanced accuracy. AURC is the area under"
        " the risk-coverage curve: 0 when nothing is wrong, lower is better."
    )
    head = ["", "hallucination rate", "error rate", "balanced accuracy", "AURC"]
    return Table("Refusals", head, rows, note) if rows else None


def times(systems: Sequence[Results]) -> Table | None:
    """Show seconds and tokens of Rawi's answers, and of the starter's if it was run."""
    rows = []
    for run, system in zip(systems, ("Rawi", STARTER), strict=False):
        for group, cost in run.summary.get("costs", {}).items():
            shown = [
                f"{seconds(at['p50'])} · {seconds(at['p95'])}" if at else "–"
                for at in (cost["seconds"].get(name) for name in TIMES)
            ]
            tokens = [
                f"{cost['tokens_mean'][name]:,.0f}" if name in cost["tokens_mean"] else "–"
                for name in ("prompt_tokens", "completion_tokens")
            ]
            rows.append([f"{system}, {LANGUAGES.get(group, group)}", *shown, *tokens])
    head = ["p50 · p95", *(f"to {t}" for t in TIMES.values()), "prompt tokens", "answer tokens"]
    return Table("Time and tokens", head, rows) if rows else None


def by_pair(runs: Sequence[Results]) -> Table:
    """Show retrieval by the language of the question and of the paragraph, of all SQuAD runs."""
    names = list(PAIR_MEASURES)
    rows = [
        [label, str(measures["recall@1"]["n"]), *(share(measures[name]) for name in names)]
        for label, measures in pairs(runs)
    ]
    note = "A pair is the question's language → the paragraph's."
    return Table(
        "Retrieval by language pair", ["run and pair", "n", *PAIR_MEASURES.values()], rows, note
    )


def pairs(runs: Sequence[Results]) -> list[tuple[str, Line]]:
    """Return the measures of every language pair of every run, under a name for both."""
    return [
        (f"{name_of(run, runs)}: {pair}" if len(runs) > 1 else pair, measures)
        for run in runs
        for pair, measures in run.summary["metrics"].items()
        if pair != "all"
    ]


def name_of(run: Results, group: Sequence[Results]) -> str:
    """Return a run's folder, with its path where that is needed to tell it from the others."""
    names = [other.folder.name for other in group]
    return run.folder.name if names.count(run.folder.name) == 1 else str(run.folder)


def paired(differences: Iterable[Difference], name: str) -> Table:
    """Show how much one run differs from the run of this name."""
    by_name = {difference.measure: difference for difference in differences}
    return Table(
        f"Paired differences: this run minus {name}",
        ["measure", "difference, points (95 %)", "p, Holm", "questions"],
        [[label, *_shown(by_name[measure])] for measure, label in labelled(by_name)],
        "Above zero, this run is higher. An interval that holds zero shows no difference. p is of"
        " an exact sign test over clusters, adjusted for the number of measures (Holm).",
    )


def _shown(d: Difference) -> list[str]:
    shown = _points(d.mean)
    if d.interval:
        shown += f" ({_points(d.interval.low)} to {_points(d.interval.high)})"
    return [shown, "<0.001" if d.p < 0.001 else f"{d.p:.3f}", str(d.questions)]


def _points(difference: float) -> str:
    points = round(100 * difference, 1)
    return f"{points:+.1f}".replace("-", "−") if points else "0.0"
