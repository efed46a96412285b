"""Train what tells follow-ups apart: ``python -m eval.training.train_followups --help``.

A logistic regression over ``rag.wording.features``, on the second turns of
``followups.jsonl``: those that lean on a first question about a passage of
``answers``, and those that were written to stand alone, about the same passage or another; on those
of ``files/followups.jsonl``, which lean on a question about a file, beside the same question as it
is asked alone; and on the questions of ``messages.jsonl``, which stand alone. What is printed is
measured on thirds of the passages, files and forms, held out in turn, without the turns that
another third has word for word.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

from eval.training.train_messages import TRAINING
from eval.training.written_passages import follow_ups, rows
from rag import config, followups, wording
from rag.embedding import BUILT_IN_MODEL, load_embedder
from rag.language import LANGUAGES, Language, detect

_STRENGTH = 5.0  # inverse of the regularisation
_FOLDS = 3
_LEANING = ("follow-up", "file, follow-up")
_ALONE = ("new", "same", "file, alone", "message")


@dataclass(frozen=True)
class SecondTurn:
    """What is asked after a question and its answer.

    :ivar about: The passage or file that they are about, or the form that it was made of.
    """

    question: str
    language: Language
    kind: str
    about: str

    @property
    def leans(self) -> bool:
        """Whether it is to be read with what came before."""
        return self.kind in _LEANING


def main(
    out: Annotated[Path, typer.Option(help="The file of weights.")] = followups.BUILT_IN,
) -> None:
    """Train for the embedder of config.yaml."""
    turns = list(_turns())
    embedder = load_embedder(config.load(), model=BUILT_IN_MODEL)
    questions = [turn.question for turn in turns]
    vectors = embedder.embed_queries(questions)
    looks = np.stack([wording.features(*pair) for pair in zip(questions, vectors, strict=True)])
    _report(turns, looks)
    model = _fitted(looks, [turn.leans for turn in turns])
    weight = np.ascontiguousarray(model.coef_, np.float16)
    save_file({"weight": weight, "bias": model.intercept_.astype(np.float32)}, out)


def _turns() -> Iterator[SecondTurn]:
    for row in rows(TRAINING / "followups.jsonl"):
        yield SecondTurn(row["question"], row["language"], row["kind"], row["first"]["passage"])
    for turn in follow_ups(TRAINING / "files"):
        for language in LANGUAGES:
            leaning, alone = turn.question[language], turn.then["question"][language]
            yield SecondTurn(leaning, language, "file, follow-up", turn.then["doc"])
            yield SecondTurn(alone, language, "file, alone", turn.then["doc"])
    for row in rows(TRAINING / "messages.jsonl"):
        if row["kind"] == "question":
            form = row.get("form") or row["text"]
            yield SecondTurn(row["text"], detect(row["text"]), "message", form)


def _fitted(looks: Any, wanted: Any) -> Any:
    return LogisticRegression(C=_STRENGTH, max_iter=1000, class_weight="balanced").fit(
        looks, wanted
    )


def _report(turns: Sequence[SecondTurn], looks: Any) -> None:
    folds = np.array([zlib.crc32(turn.about.encode()) % _FOLDS for turn in turns])
    texts, wanted = (np.array([getattr(t, name) for t in turns]) for name in ("question", "leans"))
    leans, tried = np.zeros(len(turns), bool), np.ones(len(turns), bool)
    for fold in range(_FOLDS):
        seen, unseen = folds != fold, folds == fold
        leans[unseen] = _fitted(looks[seen], wanted[seen]).predict(looks[unseen])
        tried[unseen] = ~np.isin(texts[unseen], texts[seen])
    typer.echo("held out: read with what came before")
    for kind in (*_LEANING, *_ALONE):
        for language in LANGUAGES:
            of = [turn.kind == kind and turn.language == language for turn in turns]
            some = np.array(of) & tried
            typer.echo(f"{kind:>15} {language}, {some.sum():4}: {leans[some].mean():.3f}")


if __name__ == "__main__":
    typer.run(main)
