"""Does an answer follow from the evidence? Citations are attached here, never by the model.

What the LLM says in its own words is held against the sentences that it says it used, by what can
be told for certain: it is in the asker's language and letters, it isn't the question said again,
and its figures with their units, and its dates, stand there. Where it is made of words that the LLM
quotes, it has the figures, units and dates of these, too. Whether the rest of it holds is the
LLM's own second word, see ``drafting``. What doesn't hold is not shown; the quote, which is cut
from the document itself, stands alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from rag import dates, lexical, prompts, quantities, sayings
from rag.config import RetrievalSettings
from rag.language import Language, Span, detect, fold, foreign_letters, is_function_word
from rag.retrieval import Found

LIMIT = 6.0  # log-odds further from 0 say no more
# Log-odds of the reader that a sentence answers, and of the LLM that any does → log-odds that this
# one does (``python -m eval.training.fit_confidence``). Its log-odds that its answer is right added
# nothing to them, nor did how sure it was of the sentence.
_READ, _ANSWERED, _BIAS = 0.39, 0.71, -0.43
# Log-odds of the LLM that its short answer is right, and the mean log-probability of its tokens →
# log-odds that it is (the same command); and that mean where it isn't told: what is usual.
_RIGHT, _CERTAIN, _SHORT = 0.39, 1.50, -0.46
_USUAL = -0.7

_WORD = re.compile(r"\w+")
_MARKABLE = re.compile(rf"{quantities.GROUPED}|\d+(?:[.,٫٬]\d+)*|\w+")
_ARABIC, _LATIN = re.compile("[\u0621-\u064a]"), re.compile("[a-z]")  # of folded words
_MIN_MARKED = 3  # letters: shorter words than that stand in any two sentences
_NAME = re.compile(r"[A-Z0-9]")
_LATIN_NAME = re.compile(r"\b[A-Z][a-z]{2,}")
CLAUSE = re.compile(r"[,،;؛] | … ")
# In folded text; at its end, the words that follow would say the opposite without it.
_REVERSAL = (
    r"\b(?:except(?: for)?|excluding|other than|apart from|without|not|no"
    r"|(?:ما ?)?عدا|الا|باستثناء|غير|سوي|دون|بدون|ليس(?:ت|وا)?|لا|لم|لن)\b"
)
_REVERSING = re.compile(rf"{_REVERSAL} (?:the |on |يوم |ايام |في )?$")


@dataclass(frozen=True)
class Citation:
    """A verbatim sentence of a document.

    :ivar marker: The number that stands in brackets in the answer, from 1.
    :ivar quote: Equals ``text[start:end]`` of the document's cleaned text.
    :ivar marks: Places in that text of the words that carry the answer, within ``start`` to
        ``end``; none where they can't be told.
    :ivar page: Of the document, from 1, where it begins; None for a document without pages.
    :ivar title: Of the document, as ``author`` and ``date`` are; what isn't known is empty.
    :ivar date: In ISO 8601 where that can be told.
    """

    marker: int
    doc: str
    start: int
    end: int
    quote: str
    marks: tuple[Span, ...] = ()
    page: int | None = None
    title: str = ""
    author: str = ""
    date: str = ""


def check(
    answer: str,
    question: str,
    language: Language,
    used: Sequence[Found],
    max_words: int,
    quote: str = "",
) -> str:
    """Return an answer as it may be shown; "" when the sentences that it is made of don't hold it.

    :param question: As it was asked; its own figures may be said again.
    :param language: That the answer should be in.
    :param used: At least one sentence.
    :param quote: Words of theirs that the answer puts into the other language; empty where it
        isn't known which.
    """
    answer = sayings.without_markers(answer).strip()
    text = " ".join(found.read for found in used)
    short = "\n" not in answer and len(answer.split()) <= max_words
    readable = short and is_readable(answer, question, language, text)
    exact = is_exact(answer, f"{question} {text}")
    if not readable or not exact or (quote and not is_put(answer, quote, question)):
        return ""
    return answer


def citations(sentences: Sequence[Found], answer: str = "") -> tuple[Citation, ...]:
    """Return the sentences as citations, numbered from 1.

    Marked are the words of an answer; where it has none of them, those that the reader finds.
    """
    return tuple(
        Citation(
            *(n, found.doc, found.start, found.end, found.text),
            marks(answer, found) or _place(found),
        )
        for n, found in enumerate(sentences, start=1)
    )


def _place(found: Found) -> tuple[Span, ...]:
    """Return where the words stand in a sentence that say the answer (``Found.words``)."""
    places, begin = list[Span](), 0
    for run in found.words.split(prompts.GAP) if found.words else ():
        at = found.text.find(run, begin)
        if at < 0:  # with vowel marks, on two lines, or said otherwise
            return marks(found.words, found)
        begin = at + len(run)
        places.append(Span(found.start + at, found.start + begin))
    return tuple(places)


def with_words(found: Found, quote: Sequence[str]) -> Found:
    """Return a sentence with the words of it that a quote has, as its author wrote them.

    :param quote: Runs of words as the LLM read them; those that the sentence hasn't are left out.
    """
    runs = [said for run in quote if (said := _verbatim(run, found))]
    return replace(found, words=prompts.GAP.join(runs))


def _verbatim(run: str, found: Found) -> str:
    """Return a run of a sentence's words as it stands there; "" where it doesn't.

    A "not" or "except" before it is one of its words.
    A row's pairs and a heading are read, but stand in no run of the text: they are as they're read.
    """
    wanted = [word for word, _, _ in _cores(run)]
    for text in (found.text, found.read):
        cores = _cores(text)
        for n in range(len(cores) - len(wanted) + 1 if wanted else 0):
            if [word for word, _, _ in cores[n : n + len(wanted)]] == wanted:
                before = " ".join(word for word, _, _ in cores[:n]) + " "
                reversed_ = _REVERSING.search(before)
                first = n - len(reversed_[0].split()) if reversed_ else n
                return text[cores[first][1] : cores[n + len(wanted) - 1][2]]
    return ""


def first_clause(words: str) -> str:
    """Return the first clause of some words; all of them where the rest takes something back."""
    clause = CLAUSE.split(words)[0]
    return words if re.search(_REVERSAL, fold(words[len(clause) :])) else clause


def _cores(text: str) -> list[tuple[str, int, int]]:
    """Return the folded words of a text, and their places without the signs around them."""
    found = []
    for match in re.finditer(r"\S+", text):
        word = match[0].lstrip(prompts.OPENING)
        start = match.end() - len(word)
        word = word.rstrip(prompts.CLOSING)
        if fold(word):
            found.append((fold(word), start, start + len(word)))
    return found


def marks(answer: str, found: Found) -> tuple[Span, ...]:
    """Return the places of the words that an answer has from a sentence, in either script."""
    said = {word for word in folded_words(answer) if len(word) >= _MIN_MARKED}
    arabic = bool(_ARABIC.search(fold(answer)))
    numbers = quantities.figures(answer)
    for match in _MARKABLE.finditer(answer):
        numbers |= quantities.values(match[0])
    spans = []
    for match in _MARKABLE.finditer(found.text):
        word = fold(match[0])
        named = bool(_ARABIC.search(word)) != arabic and _is_named(word, answer)
        number = quantities.figures(match[0]) & numbers
        if word in said or named or number:
            spans.append(match.span())
    return tuple(Span(found.start + a, found.start + z) for a, z in _runs(spans, found.text))


def _runs(spans: Sequence[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Return spans of words, those that follow one another made one."""
    runs = list[tuple[int, int]]()
    for start, end in spans:
        if runs and text[runs[-1][1] : start].isspace():
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _is_named(word: str, text: str) -> bool:
    return (
        len(word) >= _MIN_MARKED and bool(lexical.sounds(word)) and lexical.sounds_alike(word, text)
    )


def holding(
    answer: str, question: str, used: Sequence[Found], read: Sequence[Found]
) -> tuple[Found, ...]:
    """Return the sentences that an answer's figures, units and dates stand in.

    :param used: That the LLM says it used, returned where none is.
    :param read: All that it was given, of which one is looked for where those are not.
    """
    for sentences in (tuple(used), *((found,) for found in read)):
        if is_exact(answer, " ".join([question, *(found.read for found in sentences)])):
            return sentences
    return tuple(used)


def nearest(answer: str, evidence: Sequence[Found]) -> tuple[Found, ...]:
    """Return the sentence that shares most with an answer whose LLM named none."""
    return (max(evidence, key=lambda found: sum(z - a for a, z in marks(answer, found))),)


def confidence(evidence: Sequence[Found], settings: RetrievalSettings) -> float:
    """Return how sure it is that any of some sentences answers the question.

    With the reader, scores are probabilities, and this is their sum; without it, it is the nearest
    sentence's score, and -1 where there is none.
    """
    scores = [found.score for found in evidence]
    if settings.reader == "none":
        return max(scores, default=-1.0)
    return min(1.0, sum(scores))


def joined(confidence: float, answered: float) -> float:
    """Return how sure it is that what is shown answers, by the reader and the LLM together.

    :param confidence: The reader's of what is shown, see ``confidence``.
    :param answered: The LLM's log-odds that any sentence answers.
    """
    by_reader, by_llm = log_odds(confidence, answered)
    return 1 / (1 + math.exp(-(_READ * by_reader + _ANSWERED * by_llm + _BIAS)))


def rightness(right: float, certainty: float | None) -> float:
    """Return the log-odds that the LLM's short answer is right.

    :param right: Its log-odds of that when it is asked, see ``prompts.checking``.
    :param certainty: How sure it was of the words as it wrote them, see ``prompts.certainty``.
    """
    certainty = _USUAL if certainty is None else max(certainty, -LIMIT)
    return _RIGHT * min(max(right, -LIMIT), LIMIT) + _CERTAIN * certainty + _SHORT


def log_odds(confidence: float, answered: float) -> tuple[float, float]:
    """Return the log-odds of reader and LLM, neither further from 0 than says anything."""
    read = min(max(confidence, 1e-3), 1 - 1e-3)
    return math.log(read / (1 - read)), min(max(answered, -LIMIT), LIMIT)


def is_enough(confidence: float, settings: RetrievalSettings) -> bool:
    """Say whether evidence of this ``confidence`` answers the question."""
    least = settings.min_score if settings.reader == "none" else settings.min_probability
    return confidence >= least


def is_readable(answer: str, question: str, language: Language, text: str) -> bool:
    """Tell whether an answer is in the asker's language and says what the question doesn't.

    Words of the other script are names, and stand in the evidence or the question; an Arabic answer
    may be nothing else, if each begins as names do. Letters of a third script stand there too.
    """
    read = f"{question} {text}"
    known, said = folded_words(read), folded_words(answer)
    arabic = {word for word in said if _ARABIC.search(word)}
    latin = {word for word in said if _LATIN.search(word)}
    foreign = latin if language == "ar" else arabic
    if foreign_letters(answer) - foreign_letters(read) or arabic & latin or foreign - known:
        return False
    named = language == "ar" and all(_NAME.match(word) for word in _WORD.findall(answer))
    return (named or detect(answer) == language) and bool(said - folded_words(question))


def is_exact(answer: str, text: str) -> bool:
    """Tell whether the figures, their units and the dates of an answer stand in a text."""
    numbers = quantities.figures(text)
    # Not "two": Arabic says it by a noun's ending, and only some nouns' are known.
    said = quantities.values(answer) | {v for v in quantities.spelled(answer) if v > 2}
    if said - numbers or dates.named(answer) - dates.named(text):
        return False
    units: dict[Decimal, set[str]] = {}
    for value, unit in quantities.measures(text):
        units.setdefault(value, set()).add(unit)
    # Of a price it may be the question alone that says in what it is.
    named = quantities.named_units(text) | dates.named(text)
    return all(
        unit in units[value] if value in units else unit in named
        for value, unit in quantities.measures(answer)
    )


def is_same(answer: str, quote: str, question: str = "") -> bool:
    """Tell whether what is put into the other language has the figures, units and dates it had.

    :param question: Either may say its figures again, or leave them out.
    """
    exact = is_exact(answer, f"{question} {quote}") and is_exact(quote, f"{question} {answer}")
    return exact and is_put(answer, quote, question)


def is_put(answer: str, quote: str, question: str) -> bool:
    """Tell whether an answer leaves out no figure, unit or date of a clause of its quote.

    Nor may it say a bound, a rate or an ordinal of its own.
    """
    said, read = f"{question} {answer}", f"{question} {quote}"
    figures = quantities.figures(answer)
    parts = [quote, *(c for c in CLAUSE.split(quote) if quantities.figures(c) & figures)]
    return (
        any(is_exact(c, said) and quantities.rates(c) <= quantities.rates(said) for c in parts)
        and quantities.bounds(answer) <= quantities.bounds(read)
        and quantities.rates(answer) <= quantities.rates(read)
        and quantities.ordinals(answer) <= quantities.ordinals(read) | quantities.figures(read)
    )


def names_hold(answer: str, quote: str, question: str, is_rare: Callable[[str], bool]) -> bool:
    """Tell whether names sound alike in what is put into the other language and in what it is from.

    Those of an English answer stand in the quote, those of English words in the answer.

    :param question: Either may say its names again.
    :param is_rare: Whether a Latin word with a capital is a name; others may be translated.
    """
    latin, other = (answer, quote) if detect(answer) == "en" else (quote, answer)
    other = f"{other} {question}"
    return all(
        name in other or lexical.is_named(name, other)
        for name in _LATIN_NAME.findall(latin)
        if lexical.is_telling(name) and is_rare(name)
    )


def says_more(words: str, question: str) -> bool:
    """Tell whether words of the other language say what a question in this one doesn't name."""
    asked = folded_words(question)
    said = _WORD.findall(words)
    return any(
        not is_function_word(word)
        and fold(word) not in asked
        and not lexical.sounds_alike(word, question)
        for word in said
    )


def folded_words(text: str) -> set[str]:
    """Return the words of a text, folded."""
    return set(_WORD.findall(fold(text)))
