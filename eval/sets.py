"""Reads and checks the sets of questions that a run is asked.

::

    .jsonl lines   read_questions   Question        the project's own kind: answer, gold spans
    SQuAD v1.1     read_squad       Squad           Paragraph and SquadQuestion
    .jsonl lines   read_abstention  AbstentionItem  question with the passages given

``eval.injection_sets`` reads one more.

A set is refused whole at its first mistake: the error names the file, the line (or the place in the
JSON) and what to write instead. Unknown keys are let be: other tools' notes may stand there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from eval.fields import Fields, lines, read, unique
from rag.conversation import Turn
from rag.errors import EvalError
from rag.language import Language, clean, detect


@dataclass(frozen=True)
class Question:
    """A line of a question set; DESIGN.md, "Interfaces that stay stable", says what each key is.

    :ivar source: The documents that hold the answer, as paths relative to the corpus.
    :ivar gold_spans: Verbatim pieces of them that hold the answer; of a question without one, what
        shows that its premise is false, or nothing.
    :ivar must_include: Groups of alternatives, one of each has to stand in a right answer.
    """

    id: str
    question: str
    language: Language
    answerable: bool
    category: str
    source: tuple[str, ...]
    gold_spans: tuple[str, ...]
    answer: str
    must_include: tuple[tuple[str, ...], ...]
    must_not_include: tuple[str, ...]
    context_turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a SQuAD file; ``number`` counts over the whole file from 0."""

    number: int
    title: str
    text: str


@dataclass(frozen=True)
class GoldAnswer:
    """An accepted answer; ``start`` is where the file says it stands, which may be wrong."""

    text: str
    start: int


@dataclass(frozen=True)
class SquadQuestion:
    """A question of a SQuAD file and the number of the paragraph that answers it."""

    id: str
    question: str
    paragraph: int
    answers: tuple[GoldAnswer, ...]


@dataclass(frozen=True)
class Squad:
    """A SQuAD file.

    :ivar paragraphs: In the order of the file; each stands at its number.
    :ivar language: Of most of its paragraphs.
    """

    paragraphs: tuple[Paragraph, ...]
    questions: tuple[SquadQuestion, ...]
    language: Language


@dataclass(frozen=True)
class GivenPassage:
    """A passage that comes with its question; ``title`` is the article's and may be empty."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class AbstentionItem:
    """A question with the only passages that it may be answered from."""

    id: str
    question: str
    language: Language
    answerable: bool
    passages: tuple[GivenPassage, ...]


def read_questions(path: Path) -> list[Question]:
    """Read a question set.

    :raises EvalError: When the file can't be read or a line is not as DESIGN.md says.
    """
    return list(unique(lines(path, _question), path, lambda question: question.id))


def read_abstention(path: Path) -> list[AbstentionItem]:
    """Read a set whose passages are given.

    :raises EvalError: As ``read_questions``.
    """
    return list(unique(lines(path, _abstention_item), path, lambda item: item.id))


def read_squad(path: Path) -> Squad:
    """Read a SQuAD v1.1 file; paragraphs are numbered over all its articles, from 0.

    Where an answer stands is for the reader to find: ``answer_start`` is only a hint.

    :raises EvalError: When the file can't be read or is not SQuAD v1.1.
    """
    try:
        loaded = json.loads(read(path))
    except ValueError as exc:
        raise EvalError(f"{path}: is not JSON ({exc}); give a SQuAD v1.1 file") from exc
    paragraphs: list[Paragraph] = []
    questions: list[tuple[str, SquadQuestion]] = []
    for article in Fields(loaded, str(path)).objects("data"):
        title = article.text("title", default="", empty=True)
        for fields in article.objects("paragraphs"):
            number = len(paragraphs)
            paragraphs.append(Paragraph(number, title, fields.text("context")))
            for qa in fields.objects("qas", default=[]):
                questions.append((qa.where, _squad_question(qa, number)))
    if not questions:
        raise EvalError(f"{path}: holds no question; give a SQuAD v1.1 file")
    return Squad(
        tuple(paragraphs),
        tuple(unique(questions, path, lambda question: question.id)),
        _most([paragraph.text for paragraph in paragraphs]),
    )


def find_span(text: str, wanted: str, near: int = 0) -> tuple[int, int] | None:
    """Find ``clean(wanted)`` in a document's cleaned text.

    :param near: Of several places, the one that begins nearest to this offset is taken.
    :return: Start and end, or None when it doesn't stand there.
    """
    wanted = clean(wanted).strip()
    if not wanted:
        return None
    starts, start = [], text.find(wanted)
    while start >= 0:
        starts.append(start)
        start = text.find(wanted, start + 1)
    if not starts:
        return None
    best = min(starts, key=lambda at: abs(at - near))
    return best, best + len(wanted)


def _question(fields: Fields) -> Question:
    answerable = fields.flag("answerable")
    spans = fields.texts("gold_spans", default=[])
    groups = fields.groups("must_include", default=[])
    if answerable and not (spans and groups):
        raise fields.error('is answerable, so "gold_spans" and "must_include" may not be empty')
    if not answerable and groups:
        raise fields.error('is not answerable, so "must_include" must be empty')
    source = fields.text("source", default="", empty=True)
    return Question(
        id=fields.text("id"),
        question=fields.text("question"),
        language=fields.language("question_language"),
        answerable=answerable,
        category=fields.text("category"),
        source=tuple(part.strip() for part in source.split(";") if part.strip()),
        gold_spans=spans,
        answer=fields.text("answer", default="", empty=True),
        must_include=groups,
        must_not_include=fields.texts("must_not_include", default=[]),
        context_turns=tuple(_turn(turn) for turn in fields.objects("context_turns", default=[])),
    )


def _turn(fields: Fields) -> Turn:
    role = fields.text("role")
    if role not in ("user", "assistant"):
        raise fields.error(f'"role" is {role!r}; write "user" or "assistant"')
    return Turn(cast("Literal['user', 'assistant']", role), fields.text("content"))


def _squad_question(fields: Fields, paragraph: int) -> SquadQuestion:
    answers = tuple(
        GoldAnswer(answer.text("text"), answer.integer("answer_start"))
        for answer in fields.objects("answers")
    )
    if not answers:
        raise fields.error('"answers" is empty; SQuAD v1.1 has an answer to every question')
    return SquadQuestion(fields.text("id"), fields.text("question"), paragraph, answers)


def _abstention_item(fields: Fields) -> AbstentionItem:
    passages = tuple(
        GivenPassage(
            passage.text("id"), passage.text("title", default="", empty=True), passage.text("text")
        )
        for passage in fields.objects("passages")
    )
    if not passages:
        raise fields.error('"passages" is empty; give at least one')
    return AbstentionItem(
        id=fields.text("id"),
        question=fields.text("question"),
        language=fields.language("question_language"),
        answerable=fields.flag("answerable"),
        passages=passages,
    )


def _most(texts: list[str]) -> Language:
    arabic = sum(detect(text) == "ar" for text in texts)
    return "ar" if arabic * 2 > len(texts) else "en"
