"""Train what tells follow-ups apart: ``python -m eval.train_followups --help``.

A logistic regression over ``rag.followups.features``, on the second turns of
``training/followups.jsonl`` after a first question about a passage of ``training/answers`` and its
answer. The passages are indexed, each a document, and every second turn is searched for and read
with what came before and without, as in use: half an hour on one core, kept in ``--cache``.

A follow-up is to be read with what came before, a question about another passage alone. A question
about the same passage that was written to stand alone counts as what finds its sentence, and not at
all where both or neither do. What is printed is measured on thirds of the passages, held out in
turn, without the turns that another third has word for word.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.progress import track
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

from eval.train_messages import TRAINING
from rag import config, conversation, followups, index, models
from rag.conversation import Turn
from rag.embedding import BUILT_IN_MODEL, Embedder
from rag.engine import open_retriever
from rag.language import clean
from rag.retrieval import Found, Retriever

_STRENGTH = 5.0  # inverse of the regularisation
_FOLDS = 3

Passages = Mapping[str, Any]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Second:
    """A second turn of a conversation.

    :ivar kind: "follow-up", "new", about another passage than the first, or "same".
    :ivar first: The passage of the first turn, and which of its questions that was.
    :ivar passage: That holds the answer, in the sentences with the numbers ``uses``, from 1.
    """

    id: str
    kind: str
    first: tuple[str, int]
    language: str
    question: str
    passage: str
    uses: tuple[int, ...]


def main(
    cache: Annotated[Path | None, typer.Option(help="Where what was found is kept.")] = None,
    out: Annotated[Path, typer.Option(help="The file of weights.")] = followups.BUILT_IN,
) -> None:
    """Train for the embedder and the reader of config.yaml."""
    turns = read_turns()
    if cache is None or not cache.is_file():
        found = _found(turns, read_passages())
        if cache is not None:
            save_file(found, cache, metadata={})
    else:
        found = load_file(cache)
    turns = [turns[n] for n in found["turn"]]
    rows = found["rows"].astype(np.float64)
    alone, together = found["alone"].astype(bool), found["together"].astype(bool)
    wanted, counts = _wanted(turns, alone, together)
    _report(turns, rows, wanted, counts, alone, together)
    model = _fitted(rows[counts], wanted[counts])
    weight, bias = model.coef_[0].astype(np.float16), model.intercept_.astype(np.float16)
    save_file({"weight": weight, "bias": bias}, out)


def read_turns() -> list[Second]:
    """Return the written second turns."""
    lines = (TRAINING / "followups.jsonl").read_text("utf-8").splitlines()
    return [
        Second(
            turn["id"],
            turn["kind"],
            (turn["first"]["passage"], turn["first"]["question"]),
            turn["language"],
            turn["question"],
            turn["passage"],
            tuple(turn["uses"]),
        )
        for turn in map(json.loads, lines)
    ]


def read_passages() -> dict[str, Any]:
    """Return the written passages by their ids."""
    lines = [
        line
        for path in sorted((TRAINING / "answers").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    return {passage["id"]: passage for passage in map(json.loads, lines)}


def _found(turns: Sequence[Second], passages: Passages) -> dict[str, npt.NDArray[Any]]:
    """Return for each turn its features, and which reading finds its sentence first."""
    rows, alone, together = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        corpus, storage = Path(folder, "corpus"), Path(folder, "storage")
        corpus.mkdir()
        for name in {turn.first[0] for turn in turns} | {turn.passage for turn in turns}:
            passage = passages[name]
            text = "\n".join([passage["title"], "", *passage["sentences"], ""])
            (corpus / f"{name}.txt").write_text(text, "utf-8")
        settings = config.load(corpus=corpus, storage=storage)
        weights = models.resolve(BUILT_IN_MODEL, kind="embedder", settings=settings.models)
        embedder = Embedder.load(settings.embedding, weights)
        index.update(settings, embedder)
        with open_retriever(settings, embedder) as retriever:
            for turn in track(turns, "reading"):
                row, *right = _read(turn, passages, retriever)
                rows.append(row)
                alone.append(right[0])
                together.append(right[1])
    return {
        "rows": np.stack(rows),
        "alone": np.array(alone, np.uint8),
        "together": np.array(together, np.uint8),
        "turn": np.arange(len(turns)),
    }


def _read(turn: Second, passages: Passages, retriever: Retriever) -> tuple[Any, bool, bool]:
    name, number = turn.first
    passage = passages[name]
    question = passage["questions"][number]
    said = question["answer"][turn.language][0]
    if passage["language"] == turn.language:  # it is quoted
        said = " ".join(passage["sentences"][n - 1] for n in question["uses"])
    history = [Turn("user", question[turn.language]), Turn("assistant", f"{said} [1]")]
    asked = conversation.resolve(turn.question, history, len(history))
    alone = retriever.evidence(asked.question)
    together = retriever.evidence(asked.question, asked.context, read_as=asked.standalone)
    embed = retriever.embedder.embed_query
    row = followups.features(asked, embed(asked.question), embed(asked.previous), alone, together)
    gold = [clean(passages[turn.passage]["sentences"][n - 1]) for n in turn.uses]
    return row, _is_first(gold, turn.passage, alone), _is_first(gold, turn.passage, together)


def _is_first(gold: Sequence[str], passage: str, evidence: Sequence[Found]) -> bool:
    if not evidence or evidence[0].doc != f"{passage}.txt":
        return False
    return any(evidence[0].text in text or text in evidence[0].text for text in gold)


def _wanted(turns: Sequence[Second], alone: Flags, together: Flags) -> tuple[Flags, Flags]:
    """Return which turns are to be read with what came before, and which of them count."""
    kinds = np.array([turn.kind for turn in turns])
    same = kinds == "same"
    return np.where(same, together, kinds == "follow-up"), ~same | (alone != together)


def _fitted(rows: Floats, wanted: Flags) -> Any:
    return LogisticRegression(C=_STRENGTH, max_iter=1000, class_weight="balanced").fit(rows, wanted)


def _report(
    turns: Sequence[Second],
    rows: Floats,
    wanted: Flags,
    counts: Flags,
    alone: Flags,
    together: Flags,
) -> None:
    folds = np.array([zlib.crc32(turn.first[0].encode()) % _FOLDS for turn in turns])
    texts = np.array([turn.question for turn in turns])
    leans, tried = np.zeros(len(turns), bool), np.ones(len(turns), bool)
    for fold in range(_FOLDS):
        seen, unseen = counts & (folds != fold), folds == fold
        leans[unseen] = _fitted(rows[seen], wanted[seen]).predict(rows[unseen])
        tried[unseen] = ~np.isin(texts[unseen], texts[seen])
    finds = np.where(leans, together, alone)
    typer.echo("held out: read with what came before; finds its sentence: as read, alone, with it")
    for kind in ("follow-up", "new", "same"):
        for language in ("ar", "en"):
            of = [turn.kind == kind and turn.language == language for turn in turns]
            some = np.array(of) & tried
            shares = [float(x[some].mean()) for x in (leans, finds, alone, together)]
            typer.echo(
                f"{kind:>9} {language}, {some.sum():3}: " + " ".join(f"{x:.3f}" for x in shares)
            )


if __name__ == "__main__":
    typer.run(main)
