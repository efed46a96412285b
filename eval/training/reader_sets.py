"""Sets made elsewhere, cut as an index would cut them, for the reader to learn from.

::

    SQuAD v1.1        read_examples   Example   a question, the passage that answers, those near
    abstention sets   read_judged     Judged    a question, and whether any of its passages answers
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eval.sets import AbstentionItem, find_span, read_set, read_squad
from rag import passages
from rag.documents import Document
from rag.embedding import Embedder, PassageInput, Vectors
from rag.language import LANGUAGES, Language, Span, bare, clean, fold, other
from rag.passages import Passage
from rag.sentences import shown

NEAREST = 8  # passages of other articles that are kept for each question, of each language


@dataclass(frozen=True)
class Example:
    """A question with the passage that answers it.

    :ivar sentence: Which of the passage's sentences holds the answer's beginning.
    :ivar answer: Within the passage's text.
    :ivar asked_in: The question's language.
    :ivar near: Passages that look right and aren't: first those of the same article.
    """

    question: str
    passage: PassageInput
    sentence: int
    answer: Span
    asked_in: Language
    near: tuple[PassageInput, ...] = ()

    @property
    def title(self) -> str:
        """The article's."""
        return self.passage.heading

    @property
    def language(self) -> Language:
        """Of the passage."""
        return self.passage.language

    @property
    def crossed(self) -> bool:
        """Whether the question is in the other language."""
        return self.asked_in != self.passage.language


@dataclass(frozen=True)
class Judged:
    """A question with passages, and whether any of them answers it."""

    question: str
    language: Language
    passages: tuple[PassageInput, ...]
    answerable: bool


def read_examples(path: Path, max_chars: int, questions: Path | None = None) -> list[Example]:
    """Cut a SQuAD file's paragraphs as an index would, and return what one passage answers.

    :param questions: A SQuAD file whose questions, by id, are asked instead: in the other language.
    :raises EvalError: When a file is not SQuAD v1.1.
    """
    squad = read_squad(path)
    asked, asked_in = {q.id: q.question for q in squad.questions}, squad.language
    if questions is not None:
        others = read_squad(questions)
        asked = {q.id: q.question for q in others.questions}
        asked_in = other(squad.language)
    pieces = [
        _cut(p.title.replace("_", " "), p.text, squad.language, max_chars) for p in squad.paragraphs
    ]
    examples = []
    for question in squad.questions:
        if question.id not in asked:
            continue
        gold, cut = question.answers[0], pieces[question.paragraph]
        place = find_span(clean(squad.paragraphs[question.paragraph].text), gold.text, gold.start)
        if place is None:
            continue
        for piece, form in cut:
            found = _in_read_form(piece, form, Span(*place))
            if found is not None:
                near = tuple(other for _, other in cut if other is not form)
                said = clean(asked[question.id]).strip()
                examples.append(Example(said, form, *found, asked_in, near))
    return examples


def read_judged(path: Path, max_chars: int) -> list[Judged]:
    """Cut an abstention set's passages as an index would.

    :raises EvalError: When the file is no abstention set.
    """
    found = []
    for item in read_set(path, AbstentionItem):
        shown = tuple(
            form
            for given in item.passages
            for _, form in _cut(given.title, given.text, item.language, max_chars)
        )
        question = clean(item.question).strip()
        found.append(Judged(question, item.language, shown, item.answerable))
    return found


class Pool:
    """Passages of many documents, to look in for what an embedder takes for an answer."""

    def __init__(self, titled: Iterable[tuple[str, PassageInput]], embedder: Embedder) -> None:
        """Embed passages, each with the title of its document; copies stand once."""
        unique = {(title, p.language, p.text): (title, p) for title, p in titled}
        self._titles = np.array([title for title, _ in unique.values()])
        self._passages = [passage for _, passage in unique.values()]
        self._languages = np.array([passage.language for passage in self._passages])
        texts = [f"{passage.heading}\n{passage.text}" for passage in self._passages]
        self._vectors = embedder.embed_texts(texts)

    def nearest(self, query: Vectors, title: str, answer: str = "") -> list[PassageInput]:
        """Return, of each language, the passages of other documents that are nearest to a question.

        :param answer: Words of those that are left out, since they may well answer.
        """
        cosines, found = self._vectors @ query, list[PassageInput]()
        for language in LANGUAGES:
            places = np.flatnonzero((self._titles != title) & (self._languages == language))
            best = [self._passages[i] for i in places[np.argsort(-cosines[places])][: 2 * NEAREST]]
            wanted = fold(answer)
            held = (p for p in best if not answer or wanted not in fold(p.text))
            found += list(held)[:NEAREST]
        return found


def with_nearest(examples: Sequence[Example], embedder: Embedder) -> list[Example]:
    """Add to each example the passages of other articles that the embedder takes for answers."""
    pool = Pool(((e.title, e.passage) for e in examples), embedder)
    asked = embedder.embed_queries([example.question for example in examples])
    found = []
    for example, query in zip(examples, asked, strict=True):
        answer = example.passage.text[example.answer.start : example.answer.end]
        near = (*example.near, *pool.nearest(query, example.title, answer))
        found.append(replace(example, near=near))
    return found


def _cut(
    title: str, text: str, language: Language, max_chars: int
) -> list[tuple[Passage, PassageInput]]:
    """Return a text's passages as an index would cut them, each with what is read of it."""
    cut = passages.cut(Document("", "", language, clean(text), ""), max_chars)
    return [
        (piece, passages.read_form(title, piece.units, piece.text, piece.start)) for piece in cut
    ]


def _in_read_form(passage: Passage, form: PassageInput, place: Span) -> tuple[int, Span] | None:
    """Return which unit a place of a document begins in, and where it is in what is read of it.

    None where it isn't read as it is written.
    """
    if place.end > passage.end:
        return None
    for n, (unit, span) in enumerate(zip(passage.units, form.sentences, strict=True)):
        if unit.start <= place.start < unit.end:
            before, answer = (
                bare(shown(passage.text[a - passage.start : z - passage.start]))
                for a, z in ((unit.start, place.start), (place.start, min(place.end, unit.end)))
            )
            start = form.text.find(answer, span.start + len(before), span.end)
            return (n, Span(start, start + len(answer))) if answer and start >= 0 else None
    return None
