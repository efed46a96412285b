"""Fit the constants that the reader is used with: ``python -m eval.training.calibrate --help``.

Asks the questions of the sets to tune on once each and without an LLM, and prints for every reader
file: the most likely ``SCALE`` of ``rag/reader.py`` over all of them, and for each set the shares
of gold among the first sentences, how well what has no answer is told apart, the rates of refusing
by threshold (``retrieval.min_probability``), and what a second quoted sentence is worth
(``rag/drafting.py``).
The same goes to calibration.json; the risk-coverage curves go to risk-coverage.svg.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from eval import figures
from eval.figures import Curve
from eval.metrics import RiskPoint
from eval.results import read as results_of
from eval.training import calibration, readings
from eval.training.readings import Bare, Case
from rag import config, index
from rag.embedding import load_embedder
from rag.reader import BUILT_IN, SCALE, Scale

SETS = [Path(__file__).parents[1] / name for name in ("tuning", "paraphrased")]
# As the report's page defines them; a file of its own has to bring them along.
_STYLE = (
    "<style>svg{--rawi:#0b6e4f;--starter:#b4541a;--ink:#222;--rule:#ccc;background:#fff;"
    "font-family:sans-serif}</style>"
)
_SHOWN_THRESHOLDS = ("0.15", "0.25", "0.35", "0.5")
_console = Console(highlight=False)


def main(
    out: Annotated[Path, typer.Option(help="Folder of the two files; made if it isn't there.")],
    sets: Annotated[
        list[Path] | None,
        typer.Option("--set", help="A folder with questions.jsonl, about what is in its corpus/."),
    ] = None,
    reader: Annotated[list[Path] | None, typer.Option(help="Reader files to compare.")] = None,
    fixed: Annotated[bool, typer.Option(help="Measure with the constants as they are.")] = False,
    storage: Annotated[
        Path | None, typer.Option(help="Of the indexes; within OUT if none.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="A run of rawi eval qa: its curve, the LLM's word included.")
    ] = None,
) -> None:
    """Fit and measure reader files."""
    out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    curves: dict[str, Curve] = {}
    for number, path in enumerate(reader or [BUILT_IN], start=1):
        cases = {
            folder.name: read_cases(folder, (storage or out / "index") / folder.name, path)
            for folder in sets or SETS
        }
        every = list(chain.from_iterable(cases.values()))
        scale = SCALE if fixed else calibration.fit(every)
        name = path.name.removesuffix(".safetensors")
        constants = {k: round(v, 3) for k, v in dataclasses.asdict(scale).items()}
        _console.print(f"\n[bold]{name}[/bold]: {constants}")
        results[name] = {"scale": constants}
        for asked, own in cases.items():
            results[name][asked] = measured(own, scale)
            show(asked, results[name][asked])
        curves[f"reader {number}"] = (calibration.risk_coverage(every, scale), None)
    if run is not None:
        curve = results_of(run).summary["risk_coverage"]["all"]["points"]
        points = [[round(value, 4) for value in point] for point in curve]
        curves["with the LLM's word"] = ([RiskPoint(*point) for point in points], None)
        results["with the LLM's word"] = {"risk_coverage": points}
    text = json.dumps(results, ensure_ascii=False, indent=1)
    (out / "calibration.json").write_text(text + "\n", encoding="utf-8")
    (out / "risk-coverage.svg").write_text(standalone(curves), encoding="utf-8")


def read_cases(folder: Path, storage: Path, reader: Path) -> list[Case]:
    """Index a set's documents and return what a reader file makes of its questions."""
    settings = config.load(corpus=folder / "corpus", storage=storage)
    embedder = load_embedder(settings)
    index.update(settings, embedder)
    asked = folder / "questions.jsonl"
    return readings.of_questions(asked, settings, embedder, Bare.load(embedder, reader))


def measured(cases: Sequence[Case], scale: Scale) -> dict[str, Any]:
    """Return what ``show`` prints, of one reader on one set."""
    known = [case for case in cases if case.gold]
    directions = calibration.grouped(known, lambda case: f"{case.language}←{case.source}")
    languages = calibration.grouped(cases, lambda case: str(case.language))
    curve = calibration.risk_coverage(cases, scale)
    return {
        "likelihood": calibration.likelihood(cases, scale),
        "hits": {n: calibration.hits(some, scale) for n, some in directions.items()},
        "auc": {n: calibration.aucs(some, scale) for n, some in languages.items()},
        "threshold": calibration.best_threshold(cases, scale),
        "at_threshold": {
            str(t): calibration.rates(cases, scale, t) for t in calibration.THRESHOLDS
        },
        "second": calibration.seconds(cases, scale),
        "risk_coverage": [[round(value, 4) for value in point] for point in curve],
    }


def show(name: str, result: Mapping[str, Any]) -> None:
    """Print the figures of one set."""
    best = str(result["threshold"])
    rates = result["at_threshold"].items()
    _console.print(f"\n[bold]{name}[/bold]: best threshold {best}")
    _table("gold among the first k", result["hits"])
    _table("AUC, answerable against", result["auc"])
    _table("refusing", {f"at {t}": r for t, r in rates if t in {*_SHOWN_THRESHOLDS, best}})
    _table("a second sentence", {str(row["ratio"]): row for row in result["second"]})


def standalone(curves: Mapping[str, Curve]) -> str:
    """Return the report's plot as a file that can be opened alone."""
    svg = figures.curves(curves, "risk")
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
