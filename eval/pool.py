"""SQuAD files → which paragraphs are the corpus, and what is gold for each question in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.sets import GoldAnswer, Squad, SquadQuestion, read_squad
from rag.errors import EvalError
from rag.language import Language

Pool = Literal["same", "mixed"]


@dataclass(frozen=True)
class Asked:
    """A question with what is gold for it in this pool.

    :ivar spans: Its answers in the paragraph's language, as that file has them.
    """

    question: SquadQuestion
    paragraph: int
    paragraph_language: Language
    spans: tuple[GoldAnswer, ...]


@dataclass(frozen=True)
class Task:
    """A corpus of paragraphs and the questions put to it.

    :ivar texts: By paragraph number.
    """

    texts: tuple[str, ...]
    asked: tuple[Asked, ...]
    question_language: Language


def make_task(passages: Path, questions: Path | None, pool: Pool) -> Task:
    """Read the files and mix the pool.

    :param questions: A file with the same ids in the other language; None asks ``passages``' own.
    :param pool: ``mixed`` takes every second paragraph, the odd ones counted from 0, from
        ``questions``.
    :raises EvalError: When a file is not SQuAD v1.1 or the two don't belong together.
    """
    base = read_squad(passages)
    other = base if questions is None else read_squad(questions)
    if pool == "mixed":
        if questions is None:
            raise EvalError("--pool mixed needs the other language: give --questions OTHER.json")
        _require_parallel(base, other, passages, questions)
    files = [base, other if pool == "mixed" else base]
    paragraphs = [files[number % 2].paragraphs[number] for number in range(len(base.paragraphs))]
    # As an article would stand in a folder.
    headings = [f"{p.title.replace('_', ' ')}\n\n" if p.title else "" for p in paragraphs]
    texts = tuple(h + p.text for h, p in zip(headings, paragraphs, strict=True))
    by_id = [{q.id: q for q in file.questions} for file in files]
    asked = []
    for question in other.questions:
        if question.id not in by_id[0]:
            raise EvalError(
                f"{questions}: question {question.id!r} is not in {passages}; give the same"
                " questions in the other language"
            )
        number = by_id[0][question.id].paragraph
        asked.append(
            Asked(
                question=question,
                paragraph=number,
                paragraph_language=files[number % 2].language,
                spans=tuple(
                    answer.model_copy(update={"start": answer.start + len(headings[number])})
                    for answer in by_id[number % 2][question.id].answers
                ),
            )
        )
    return Task(texts, tuple(asked), other.language)


def _require_parallel(base: Squad, other: Squad, passages: Path, questions: Path) -> None:
    """Raise unless both files have the same questions about the same paragraphs, in order."""
    ids = [_ids_by_paragraph(squad) for squad in (base, other)]
    for number in range(max(map(len, ids))):
        if number >= min(map(len, ids)) or ids[0][number] != ids[1][number]:
            raise EvalError(
                f"{passages} and {questions} differ from paragraph {number} on; --pool mixed needs"
                " the same paragraphs in the same order"
            )
    if base.language == other.language:
        raise EvalError(
            f"{passages} and {questions} are both in {base.language!r}; --pool mixed needs one"
            " Arabic and one English file"
        )


def _ids_by_paragraph(squad: Squad) -> list[set[str]]:
    ids: list[set[str]] = [set() for _ in squad.paragraphs]
    for question in squad.questions:
        ids[question.paragraph].add(question.id)
    return ids
