"""What reader and retrieval each make of every sentence that is found for a question.

Kept apart, so that ``calibration`` can fit how they are added up. Found as in use, by the same
``Retriever`` with the project's own settings; no LLM is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import track

from eval import corpus, run_qa
from eval.metrics import DocSpan, covered
from eval.sets import Question, read_set
from rag import conversation, current, followups
from rag.config import Settings
from rag.embedding import Embedder, PassageInput
from rag.language import Language, clean
from rag.reader import Logits, Reader, built_in
from rag.retrieval import Found, Retriever

_HALF = 0.5  # of a gold span's characters
_ALL = 10_000  # sentences: more than any ten passages hold


@dataclass(frozen=True)
class Case:
    """A question with the sentences that were found for it.

    :ivar logits: Of the reader, ``(sentences,)``; -inf for what it was cut off before.
    :ivar scores: Of retrieval, ``(sentences,)``.
    :ivar spans: Of the sentences.
    :ivar gold: Spans that hold the answer; none where there is none.
    :ivar source: The language of the document that answers.
    """

    language: Language
    category: str
    logits: Logits
    scores: npt.NDArray[np.float64]
    spans: tuple[DocSpan, ...]
    gold: tuple[DocSpan, ...]
    source: Language | None = None

    @property
    def holds(self) -> npt.NDArray[np.bool_]:
        """Whether each sentence holds a gold span, or most of one."""
        found = [
            bool(self.gold) and covered(self.gold, [span], least=_HALF) > 0 for span in self.spans
        ]
        return np.array(found, dtype=bool)


class Bare(Reader):
    """A reader whose "probabilities" are its bare logits."""

    adds_up = False

    def judged(
        self, question: str, passages: Sequence[PassageInput], scores: Sequence[Sequence[float]]
    ) -> list[list[float]]:
        """Return the logits as they are."""
        return [row.tolist() for row in self.read(question, passages)]


def of_questions(path: Path, settings: Settings, embedder: Embedder, reader: Reader) -> list[Case]:
    """Read for every question of the project's own kind of set.

    :param reader: A ``Bare`` one.
    :raises EvalError: When the set can't be used with this index.
    :raises IndexStorageError: When there is no index.
    """
    questions = read_set(path, Question)
    everything = settings.retrieval.model_copy(update={"evidence_sentences": _ALL})
    own = built_in(settings, embedder, reader)
    follows = None if own is None else followups.load(own)
    cases = []
    with current.open_current(settings, embedder.fingerprint) as store:
        texts = corpus.texts_of(store)
        languages = dict(store.db.execute("SELECT id, language FROM documents"))
        by_scores = Retriever(store, embedder, everything)
        by_reader = Retriever(store, embedder, everything, reader=reader)
        for q in track(questions, path.name):
            gold = run_qa.locate(q, texts, path) if q.answerable else []
            turns = settings.question.history_turns
            what = conversation.resolve(clean(q.question).strip(), q.context_turns, turns)
            what = followups.decided(what, follows)
            found = by_scores.evidence(what.question, what.context)
            read = by_reader.evidence(what.question, what.context, read_as=what.standalone)
            logits = {_span(sentence): sentence.score for sentence in read}
            cases.append(
                Case(
                    language=q.language,
                    category=q.category,
                    logits=np.array([logits[_span(s)] for s in found], dtype=np.float32),
                    scores=np.array([s.score for s in found], dtype=np.float64),
                    spans=tuple(_span(s) for s in found),
                    gold=tuple(gold),
                    source=languages[gold[0][0]] if gold else None,
                )
            )
    return cases


def _span(found: Found) -> DocSpan:
    return found.doc, found.start, found.end
