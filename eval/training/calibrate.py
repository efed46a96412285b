"""Fit the constants that the reader is used with: ``python -m eval.training.calibrate --help``.

Asks the questions of the set to tune on, those of abstention sets and those of a pair of SQuAD
files, once each and without an LLM, and prints for every reader file: the most likely ``SCALE`` of
``rag/reader.py``, the shares of gold among the first sentences, how well what has no answer is told
apart, the rates of refusing by threshold (``retrieval.min_probability``), and what a second quoted
sentence is worth (``rag/drafting.py``). The same goes to calibration.json; the risk-coverage curves
of that set go to risk-coverage.svg.

The constants are fitted to that set alone; the others show how well they hold elsewhere.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from eval import plots
from eval.metrics import RiskPoint
from eval.results import read as results_of
from eval.training import calibration, readings
from eval.training.readings import Bare, Case
from rag import config, index, models
from rag.embedding import Embedder
from rag.reader import BUILT_IN, SCALE, Scale

TUNING = Path(__file__).parents[1] / "tuning"
# As the report's page defines them; a file of its own has to bring them along.
_STYLE = (
    "<style>svg{--rawi:#0b6e4f;--starter:#b4541a;--ink:#222;--rule:#ccc;background:#fff;"
    "font-family:sans-serif}</style>"
)
_SHOWN_THRESHOLDS = ("0.15", "0.25", "0.35", "0.5")
_console = Console(highlight=False)

Sets = Mapping[str, Sequence[Case]]


def main(
    out: Annotated[Path, typer.Option(help="Folder of the two files; made if it isn't there.")],
    questions: Annotated[Path, typer.Option(help="A question set.")] = TUNING / "questions.jsonl",
    documents: Annotated[Path, typer.Option(help="That it is about.")] = TUNING / "corpus",
    abstention: Annotated[list[Path] | None, typer.Option(help="Sets with their passages.")] = None,
    pair: Annotated[
        tuple[Path, Path] | None, typer.Option(help="A SQuAD file, and the same in Arabic/English.")
    ] = None,
    reader: Annotated[list[Path] | None, typer.Option(help="Reader files to compare.")] = None,
    fixed: Annotated[bool, typer.Option(help="Measure with the constants as they are.")] = False,
    indexes: Annotated[Path | None, typer.Option(help="Of the sets' indexes; OUT if none.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="A run of rawi eval qa: its curve, the LLM's word included.")
    ] = None,
) -> None:
    """Fit and measure reader files."""
    out.mkdir(parents=True, exist_ok=True)
    settings = config.load(
        corpus=documents, storage=(indexes or out) / f"questions-{questions.parent.name}"
    )
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    embedder = Embedder.load(settings.embedding, weights)
    index.update(settings, embedder)
    results: dict[str, Any] = {}
    curves: dict[str, tuple[Sequence[RiskPoint], RiskPoint | None]] = {}
    for number, path in enumerate(reader or [BUILT_IN], start=1):
        bare = Bare.load(embedder, path)
        home = indexes or out
        own = readings.of_questions(questions, settings, embedder, bare)
        sets = {questions.stem: own}
        for file in abstention or []:
            sets[file.stem] = readings.of_abstention(file, home, settings, embedder, bare)
        for file, other in (pair, pair[::-1]) if pair else ():
            sets[other.stem] = readings.of_pair(file, other, home, settings, embedder, bare)
        scale = SCALE if fixed else calibration.fit(own)
        name = path.name.removesuffix(".safetensors")
        results[name] = measured(sets, questions.stem, scale)
        curves[f"reader {number}"] = (calibration.risk_coverage(own, scale), None)
        show(name, results[name])
    if run is not None:
        curve = results_of(run).summary["risk_coverage"]["all"]["points"]
        points = [[round(value, 4) for value in point] for point in curve]
        curves["with the LLM's word"] = ([RiskPoint(*point) for point in points], None)
        results["with the LLM's word"] = {"risk_coverage": points}
    text = json.dumps(results, ensure_ascii=False, indent=1)
    (out / "calibration.json").write_text(text + "\n", encoding="utf-8")
    (out / "risk-coverage.svg").write_text(standalone(curves), encoding="utf-8")


def measured(sets: Sets, own: str, scale: Scale) -> dict[str, Any]:
    """Return what ``show`` prints, of one reader.

    :param own: The name of the set whose gold spans are known.
    """
    by_language = calibration.grouped(sets[own], lambda case: str(case.language))
    known = (case for case in sets[own] if case.gold)
    by_direction = calibration.grouped(known, lambda case: case.direction)
    others = {name: cases for name, cases in sets.items() if name != own}
    by_pair = calibration.grouped(
        (case for cases in others.values() for case in cases if case.gold),
        lambda case: case.category,
    )
    refusing = {
        name: cases for name, cases in sets.items() if not all(case.answerable for case in cases)
    }
    return {
        "scale": {k: round(v, 3) for k, v in dataclasses.asdict(scale).items()},
        "likelihood": {n: calibration.likelihood(cases, scale) for n, cases in sets.items()},
        "hits": {
            n: calibration.hits(cases, scale) for n, cases in {**by_direction, **by_pair}.items()
        },
        "auc": {
            n: calibration.aucs(cases, scale)
            for n, cases in {**by_language, **others}.items()
            if n in by_language or n in refusing
        },
        "threshold": calibration.best_threshold(list(refusing.values()), scale),
        "at_threshold": {
            n: {
                str(t): calibration.balanced(cases, scale, t)._asdict()
                for t in calibration.THRESHOLDS
            }
            for n, cases in refusing.items()
        },
        "second": calibration.seconds(sets[own], scale),
        "risk_coverage": [
            [round(value, 4) for value in point]
            for point in calibration.risk_coverage(sets[own], scale)
        ],
    }


def show(name: str, result: Mapping[str, Any]) -> None:
    """Print the figures of one reader."""
    scale = ", ".join(f"{key}={value:.3g}" for key, value in result["scale"].items())
    _console.print(f"\n[bold]{name}[/bold]: Scale({scale}), threshold {result['threshold']}")
    _table("gold among the first k", result["hits"])
    _table("AUC, answerable against", result["auc"])
    rows = {
        f"{name} at {t}": rates
        for name, by_threshold in result["at_threshold"].items()
        for t, rates in by_threshold.items()
        if t in _SHOWN_THRESHOLDS or t == str(result["threshold"])
    }
    _table("refusing", rows)
    _table("a second sentence", {str(row["ratio"]): row for row in result["second"]})


def standalone(curves: Mapping[str, tuple[Sequence[RiskPoint], RiskPoint | None]]) -> str:
    """Return the report's plot as a file that can be opened alone."""
    svg = plots.curves(curves, "risk: share of them that is wrong", "risk")
    head, rest = svg.split(">", 1)
    return head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"') + f">{_STYLE}{rest}\n"


def _table(title: str, rows: Mapping[str, Mapping[str, float | None]]) -> None:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    table = Table(title, *columns)
    for label, row in rows.items():
        table.add_row(label, *("" if row.get(c) is None else f"{row[c]:.3f}" for c in columns))
    _console.print(table)


if __name__ == "__main__":
    typer.run(main)
