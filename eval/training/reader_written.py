"""What was written for this project, for the reader to learn from; README.md names the files.

::

    answers/      read_written   Written   questions about invented passages, in both languages
    files/        read_files     Written   questions about files of many layouts
    plain.jsonl   read_plain     Written   questions about sentences that sound like orders
    orders.jsonl  read_orders    Order     sentences for a machine, which answer nothing
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eval.training.reader_passages import joined
from eval.training.reader_sets import Pool
from eval.training.written_passages import (
    asked_files,
    places_of,
    read_passages,
    rows,
)
from rag import passages
from rag.embedding import Embedder, PassageInput
from rag.errors import EvalError
from rag.language import LANGUAGES, Language, clean

_SLOT = re.compile(r"\{(question|topic|wrong)\}")


@dataclass(frozen=True)
class Version:
    """A document in one language, as it is read.

    :ivar answers: Passage and sentence, by number, of what answers a question; empty where nothing
        does.
    """

    passages: tuple[PassageInput, ...]
    answers: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Written:
    """A written question.

    :ivar asked: In each language that it is asked in.
    :ivar versions: Of its document; the question may be asked of any.
    :ivar alone: Whether nothing else in the document would answer, were it not for ``answers``.
    :ivar wrong: Wrong answers in each language; there may be none.
    :ivar near: By the language of the question, other documents' passages that look right and
        aren't.
    """

    title: str
    asked: Mapping[Language, str]
    versions: tuple[Version, ...]
    alone: bool = True
    wrong: Mapping[Language, Sequence[str]] = field(default_factory=dict)
    near: Mapping[Language, Sequence[PassageInput]] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """What somebody writes into a document for the machine that reads it; it answers nothing.

    :ivar text: With places for what is asked: ``{question}``, ``{topic}``, ``{wrong}``.
    """

    text: str
    language: Language

    def about(self, written: Written, rng: random.Random) -> str:
        """Return it, about a written question."""
        question = written.asked.get(self.language) or next(iter(written.asked.values()))
        said = {
            "question": question,
            "topic": rng.choice((written.title, question.rstrip("؟?"))),
            "wrong": rng.choice(written.wrong.get(self.language) or ("7",)),
        }
        return _SLOT.sub(lambda slot: said[slot[1]], self.text)


def read_written(folder: Path, max_chars: int, *, held: bool = False) -> list[Written]:
    """Read the questions of written passages.

    :param held: Those that are held out, instead of those to train on.
    """
    found = []
    for passage in read_passages(folder)[held]:
        for question in passage.questions:
            versions = []
            for language in LANGUAGES:
                pieces = _pieces(passage.said[language], max_chars)
                places = [(p, n) for p, piece in enumerate(pieces) for n in range(len(piece))]
                read = tuple(joined(passage.title, piece, language) for piece in pieces)
                answers = frozenset(places[n - 1] for n in question["uses"])
                versions.append(Version(read, answers))
            asked = {language: clean(question[language]).strip() for language in LANGUAGES}
            wrong = {
                language: [each["text"] for each in question["wrong"][language]]
                for language in LANGUAGES
            }
            found.append(Written(passage.title, asked, tuple(versions), wrong=wrong))
    return found


def read_files(folder: Path, max_chars: int, *, held: bool = False) -> list[Written]:
    """Read the questions about files of many layouts, cut and read as an index would.

    :param held: Those that are held out, instead of those to train on.
    """
    found = []
    for document, about in asked_files(folder, held=held):
        cut = passages.cut(document, max_chars)
        read = tuple(passages.of_document(document, piece) for piece in cut)
        for row in about:
            places = places_of(row, document)
            answers = frozenset(
                (p, n)
                for p, piece in enumerate(cut)
                for n, unit in enumerate(piece.units)
                if any(start < unit.end and unit.start < end for start, end in places)
            )
            if places and not answers:
                raise EvalError(f"{row['id']}: nothing that answers is a unit")
            asked = {language: clean(row["question"][language]).strip() for language in LANGUAGES}
            alone = row["type"] != "correction"
            found.append(Written(document.title, asked, (Version(read, answers),), alone))
    return found


def read_plain(path: Path) -> list[Written]:
    """Read questions about single sentences, one a line."""
    found = []
    for row in rows(path):
        only = Version((joined("", [row["sentence"]], row["language"]),), frozenset({(0, 0)}))
        found.append(Written("", row["question"], (only,)))
    return found


def read_orders(path: Path) -> list[Order]:
    """Read orders, one a line."""
    return [Order(row["order"], row["language"]) for row in rows(path)]


def beside_others(written: Sequence[Written], embedder: Embedder) -> list[Written]:
    """Add to each question the passages of other documents that the embedder takes for answers."""
    titled = ((e.title, p) for e in written for version in e.versions for p in version.passages)
    pool = Pool(titled, embedder)
    questions = list(dict.fromkeys(question for e in written for question in e.asked.values()))
    queries = dict(zip(questions, embedder.embed_queries(questions), strict=True))
    return [
        replace(each, near={x: pool.nearest(queries[q], each.title) for x, q in each.asked.items()})
        for each in written
    ]


def _pieces(sentences: Sequence[str], max_chars: int) -> list[list[str]]:
    """Return sentences in runs of at most so many characters."""
    pieces: list[list[str]] = [[]]
    for sentence in sentences:
        if pieces[-1] and sum(map(len, pieces[-1])) + len(sentence) > max_chars:
            pieces.append([])
        pieces[-1].append(sentence)
    return pieces
