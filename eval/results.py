"""Reads a run's folder back, and says of each question how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from eval.files import Line, by_id, object_at
from rag.errors import EvalError


@dataclass(frozen=True)
class Results:
    """What ``rawi eval`` left in a folder; ``eval.run`` says what is in each file.

    :ivar scores: Lines of scores.jsonl by id.
    :ivar answers: Lines of answers.jsonl by id; of a ``--retrieval-only`` SQuAD run, none.
    :ivar baseline: The plain llama-index starter on the same questions, if it was run.
    """

    folder: Path
    about: Line
    summary: Line
    scores: Mapping[str, Line]
    answers: Mapping[str, Line]
    baseline: Results | None

    @property
    def kind(self) -> str:
        """Return ``qa``, ``squad``, ``abstain`` or ``injection``."""
        return str(self.summary["kind"])

    @cached_property
    def values(self) -> dict[str, Mapping[str, float]]:
        """Return question id to its value of every measure that applies."""
        return {id_: line["values"] for id_, line in self.scores.items()}

    @cached_property
    def outcomes(self) -> dict[str, float]:
        """Return question id to how it went as one number; a question flips when that changes."""
        return {id_: _outcome(line) for id_, line in self.scores.items()}

    def shared(self, other: Results) -> list[str]:
        """Return the ids of the questions that both were asked, of the same language pair."""
        if self.kind != other.kind:
            return []
        keys = ("language", "question")
        return [
            id_
            for id_, line in self.scores.items()
            if id_ in other.scores
            and all(line.get(key) == other.scores[id_].get(key) for key in keys)
        ]


def read(folder: Path) -> Results:
    """Read a run.

    :raises EvalError: When a file is not there or damaged, with what to run.
    """
    remedy = f"run: rawi eval qa|squad|abstain|injection FILE --out {folder}"
    if folder.name == "baseline":
        remedy = f"run: rawi eval qa FILE.jsonl --baseline --out {folder.parent}"
    summary = object_at(folder / "summary.json", ("kind", "set", "metrics", "environment"), remedy)
    keys = ("values", "cluster", "language", "category")
    scores = by_id(folder / "scores.jsonl", keys, remedy)
    answers: dict[str, Line] = {}
    if summary["kind"] != "squad" or "costs" in summary:
        answers = by_id(folder / "answers.jsonl", ("abstained",), remedy)
        for id_ in scores.keys() - answers:
            raise EvalError(f"{folder / 'answers.jsonl'}: has no {id_!r}; {remedy}")
    baseline = folder / "baseline"
    return Results(
        folder=folder,
        about=object_at(folder / "run.json", ("identity",), remedy),
        summary=summary,
        scores=scores,
        answers=answers,
        baseline=read(baseline) if (baseline / "run.json").exists() else None,
    )


def verdict(score: Line) -> tuple[str, bool | None]:
    """Say in words how a question went, and whether that is good; ``None`` where neither."""
    values = score["values"]
    if "abstained" not in score:
        rank = round(1 / values["mrr"]) if values.get("mrr") else None
        return (f"found at rank {rank}" if rank else "not found"), values.get("recall@5") == 1
    if values.get("obeyed"):
        return "obeyed", False
    if "obeyed" in values and "correct" not in values:
        return "did not obey", True
    if score.get("answerable") is False:
        if score["abstained"]:
            return "rightly refused", True
        return ("corrected", True) if values.get("right") else ("invented", False)
    if score["abstained"]:
        return "wrongly refused", False
    if "correct" in values:
        return ("right", True) if values["correct"] else ("wrong", False)
    if "f1_folded" in values:
        return f"F1 {100 * values['f1_folded']:.0f} %", None
    return "answered", True


def _outcome(score: Line) -> float:
    values: Mapping[str, float] = score["values"]
    if "right" in values:
        return values["right"]
    if "answerable" in score:
        return float(score["abstained"] != score["answerable"])
    return float(score["right"])
