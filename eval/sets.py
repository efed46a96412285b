"""Reads and checks the sets of questions that a run is asked.

::

    .jsonl lines   read_set     Question        the project's own kind: answer, gold spans
                                AbstentionItem  question with the passages given
                                InjectionCase   question with documents and an order in them
    SQuAD v1.1     read_squad   Squad           paragraphs and questions about them

A set is refused whole at its first mistake: the error names the file, the line (or the place in the
JSON) and what is wrong there. Unknown keys are let be: other tools' notes may stand there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from eval import metrics
from eval.files import lines_of, object_at
from rag.conversation import Turn
from rag.errors import EvalError
from rag.language import Language, clean, detect
from rag.readers import TEXTS

_REMEDY = "give a set as UTF-8, one JSON object a line"
_SQUAD_REMEDY = "give a SQuAD v1.1 file"


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; fill it in or delete the entry")
    return text


def _is_file_name(name: str) -> str:
    path = PurePosixPath(name)
    if path.name != name or name.startswith(".") or path.suffix not in TEXTS:
        raise ValueError(f"is no file name that Rawi reads ({', '.join(TEXTS)})")
    return name


def _split(paths: Any) -> Any:
    return [p for part in paths.split(";") if (p := part.strip())] if type(paths) is str else paths


Filled = Annotated[str, AfterValidator(_filled)]
Groups = tuple[Annotated[tuple[Filled, ...], Field(min_length=1)], ...]
"""Lists of alternatives, one of each has to stand in a right answer."""


class Record(BaseModel):
    """An object of a set; a key that is null counts as missing."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: inner for key, inner in value.items() if inner is not None}


class Item(Record):
    """A line of a set: something is asked."""

    id: Filled
    question: Filled
    language: Language = Field(alias="question_language")


class Question(Item):
    """A line of a question set.

    :ivar source: The documents that hold the answer, as paths relative to the corpus.
    :ivar gold_spans: Verbatim pieces of them that hold the answer; of a question without one, what
        shows that its premise is false, or nothing.
    :ivar must_include: Of a question without an answer, what a correction of its premise says.
    """

    answerable: StrictBool
    category: Filled
    source: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    gold_spans: tuple[Filled, ...] = ()
    answer: str = ""
    must_include: Groups = ()
    must_not_include: tuple[Filled, ...] = ()
    context_turns: tuple[Turn, ...] = ()

    @model_validator(mode="after")
    def _has_gold_if_answerable(self) -> Question:
        if self.answerable and not (self.gold_spans and self.must_include):
            raise ValueError('is answerable, so "gold_spans" and "must_include" may not be empty')
        return self


class GivenPassage(Record):
    """A passage that comes with its question; ``title`` is the article's and may be empty."""

    id: Filled
    title: str = ""
    text: Filled


class AbstentionItem(Item):
    """A question with the only passages that it may be answered from."""

    answerable: StrictBool
    passages: tuple[GivenPassage, ...] = Field(min_length=1)

    @property
    def documents(self) -> dict[str, str]:
        """The passages as files of a corpus would have them, the title as first line, by name."""
        return {
            f"{i:03}.txt": f"{passage.title}\n\n{passage.text}".lstrip()
            for i, passage in enumerate(self.passages)
        }


class InjectionCase(Item):
    """A question and its documents, with an order in one of them that must not be followed.

    What would make a case prove nothing is a mistake: a sign of obeying that a right answer or an
    honest quote holds.

    :ivar kind: What the order looks like or asks for.
    :ivar documents: The only ones that it may be answered from: file name to text.
    :ivar order: Verbatim, as it stands in the question, or in one document or its file name.
    :ivar must_include: As of a ``Question``; none when nothing answerable is asked.
    :ivar obeyed: An answer that holds any of these has followed the order.
    """

    kind: Filled
    documents: dict[Annotated[str, AfterValidator(_is_file_name)], Filled] = Field(min_length=1)
    order: Filled
    must_include: Groups = ()
    obeyed: tuple[Filled, ...] = Field(min_length=1)

    @property
    def place(self) -> Literal["document", "question"]:
        """Where the order stands."""
        return "question" if self.order in self.question else "document"

    def is_obeyed_in(self, text: str) -> bool:
        """Tell whether a text holds a sign of obeying, matched as ``metrics.is_correct`` does."""
        return metrics.holds_any(text, self.obeyed)

    @model_validator(mode="after")
    def _tells_obeying_from_honesty(self) -> InjectionCase:
        order, documents = self.order, self.documents.items()
        holding = [order in text or order in name for name, text in documents]
        places = sum(holding) + (order in self.question)
        if places != 1:
            raise ValueError(
                '"order" must stand, as it is written, in the question or in one of the documents,'
                f" and nowhere else; it stands in {places} places"
            )
        right = [alternative for group in self.must_include for alternative in group]
        honest = [text.replace(order, "") for _, text in documents]
        for text in (*honest, *right):
            if self.is_obeyed_in(text):
                raise ValueError(
                    f'{text[:60]!r} holds what stands in "obeyed", but not in the order; an honest'
                    " answer would count as obeying"
                )
        metrics.held_groups("", self.must_include)
        return self


class GoldAnswer(Record):
    """An accepted answer; ``start`` is where the file says it stands, which may be wrong."""

    text: Filled
    start: int = Field(alias="answer_start", ge=0, strict=True)


class SquadQuestion(Record):
    """A question of a SQuAD file; ``paragraph`` is the number of the one that answers it."""

    id: Filled
    question: Filled
    answers: tuple[GoldAnswer, ...] = Field(min_length=1)
    paragraph: int = -1


class Paragraph(Record):
    """A paragraph of a SQuAD file."""

    text: Filled = Field(alias="context")
    qas: tuple[SquadQuestion, ...] = ()
    title: str = ""


class _Article(Record):
    title: str = ""
    paragraphs: tuple[Paragraph, ...]


class _SquadFile(Record):
    data: tuple[_Article, ...]


class Squad(Record):
    """A SQuAD file.

    :ivar paragraphs: Of all articles, in the order of the file; their numbers count from 0.
    :ivar language: Of most of its paragraphs.
    """

    paragraphs: tuple[Paragraph, ...]
    questions: tuple[SquadQuestion, ...]
    language: Language


R = TypeVar("R", bound=Record)
A = TypeVar("A", bound=Item)


def read_set(path: Path, kind: type[A]) -> list[A]:
    """Read a set of ``Question``, ``AbstentionItem`` or ``InjectionCase``, one a line.

    :raises EvalError: When the file can't be read or a line is not as its kind says.
    """
    read = [(where, _checked(kind, value, where)) for where, value in lines_of(path, (), _REMEDY)]
    _require_unique((where, item.id) for where, item in read)
    return [item for _, item in read]


def read_squad(path: Path) -> Squad:
    """Read a SQuAD v1.1 file.

    Where an answer stands is for the reader to find: ``answer_start`` is only a hint.

    :raises EvalError: When the file can't be read or is not SQuAD v1.1.
    """
    loaded = object_at(path, (), _SQUAD_REMEDY)
    file = _checked(_SquadFile, loaded, str(path))
    paragraphs = tuple(
        paragraph.model_copy(update={"title": article.title})
        for article in file.data
        for paragraph in article.paragraphs
    )
    questions = tuple(
        question.model_copy(update={"paragraph": number})
        for number, paragraph in enumerate(paragraphs)
        for question in paragraph.qas
    )
    if not questions:
        raise EvalError(f"{path}: holds no question; {_SQUAD_REMEDY}")
    _require_unique((str(path), question.id) for question in questions)
    arabic = sum(detect(paragraph.text) == "ar" for paragraph in paragraphs)
    language: Language = "ar" if arabic * 2 > len(paragraphs) else "en"
    return Squad(paragraphs=paragraphs, questions=questions, language=language)


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


def _checked(kind: type[R], value: Any, where: str) -> R:
    try:
        return kind.model_validate(value)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = "".join(f"[{at}]" if isinstance(at, int) else f" {at}" for at in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        raise EvalError(f"{where}:{place or ' this'}: {problem}") from exc


def _require_unique(ids: Iterable[tuple[str, str]]) -> None:
    """Raise ``EvalError`` at an id that came before, with both places."""
    first: dict[str, str] = {}
    for where, id_ in ids:
        if id_ in first:
            before = first[id_].rpartition(", ")[2]
            raise EvalError(
                f"{where}: the id {id_!r} is already that of {before}; give each its own"
            )
        first[id_] = where
