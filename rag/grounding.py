"""Does the answer follow from the evidence? Citations are attached here, never by the model.

Each sentence of an answer is matched with the evidence sentence that carries it; the quote is cut
from the document itself. A marker that the model wrote is text like any other. What an answer says
in figures and names must stand in what it cites, in either script: a sentence that says more is a
*fault*, which the engine repairs before the answer counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag import lexical, prompts, quantities
from rag.config import RetrievalSettings
from rag.embedding import Embedder
from rag.language import Language, detect, fold, foreign_letters, split_sentences
from rag.retrieval import Found

# A cosine below this is no support: of the reference answers to the project's own questions, one in
# twenty is further from the sentence that holds it, and half are further from all but some thirty
# of the articles' other sentences.
MIN_SUPPORT = 0.5
# What one number or name, found in both, adds to a cosine: more than two sentences of one passage
# usually differ.
SHARED_TERM_WEIGHT = 0.1
# A share of the words at which a fragment counts as taken from a sentence.
MIN_HELD = 0.75
# A share of its words at which an answer only says the question again.
_ECHO = 0.9

_WORD = re.compile(r"\w+")
_ARABIC, _LATIN = re.compile("[\u0621-\u064a]"), re.compile("[a-z]")  # of folded words
_LATIN_NAME = re.compile(r"[a-z][a-z0-9.-]*[a-z0-9]", re.ASCII)
# Words that follow one another and are capitalised: one name, not the word that begins a clause.
_NAME = re.compile(
    r"(?<![.:;!?•–-] )(?<![\w.&-])[A-Z][A-Za-z0-9&.-]*[A-Za-z0-9]"
    r"(?: [A-Z][A-Za-z0-9&.-]*[A-Za-z0-9])*"
)
# Capitalised in English whatever they name, or said in Arabic by an adjective or a plain word.
_NOT_NAMES = frozenset(
    "i ai ceo cto cfo us uk eu un usd american chinese french british german arabic english united"
    " states kingdom yes no monday tuesday wednesday thursday friday saturday sunday christmas mr"
    " mrs ms dr we you he she it they the a an this that these those our my his her their its in on"
    " at if when while as for to from with without not and but or so there here what who how why"
    " where company president".split()
)
# Capitalised as a part of a title, an office or an institution, which Arabic says by plain words:
# "Chief Scientist", "Federal Court". What they are of is still looked for.
_TITLES = frozenset(
    "academy acting administration agency ambassador army association attorney authority bank"
    " board bureau cabinet center central centre chair chairman chairwoman chief co co-founder"
    " cofounder college commission commissioner committee congress constitution corporation"
    " council court crown department deputy director district doctor editor engineer executive"
    " federal financial first foreign former foundation founder fund general government governor"
    " group head high holding hospital house institute intelligence international judge justice"
    " king law league manager managing marketing mayor minister ministry national office officer"
    " operating parliament party police prime prince princess professor prosecutor public queen"
    " republic research researcher revenue school scientist second secretary security senate"
    " senator senior sheikh society state street supreme technical technology treasury union"
    " university vice white".split()
)
_ORDINARY = _NOT_NAMES | _TITLES


@dataclass(frozen=True)
class Citation:
    """A verbatim sentence of a document.

    :ivar marker: The number that stands in brackets in the answer, from 1.
    :ivar quote: Equals ``text[start:end]`` of the document's cleaned text.
    """

    marker: int
    doc: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Terms:
    """What a text states in figures and names, made comparable across scripts."""

    numbers: frozenset[str]
    months: frozenset[int]
    names: frozenset[str]

    def shared(self, other: Terms) -> int:
        """Count what both hold."""
        return (
            len(self.numbers & other.numbers)
            + len(self.months & other.months)
            + len(self.names & other.names)
        )


@dataclass(frozen=True)
class Checked:
    """An answer held against the evidence.

    :ivar text: Its supported sentences, each with ``[n]`` where citation n stands.
    :ivar faults: What is wrong, as the model would be told: figures and names that no evidence
        holds, sentences that nothing carries, another language, the question said again.
    """

    text: str
    citations: tuple[Citation, ...]
    faults: tuple[str, ...]


def check(
    answer: str,
    question: str,
    language: Language,
    evidence: Sequence[Found],
    embedder: Embedder,
    text_of: Callable[[str], str],
) -> Checked:
    """Hold an answer against the evidence that it was written from.

    :param question: What was asked.
    :param language: That the answer should be in.
    :param text_of: The cleaned text of a document, by id: every quote is checked against it.
    """
    answer = prompts.without_markers(answer).strip()
    if not answer or not evidence:
        return Checked("", (), ("empty",))
    read = " ".join([question, *(found.text for found in evidence)])
    if detect(answer) != language or _is_mixed(answer, language, read):
        return Checked("", (), ("language",))
    if _is_echo(answer, question):
        return Checked("", (), ("echo",))
    spans = [answer[a:z] for a, z in split_sentences(answer)]
    vectors = embedder.embed_texts(spans + [found.text for found in evidence])
    cosines = vectors[: len(spans)] @ vectors[len(spans) :].T
    cited: list[Found] = []
    parts: list[str] = []
    faults: list[str] = []
    for sentence, row in zip(spans, cosines, strict=True):
        carriers, missing = _carriers(sentence, evidence, [float(x) for x in row])
        carriers = [f for f in carriers if text_of(f.doc)[f.start : f.end] == f.text]
        if missing or not carriers:
            faults += missing or [sentence]
            continue
        cited += [found for found in carriers if found not in cited]
        markers = "".join(f" [{cited.index(found) + 1}]" for found in carriers)
        parts.append(sentence + markers)
    return Checked(" ".join(parts), citations(cited), tuple(dict.fromkeys(faults)))


def citations(sentences: Sequence[Found]) -> tuple[Citation, ...]:
    """Return the sentences as citations, numbered from 1."""
    return tuple(
        Citation(marker, found.doc, found.start, found.end, found.text)
        for marker, found in enumerate(sentences, start=1)
    )


def confidence(evidence: Sequence[Found], settings: RetrievalSettings) -> float:
    """Return how sure it is that the evidence answers the question.

    With the reader, scores are probabilities and their sum is that of any sentence answering;
    without it, it is the nearest sentence's score, and -1 where there is none.
    """
    scores = [found.score for found in evidence]
    if settings.reader == "none":
        return max(scores, default=-1.0)
    return min(1.0, sum(scores))


def is_enough(confidence: float, settings: RetrievalSettings) -> bool:
    """Say whether evidence of this ``confidence`` answers the question."""
    least = settings.min_score if settings.reader == "none" else settings.min_probability
    return confidence >= least


def terms(text: str) -> Terms:
    """Return the figures, months and names of a text."""
    folded = fold(text)
    latin = {word for word in _LATIN_NAME.findall(folded) if word not in _NOT_NAMES}
    return Terms(
        numbers=frozenset(str(v.normalize()) for v in quantities.values(text)),
        months=frozenset(quantities.months(text)),
        names=frozenset(latin),
    )


def _carriers(
    sentence: str, evidence: Sequence[Found], cosines: Sequence[float]
) -> tuple[list[Found], list[str]]:
    """Return the evidence that carries a sentence of the answer, and what of it none carries.

    The first is the nearest; another is added for each figure or name that those before it lack. A
    fragment («في 9 ديسمبر») lies far from the sentence that it is taken from, but its words all
    stand there.
    """
    claimed = terms(sentence)
    words = set(_WORD.findall(fold(sentence)))
    scored = []
    for n, (found, cosine) in enumerate(zip(evidence, cosines, strict=True)):
        held = len(words & set(_WORD.findall(fold(found.text)))) / max(1, len(words))
        if cosine >= MIN_SUPPORT or held >= MIN_HELD:
            shared = claimed.shared(terms(found.text))
            scored.append((cosine + held + SHARED_TERM_WEIGHT * shared, -n, found))
    carriers: list[Found] = []
    wanted = _stated(sentence)
    for _, _, found in sorted(scored, reverse=True):
        lacking = [term for term in wanted if not _holds(found, term)]
        if not carriers or len(lacking) < len(wanted):
            carriers.append(found)
            wanted = lacking
        if not wanted:
            break
    return carriers, wanted


def _stated(sentence: str) -> list[str]:
    """Return the figures, months and names that a sentence of an answer states."""
    numbers = [f"{value.normalize():f}" for value in sorted(quantities.values(sentence))]
    # Not "two": Arabic says it by a noun's ending, and only some nouns' are known.
    numbers += [f"{value:f}" for value in sorted(quantities.spelled(sentence)) if value > 2]
    measures = sorted(quantities.measures(sentence))
    numbers += [f"{value.normalize():f} {unit}" for value, unit in measures]
    months = [f"month {month}" for month in sorted(quantities.months(sentence))]
    start = len(sentence) - len(sentence.lstrip("\"'“‘«("))
    named = []
    for match in _NAME.finditer(sentence):
        words = match[0].split()
        begins = match.start() <= start and detect(sentence) == "en"
        words = [w for w in words[begins:] if fold(w) not in _ORDINARY and not quantities.months(w)]
        named += [" ".join(words)] if words else []
    return list(dict.fromkeys(numbers + months + named))


def _holds(found: Found, term: str) -> bool:
    """Tell whether an evidence sentence states a figure, month or name, in whichever script."""
    if term.startswith("month "):
        return int(term.removeprefix("month ")) in quantities.months(found.text)
    number, _, unit = term.partition(" ")
    if unit and number.replace(".", "").isdecimal():
        units = {u for value, u in quantities.measures(found.text) if value == Decimal(number)}
        return unit in units if units else _holds(found, number)
    if term[0].isdigit():
        value = quantities.values(term) | quantities.spelled(term)
        stated = quantities.values(found.text) | quantities.spelled(found.text)
        return bool(value & stated)
    # What the sounds of a short word ("Wall") are in Arabic can't be told: the rest decides.
    words = [fold(word).removesuffix("'s") for word in term.split()]
    told = [word for word in words if lexical.sounds(word) or word in fold(found.text)] or words
    return all(w in fold(found.text) or lexical.sounds_alike(w, found.text) for w in told)


def lost(source: str, translation: str) -> list[str]:
    """Return the figures of a sentence, and names in Latin script, that a translation leaves out.

    :param source: In Arabic, or a name in it would be a word like any other.
    """
    said, told = fold(translation), quantities.values(translation)
    told |= quantities.spelled(translation)
    numbers = [f"{value.normalize():f}" for value in sorted(quantities.values(source) - told)]
    names = [
        name
        for name in dict.fromkeys(_LATIN_NAME.findall(fold(source)))
        if not (quantities.scale(name) or quantities.time_unit(name))
        and not (name in said or lexical.sounds_alike(name, translation))
    ]
    return numbers + names


def _is_mixed(answer: str, language: Language, read: str) -> bool:
    """Tell whether an answer holds letters or words of another script that nothing read has.

    No word is written in both. In capitals, a word of the other script is a name, and is looked
    for as such.
    """
    said = {fold(word) for word in _WORD.findall(answer) if not word[0].isupper()}
    arabic = {word for word in said if _ARABIC.search(word)}
    latin = {word for word in said if _LATIN.search(word)}
    foreign = (latin if language == "ar" else arabic) - set(_WORD.findall(fold(read)))
    return bool(foreign_letters(answer) - foreign_letters(read) or arabic & latin or foreign)


def _is_echo(answer: str, question: str) -> bool:
    """Tell whether an answer says nothing that the question doesn't."""
    words = _WORD.findall(fold(answer))
    asked = set(_WORD.findall(fold(question)))
    return sum(word in asked for word in words) >= _ECHO * len(words)
