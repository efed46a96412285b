"""Reads what was written: ``answers/`` and ``files/``, as an LLM is taught with them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.training.reader_questions import stems
from rag import documents, passages
from rag.documents import Document
from rag.language import LANGUAGES, Language, Span, clean, other
from rag.retrieval import of_unit

Row = dict[str, Any]
HELD_OUT = 9  # every ninth passage, by its number
FILES_HELD_OUT = 6  # every sixth file, by its number
_MOST_USED, _MOST_WRONG = 2, 8  # units that answer a question; wrong answers
_MOST_CHARS = 480  # of a unit: longer ones take the place of many


@dataclass(frozen=True)
class Passage:
    """A written passage: ``said[language][n]`` is its nth sentence.

    A file is one, too: its units in its own language alone. A question of it that has no answer
    names the unit that comes ``near``.
    """

    id: str
    language: Language
    title: str
    said: dict[Language, list[str]]
    questions: list[dict[str, Any]]


def rows(*paths: Path) -> Iterator[Row]:
    """Yield the objects of files of JSON, one a line."""
    for path in paths:
        yield from map(json.loads, filter(None, path.read_text("utf-8").split("\n")))


def read_passages(folder: Path) -> tuple[list[Passage], list[Passage]]:
    """Read the passages to train on, and those that are held out."""
    passages = []
    for row in rows(*sorted(folder.glob("*.jsonl"))):
        own: Language = row["language"]
        said = {own: row["sentences"], other(own): row["translations"]}
        passages.append(Passage(row["id"], own, row["title"], said, row["questions"]))
    held = [p for p in passages if _number(p) % HELD_OUT == 0]
    return [p for p in passages if _number(p) % HELD_OUT], held


def asked_files(folder: Path, *, held: bool = False) -> Iterator[tuple[Document, list[Row]]]:
    """Yield the files to train on with what is asked about each, or those that are held out."""
    about: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows(*sorted(folder.glob("questions-*.jsonl"))):
        if (int(row["id"].split("-")[1]) % FILES_HELD_OUT == 0) == held:
            about[row["doc"]].append(row)
    for doc, asked in about.items():
        yield documents.parse(doc, (folder / "corpus" / doc).read_bytes()), asked


@dataclass(frozen=True)
class FollowUp:
    """A follow-up of a question about a file.

    :ivar first: What was asked before, which has an answer.
    :ivar then: What is asked next, as it is asked alone; of the same file.
    :ivar question: The same in each language, as it is asked after the first and its answer.
    """

    first: Row
    then: Row
    question: Mapping[Language, str]


def follow_ups(folder: Path) -> Iterator[FollowUp]:
    """Yield the follow-ups of questions about files."""
    asked = {row["id"]: row for row in rows(*sorted(folder.glob("questions-*.jsonl")))}
    for row in rows(folder / "followups.jsonl"):
        yield FollowUp(asked[row["first"]], asked[row["next"]], row["question"])


def places_of(row: Row, document: Document) -> list[Span]:
    """Return where what answers a question about a file stands in it."""
    golds = [(document.text.index(gold), len(gold)) for gold in map(clean, row["gold"])]
    return [Span(start, start + size) for start, size in golds]


def read_files(folder: Path, max_chars: int) -> list[Passage]:
    """Read the files to train on as passages of units, with what they stand under.

    Wrong answers of a question are right ones of the same file's others.

    :param max_chars: Of a passage, as an index cuts it.
    """
    found = []
    for document, about in asked_files(folder):
        text, doc = document.text, document.id
        units = [u for p in passages.cut(document, max_chars) for u in p.units if not u.opens]
        units = list({unit.start: unit for unit in units}.values())
        read = [of_unit(u, doc, text[u.start : u.end], 0.0).read for u in units]
        kept = [n for n, unit in enumerate(read) if len(unit) <= _MOST_CHARS]
        questions = []
        for row in about:
            places = places_of(row, document)
            held = [
                n for n, u in enumerate(units) if any(a < u.end and u.start < z for a, z in places)
            ]
            if len(held) > _MOST_USED or not set(held) <= set(kept) or not kept:
                continue
            told = row["answer"] if held else None
            questions.append(
                row["question"] | {
                    "type": row["type"],
                    "uses": [kept.index(n) + 1 for n in held],
                    "near": [_nearest(row["question"][document.language], read, kept)],
                    "answer": told and {language: [told[language]] for language in LANGUAGES},
                    "wrong": {
                        language: [
                            {"kind": "neighbour", "text": each["answer"][language]}
                            for each in about
                            if each is not row and each["gold"] and each["answer"]
                        ][:_MOST_WRONG]
                        for language in LANGUAGES
                    },
                }
            )  # fmt: skip
        if questions and len(kept) > _MOST_USED:
            said = {document.language: [read[n] for n in kept]}
            found.append(Passage(doc, document.language, document.title, said, questions))
    return found


def _nearest(question: str, read: Sequence[str], kept: Sequence[int]) -> int:
    """Return the number, from 1, of the unit that shares most beginnings of words with a question.

    :param kept: Which of those that were read there is a choice of.
    """
    asked = stems(question)
    return 1 + max(range(len(kept)), key=lambda n: len(asked & stems(read[kept[n]])))


def _number(passage: Passage) -> int:
    return int(passage.id.rsplit("-", 1)[1])
