"""Does an answer follow from the evidence? Citations are attached here, never by the model.

Each sentence of an answer is held against each evidence sentence, and against each two: the first
that carries it is cited, and the quote is cut from the document itself. What carries it is decided
by the trained ``checking``, and besides by what can be told for certain: its figures with their
units, and its months, stand in what is cited; its language and letters are the asker's; it isn't
the question said again. A sentence that nothing carries is not shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Protocol

from rag import prompts, quantities
from rag.checking import Claim, Support
from rag.config import RetrievalSettings
from rag.language import Language, Span, detect, fold, foreign_letters, split_sentences
from rag.retrieval import Found

_WORD = re.compile(r"\w+")
_ARABIC, _LATIN = re.compile("[\u0621-\u064a]"), re.compile("[a-z]")  # of folded words


# Log-odds of the reader and of the LLM → log-odds that the evidence answers; by maximum likelihood
# on the set to tune on.
_READ, _HELD, _BIAS = 0.12, 0.78, 0.54
_YES_OR_NO = frozenset(map(fold, "yes no نعم لا".split()))
_PAIRED = 4  # sentences of which each two are tried
_LIMIT = 6.0  # log-odds further from 0 say no more


class Checks(Protocol):
    """What tells how well claims hold: ``checking.Checker``."""

    def check(self, claims: Sequence[Claim]) -> list[Support]:
        """Return how well each claim holds."""


@dataclass(frozen=True)
class Citation:
    """A verbatim sentence of a document.

    :ivar marker: The number that stands in brackets in the answer, from 1.
    :ivar quote: Equals ``text[start:end]`` of the document's cleaned text.
    :ivar marks: Places in that text of the words that carry the answer, within ``start`` to
        ``end``; none where they can't be told.
    """

    marker: int
    doc: str
    start: int
    end: int
    quote: str
    marks: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Checked:
    """An answer held against the evidence.

    :ivar text: Its supported sentences, each with ``[n]`` where citation n stands.
    :ivar support: Of what was said, the least that any sentence has, as a logit; -inf where
        nothing was said that could be held against the evidence.
    :ivar carriers: The evidence that carries it best, whether that is enough or not.
    """

    text: str
    citations: tuple[Citation, ...]
    support: float
    carriers: tuple[Found, ...]


@dataclass(frozen=True)
class _Carried:
    """What carries a sentence of an answer best, and how well.

    :ivar exact: Whether its figures, units and months all stand there.
    """

    sources: tuple[Found, ...]
    support: Support
    exact: bool


def check(
    answer: str,
    question: str,
    language: Language,
    evidence: Sequence[Found],
    checker: Checks,
    min_support: float,
) -> Checked:
    """Hold an answer against the evidence that it was written from.

    :param question: What was asked; empty where the answer is a translation of the evidence.
    :param language: That the answer should be in.
    :param min_support: Logit from which a sentence holds.
    """
    answer = prompts.without_markers(answer).strip()
    if not answer or not evidence or not _is_readable(answer, question, language, evidence):
        return Checked("", (), -math.inf, ())
    texts, marks = list[str](), dict[Found, tuple[Span, ...]]()
    support, carriers = math.inf, dict[Found, None]()
    for start, end in split_sentences(answer):
        carried = _carried(answer[start:end], question, evidence, checker, min_support)
        support = min(support, carried.support.logit if carried.exact else -math.inf)
        carriers |= dict.fromkeys(carried.sources)
        if not carried.exact or carried.support.logit < min_support:
            continue
        for found, spans in _marked(carried).items():
            marks[found] = tuple(sorted({*marks.get(found, ()), *spans}))
        cited = list(marks)
        markers = "".join(f" [{cited.index(found) + 1}]" for found in carried.sources)
        texts.append(answer[start:end] + markers)
    return Checked(" ".join(texts), citations(list(marks), marks), support, tuple(carriers))


def citations(
    sentences: Sequence[Found], marks: dict[Found, tuple[Span, ...]] | None = None
) -> tuple[Citation, ...]:
    """Return the sentences as citations, numbered from 1."""
    return tuple(
        Citation(n, found.doc, found.start, found.end, found.text, (marks or {}).get(found, ()))
        for n, found in enumerate(sentences, start=1)
    )


def marked(question: str, sentences: Sequence[Found], checker: Checks) -> tuple[Citation, ...]:
    """Return sentences that answer a question as citations, the words that do so marked."""
    supports = checker.check([Claim(question, "", found.text) for found in sentences])
    marks = {
        found: _moved(support.marks, found.start)
        for found, support in zip(sentences, supports, strict=True)
    }
    return citations(sentences, marks)


def confidence(evidence: Sequence[Found], settings: RetrievalSettings) -> float:
    """Return how sure it is that the evidence answers the question.

    With the reader, scores are probabilities and their sum is that of any sentence answering;
    without it, it is the nearest sentence's score, and -1 where there is none.
    """
    scores = [found.score for found in evidence]
    if settings.reader == "none":
        return max(scores, default=-1.0)
    return min(1.0, sum(scores))


def joined(confidence: float, odds: float) -> float:
    """Return how sure it is that the evidence answers, by the reader and the LLM together.

    :param confidence: The reader's, see ``confidence``.
    :param odds: The LLM's log-odds that the answer is right that it made of the evidence.
    """
    read = min(max(confidence, 1e-3), 1 - 1e-3)
    held = min(max(odds, -_LIMIT), _LIMIT)
    return 1 / (1 + math.exp(-(_READ * math.log(read / (1 - read)) + _HELD * held + _BIAS)))


def is_enough(confidence: float, settings: RetrievalSettings) -> bool:
    """Say whether evidence of this ``confidence`` answers the question."""
    least = settings.min_score if settings.reader == "none" else settings.min_probability
    return confidence >= least


def _is_readable(answer: str, question: str, language: Language, evidence: Sequence[Found]) -> bool:
    """Tell whether an answer is in the asker's language and says what the question doesn't.

    Words of the other script are names, and stand in the evidence or the question; an Arabic answer
    may be nothing else. Letters of a third script stand there too.
    """
    read = " ".join([question, *(found.text for found in evidence)])
    known, said = _words(read), _words(answer)
    arabic = {word for word in said if _ARABIC.search(word)}
    latin = {word for word in said if _LATIN.search(word)}
    foreign = latin if language == "ar" else arabic
    if foreign_letters(answer) - foreign_letters(read) or arabic & latin or foreign - known:
        return False
    named = language == "ar" and not arabic
    # A bare yes or no has no word that could be held against the evidence.
    tells = said - _words(question) - _YES_OR_NO
    return (named or detect(answer) == language) and bool(tells)


def _carried(
    sentence: str,
    question: str,
    evidence: Sequence[Found],
    checker: Checks,
    min_support: float,
) -> _Carried:
    """Return what carries a sentence: one evidence sentence where one does, or else more."""
    sources: list[tuple[Found, ...]] = [(found,) for found in evidence]
    if len(evidence) <= _PAIRED:
        sources += [_in_order(pair) for pair in combinations(evidence, 2)]
    if len(evidence) > 2:
        sources.append(_in_order(evidence))
    texts = [" ".join(found.text for found in source) for source in sources]
    supports = checker.check([Claim(question, sentence, text) for text in texts])
    carried = [
        _Carried(source, support, is_exact(sentence, f"{question} {text}"))
        for source, support, text in zip(sources, supports, texts, strict=True)
    ]
    return max(
        carried,
        key=lambda c: (
            c.exact,
            c.support.logit >= min_support,
            -len(c.sources) if c.support.logit >= min_support else 0,
            c.support.logit,
        ),
    )


def _in_order(sentences: Sequence[Found]) -> tuple[Found, ...]:
    return tuple(sorted(sentences, key=lambda found: (found.doc, found.start)))


def _marked(carried: _Carried) -> dict[Found, tuple[Span, ...]]:
    """Return the marked words of each source, as places in its document."""
    found, begin = dict[Found, tuple[Span, ...]](), 0
    for source in carried.sources:
        own = [m for m in carried.support.marks if begin <= m.start < begin + len(source.text)]
        found[source] = _moved(own, source.start - begin)
        begin += len(source.text) + 1
    return found


def _moved(spans: Sequence[Span], by: int) -> tuple[Span, ...]:
    return tuple(Span(span.start + by, span.end + by) for span in spans)


def is_exact(sentence: str, text: str) -> bool:
    """Tell whether the figures, their units and the months of a sentence stand in a text."""
    numbers = quantities.values(text) | quantities.spelled(text)
    # Not "two": Arabic says it by a noun's ending, and only some nouns' are known.
    said = quantities.values(sentence) | {v for v in quantities.spelled(sentence) if v > 2}
    if said - numbers or quantities.months(sentence) - quantities.months(text):
        return False
    units: dict[Decimal, set[str]] = {}
    for value, unit in quantities.measures(text):
        units.setdefault(value, set()).add(unit)
    return all(unit in units.get(value, {unit}) for value, unit in quantities.measures(sentence))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(fold(text)))
