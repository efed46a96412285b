"""What reader and retrieval each make of every sentence that is found for a question.

Kept apart, so that ``calibration`` can fit how they are added up. Found as in use, by the same
``Retriever`` with the project's own settings; no LLM is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from eval import corpus, metrics, run_given, run_qa
from eval.metrics import DocSpan, covered
from eval.pool import make_task
from eval.run import bar
from eval.sets import (
    AbstentionItem,
    Question,
    SquadQuestion,
    find_span,
    read_abstention,
    read_questions,
)
from rag import conversation, current, followups
from rag.config import Settings
from rag.embedding import Embedder, PassageInput
from rag.language import Language, clean
from rag.reader import Judged, Logits, Reader, built_in
from rag.retrieval import Found, Retriever
from rag.storage import Storage

_T = TypeVar("_T")
_ALL = 10_000  # sentences: more than any ten passages hold


@dataclass(frozen=True)
class Case:
    """A question with the sentences that were found for it.

    :ivar logits: Of the reader, ``(sentences,)``; -inf for what it was cut off before.
    :ivar scores: Of retrieval, ``(sentences,)``.
    :ivar spans: Of the sentences.
    :ivar gold: Spans that hold the answer; none where there is none or nobody knows them.
    :ivar source: The language of the document that answers; None where nobody knows it.
    :ivar words: Whether the reader's words in the sentence that answers hold all that was asked
        for; None where it wasn't found, or nobody knows.
    """

    id: str
    language: Language
    category: str
    answerable: bool
    logits: Logits
    scores: npt.NDArray[np.float64]
    spans: tuple[DocSpan, ...]
    gold: tuple[DocSpan, ...]
    source: Language | None = None
    words: bool | None = None

    @property
    def direction(self) -> str:
        """The languages of question and document: ``ar←en``; that of the question if alone."""
        return f"{self.language}←{self.source}" if self.source else self.language

    @property
    def holds(self) -> npt.NDArray[np.bool_]:
        """Whether each sentence holds a gold span, or most of one."""
        found = [
            bool(self.gold) and covered(self.gold, [span], least=run_qa.HALF) > 0
            for span in self.spans
        ]
        return np.array(found, dtype=bool)


class Bare(Reader):
    """A reader whose "probabilities" are its bare logits."""

    adds_up = False

    def judged(
        self, question: str, passages: Sequence[PassageInput], scores: Sequence[Sequence[float]]
    ) -> list[list[Judged]]:
        """Return the logits as they are."""
        return [[Judged(x) for x in row.logits.tolist()] for row in self.read(question, passages)]


class Both:
    """Finds the sentences for a question twice: scored by retrieval, and by the reader."""

    def __init__(
        self,
        store: Storage,
        embedder: Embedder,
        settings: Settings,
        reader: Reader,
        docs: Collection[str] | None = None,
    ) -> None:
        """Search an index, or some documents of it.

        :param reader: A ``Bare`` one.
        """
        everything = settings.retrieval.model_copy(update={"evidence_sentences": _ALL})
        self._turns = settings.question.history_turns
        own = built_in(settings, embedder, reader)
        self._follows = None if own is None else followups.load(own)
        self._found = Retriever(store, embedder, everything, docs)
        self._read = Retriever(store, embedder, everything, docs, reader=reader)

    def case(
        self,
        asked: Question | AbstentionItem | SquadQuestion,
        language: Language,
        *,
        answerable: bool,
        category: str = "",
        gold: Sequence[DocSpan] = (),
    ) -> Case:
        """Return what both make of the sentences found for a question."""
        history = asked.context_turns if isinstance(asked, Question) else ()
        what = conversation.resolve(clean(asked.question).strip(), history, self._turns)
        what = followups.decided(what, self._follows)
        found = self._found.evidence(what.question, what.context)
        read = self._read.evidence(what.question, what.context, read_as=what.standalone)
        logits = {_span(sentence): sentence.score for sentence in read}
        return Case(
            id=asked.id,
            language=language,
            category=category,
            answerable=answerable,
            logits=np.array([logits[_span(s)] for s in found], dtype=np.float32),
            scores=np.array([s.score for s in found], dtype=np.float64),
            spans=tuple(_span(s) for s in found),
            gold=tuple(gold),
            words=_words(asked, read, gold),
        )


def _words(
    asked: Question | AbstentionItem | SquadQuestion, read: Sequence[Found], gold: Sequence[DocSpan]
) -> bool | None:
    answering = (s for s in read if covered(gold, [_span(s)], least=run_qa.HALF) > 0)
    first = next(answering, None) if gold else None
    if first is None or not isinstance(asked, Question):
        return None
    return metrics.held_groups(first.words, asked.must_include) == len(asked.must_include)


def of_questions(path: Path, settings: Settings, embedder: Embedder, reader: Reader) -> list[Case]:
    """Read for every question of the project's own kind of set.

    :raises EvalError: When the set can't be used with this index.
    :raises IndexStorageError: When there is no index.
    """
    questions = read_questions(path)
    with current.open_current(settings, embedder.fingerprint) as store:
        texts = corpus.texts_of(store)
        languages = dict(store.db.execute("SELECT id, language FROM documents"))
        both = Both(store, embedder, settings, reader)
        cases = []
        for q in _shown(questions, path.name):
            gold = run_qa.locate(q, texts, path) if q.answerable else []
            case = both.case(q, q.language, answerable=q.answerable, category=q.category, gold=gold)
            cases.append(replace(case, source=languages[gold[0][0]] if gold else None))
        return cases


def of_abstention(
    path: Path, indexes: Path, settings: Settings, embedder: Embedder, reader: Reader
) -> list[Case]:
    """Read for every question of a set whose passages are given, each from its own alone.

    :param indexes: Where the index of the passages is kept, shared with ``rawi eval abstain``.
    :raises EvalError: When the set can't be used.
    """
    with abstention_index(path, indexes, settings, embedder) as (store, items):
        return [
            Both(store, embedder, settings, reader, docs).case(
                item, item.language, answerable=item.answerable
            )
            for item, docs in _shown(items, path.name)
        ]


def of_pair(
    passages: Path,
    questions: Path,
    indexes: Path,
    settings: Settings,
    embedder: Embedder,
    reader: Reader,
) -> list[Case]:
    """Read for the questions of a SQuAD file, half of the paragraphs being in the other language.

    :param passages: The same file in the other language.
    :raises EvalError: When the files don't belong together.
    """
    task = make_task(passages, questions, "mixed")
    names = {f"{number:05}.txt": text for number, text in enumerate(task.texts)}
    home = indexes / f"squad-{corpus.hash_of(names)[:12]}"
    placed = corpus.build(names, home, settings, embedder)
    with current.open_current(placed, embedder.fingerprint) as store:
        texts = corpus.texts_of(store)
        both = Both(store, embedder, settings, reader)
        cases = []
        for asked in _shown(task.asked, questions.name):
            doc, span = f"{asked.paragraph:05}.txt", asked.spans[0]
            place = find_span(texts[doc], span.text, span.start)
            pair = f"{task.question_language}→{asked.paragraph_language}"
            gold = [(doc, *place)] if place else []
            cases.append(
                both.case(
                    asked.question,
                    task.question_language,
                    answerable=True,
                    category=pair,
                    gold=gold,
                )
            )
        return cases


@contextmanager
def abstention_index(
    path: Path, indexes: Path, settings: Settings, embedder: Embedder
) -> Iterator[tuple[Storage, list[tuple[AbstentionItem, Collection[str]]]]]:
    """Open the index of a set's passages, made if need be; yields it and each item's documents."""
    items = read_abstention(path)
    docs = [run_given.numbered(number, item) for number, item in enumerate(items)]
    texts = {name: text for of_item in docs for name, text in of_item.items()}
    home = indexes / f"abstain-{corpus.hash_of(texts)[:12]}"
    placed = corpus.build(texts, home, settings, embedder)
    with current.open_current(placed, embedder.fingerprint) as store:
        yield store, list(zip(items, docs, strict=True))


def _shown(items: Sequence[_T], label: str) -> Iterator[_T]:
    with bar(label, len(items)) as show:
        for done, item in enumerate(items):
            show(done)
            yield item
        show(len(items))


def _span(found: Found) -> DocSpan:
    return found.doc, found.start, found.end
