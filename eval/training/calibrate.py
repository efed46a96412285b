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

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval import corpus, figures, run_qa
from eval.figures import Curve
from eval.metrics import DocSpan, RiskPoint
from eval.results import read as results_of
from eval.sets import Question, read_set
from eval.training import calibration
from eval.training.calibration import Case
from eval.training.tuning_sets import SETS, Sets, indexed
from rag import config, conversation, current, followups
from rag.config import Settings
from rag.embedding import Embedder, PassageInput, load_embedder
from rag.language import clean
from rag.reader import BUILT_IN, SCALE, Reader, Scale, built_in
from rag.retrieval import Found, Retriever

# As the report's page defines them; a file of its own has to bring them along.
_STYLE = (
    "<style>svg{--rawi:#0b6e4f;--starter:#b4541a;--ink:#222;--rule:#ccc;background:#fff;"
    "font-family:sans-serif}</style>"
)
_ALL = 10_000  # sentences: more than any ten passages hold
_SHOWN_THRESHOLDS = ("0.15", "0.25", "0.35", "0.5")
_console = Console(highlight=False)


def main(
    out: Annotated[Path, typer.Option(help="Folder of the two files, and of indexes.")],
    sets: Sets = SETS,
    reader: Annotated[list[Path] | None, typer.Option(help="Reader files to compare.")] = None,
    fixed: Annotated[bool, typer.Option(help="Measure with the constants as they are.")] = False,
    run: Annotated[
        Path | None, typer.Option(help="A run of rawi eval qa: its curve, the LLM's word included.")
    ] = None,
) -> None:
    """Fit and measure reader files."""
    embedder = load_embedder(config.load())
    placed = {folder: indexed(folder, out / "index", embedder) for folder in sets}
    results: dict[str, Any] = {}
    curves: dict[str, Curve] = {}
    for number, path in enumerate(reader or [BUILT_IN], start=1):
        bare = Bare.load(embedder, path)
        cases = {
            folder.name: read_cases(folder / "questions.jsonl", settings, embedder, bare)
            for folder, settings in placed.items()
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


class Bare(Reader):
    """A reader whose "probabilities" are its bare logits."""

    adds_up = False

    def judged(
        self, question: str, passages: Sequence[PassageInput], scores: Sequence[Sequence[float]]
    ) -> list[list[float]]:
        """Return the logits as they are."""
        return [row.tolist() for row in self.read(question, passages)]


def read_cases(path: Path, settings: Settings, embedder: Embedder, reader: Reader) -> list[Case]:
    """Return what reader and retrieval each make of every sentence that is found for a question.

    Found as in use, by the same ``Retriever`` with the settings given; no LLM is asked.

    :param reader: A ``Bare`` one.
    :raises EvalError: When the set can't be used with this index.
    :raises IndexStorageError: When there is no index.
    """
    questions = read_set(path, Question)
    everything = settings.retrieval.model_copy(update={"evidence_sentences": _ALL})
    own = built_in(settings, embedder, reader)
    follows = None if own is None else followups.load(own)
    cases = list[Case]()
    with current.open_current(settings, embedder.fingerprint) as store:
        texts = corpus.texts_of(store)
        languages = dict(store.db.execute("SELECT id, language FROM documents"))
        by_scores = Retriever(store, embedder, everything)
        by_reader = Retriever(store, embedder, everything, reader=reader)
        for q in track(questions, path.name):
            gold = run_qa.locate(q, texts, path) if q.answerable else []
            turns = settings.question.history_turns
            what = conversation.resolve(clean(q.question).strip(), q.context_turns, turns)
            what = followups.decided(what, follows)
            found = by_scores.evidence(what.question, what.context)
            read = by_reader.evidence(what.question, what.context, read_as=what.read(what.question))
            logits = {_span(sentence): sentence.score for sentence in read}
            cases.append(
                Case(
                    language=q.language,
                    category=q.category,
                    logits=np.array([logits[_span(s)] for s in found], dtype=np.float32),
                    scores=np.array([s.score for s in found], dtype=np.float64),
                    spans=tuple(_span(s) for s in found),
                    gold=tuple(gold),
                    source=languages[gold[0][0]] if gold else None,
                )
            )
    return cases


def _span(found: Found) -> DocSpan:
    return found.doc, found.start, found.end


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
