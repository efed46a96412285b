"""Train what tells kinds of messages apart: ``python -m eval.training.train_messages --help``.

A multinomial logistic regression over what a message looks like (``rag/wording.py``), on
``messages.jsonl``, the questions of ``answers`` and the follow-ups of
``followups.jsonl``. What is printed is measured on messages that were held out, a fifth at
a time; those made of one form ("summarise …") are held out together. The threshold is the least
with which at most one held-out question in two hundred is taken for anything else. A minute or two
on one core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from eval.training.written_passages import rows
from rag import config, messages, wording
from rag.embedding import BUILT_IN_MODEL, Embedder, Vectors, load_embedder
from rag.language import LANGUAGES
from rag.messages import KINDS, Kind
from rag.wording import Linear

TRAINING = Path(__file__).parent
MOST_LOST = 1 / 200  # of held-out questions
LEAST_THRESHOLD = 0.5
_STRENGTH = 50.0  # inverse of the regularisation
_FOLDS = 5
_OF_A_PASSAGE = 3  # questions


@dataclass(frozen=True)
class Example:
    """A message with what it wants.

    :ivar form: What it was made of; itself, if it was written as it stands.
    """

    text: str
    kind: Kind
    form: str


def main(
    others: Annotated[
        list[Path], typer.Argument(help="Question sets to try it on; nothing is learned from them.")
    ] = [],  # noqa: B006 - typer's way
    out: Annotated[Path, typer.Option(help="The file of weights.")] = messages.BUILT_IN,
) -> None:
    """Train for the embedder of config.yaml."""
    embedder = load_embedder(config.load(), model=BUILT_IN_MODEL)
    examples = [*read_messages(), *read_questions(), *read_second_turns()]
    looks = _rows(embedder, [example.text for example in examples])
    wanted = np.array([KINDS.index(example.kind) for example in examples])
    held_out = _held_out(looks, wanted, [example.form for example in examples])
    threshold = _threshold(1 - held_out[wanted == 0, 0])
    _report(held_out, wanted, threshold)
    model = _fitted(looks, wanted)
    tensors = {
        "weight": np.ascontiguousarray(model.coef_, np.float16),  # a file knows no other order
        "bias": (model.intercept_ + _shift(threshold)).astype(np.float32),
    }
    save_file(tensors, out)
    trained = Linear.load(embedder, out, len(KINDS))
    for path in others:
        asked = [row["question"] for row in rows(path)]
        lost = [text for text in asked if messages.kind(text, trained) != "question"]
        typer.echo(f"{path}: {len(lost)} of {len(asked)} questions taken for something else")
        for text in lost:
            typer.echo(f"  {messages.kind(text, trained)}: {text}")


def read_messages() -> list[Example]:
    """Return the written messages."""
    given = rows(TRAINING / "messages.jsonl")
    return [Example(m["text"], m["kind"], m.get("form") or m["text"]) for m in given]


def read_questions() -> list[Example]:
    """Return questions about written passages, in both languages; a passage's go together."""
    found = []
    for passage in rows(*sorted((TRAINING / "answers").glob("*.jsonl"))):
        for question in passage["questions"][:_OF_A_PASSAGE]:
            found += [Example(question[x], "question", passage["id"]) for x in LANGUAGES]
    return found


def read_second_turns() -> list[Example]:
    """Return the second turns of written conversations that stand in no other file."""
    turns = rows(TRAINING / "followups.jsonl")
    texts = {turn["question"] for turn in turns if turn["kind"] == "follow-up"}
    return [Example(text, "question", text) for text in sorted(texts)]


def _rows(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    # One by one, as in use: padding moves vectors by a little in bfloat16.
    return np.stack([wording.features(text, embedder.embed_query(text)) for text in texts])


def _fitted(looks: Vectors, wanted: npt.NDArray[np.int64]) -> Any:
    return LogisticRegression(C=_STRENGTH, max_iter=500).fit(looks, wanted)


def _held_out(looks: Vectors, wanted: npt.NDArray[np.int64], forms: Sequence[str]) -> Vectors:
    """Return the probabilities of each message by a model that saw none of its form."""
    found: Vectors = np.zeros((len(looks), len(KINDS)), np.float32)
    folds = GroupKFold(_FOLDS, shuffle=True, random_state=0)
    for seen, unseen in folds.split(looks, wanted, forms):
        found[unseen] = _fitted(looks[seen], wanted[seen]).predict_proba(looks[unseen])
    return found


def _threshold(others: Vectors) -> float:
    """Return the least threshold that loses few enough questions.

    :param others: Of held-out questions the probabilities of being anything else.
    """
    worst = np.sort(others)[::-1]
    return max(LEAST_THRESHOLD, float(worst[int(len(worst) * MOST_LOST)]) + 1e-4)


def _shift(threshold: float) -> Vectors:
    """Return what is added to logits so that a threshold of probability becomes one of a half."""
    shift: Vectors = np.zeros(len(KINDS), np.float32)
    shift[KINDS.index("question")] = np.log(threshold / (1 - threshold))
    return shift


def _report(held_out: Vectors, wanted: npt.NDArray[np.int64], threshold: float) -> None:
    logits = np.log(held_out) + _shift(threshold)
    given = np.array([KINDS.index(messages.decided(row)) for row in logits])
    typer.echo(f"threshold {threshold:.3f}; held out:")
    for number, kind in enumerate(KINDS):
        right = np.sum((given == number) & (wanted == number))
        precision = right / max(1, np.sum(given == number))
        recall = right / max(1, np.sum(wanted == number))
        count = np.sum(wanted == number)
        typer.echo(f"{kind:>10}: precision {precision:.3f}, recall {recall:.3f} of {count}")


if __name__ == "__main__":
    typer.run(main)
