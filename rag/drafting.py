"""Ways to put evidence into an answer: quoted, translated, written by the LLM, or refused.

The small default model reads badly and translates passably: of the answers that it wrote from the
right Arabic sentences three in five were right, where every one of those sentences is right as it
stands. So its part is to put a sentence into the asker's language (``answer.style``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from llama_index.core.llms import LLM

from rag import glossary, grounding, llm, prompts, translations
from rag.config import AnswerSettings, Settings
from rag.embedding import Embedder
from rag.errors import DeadlineError, GenerationError
from rag.grounding import Citation
from rag.language import Language
from rag.llm import Usage
from rag.prompts import Messages
from rag.retrieval import Found
from rag.storage import Storage

How = Literal["written", "quoted", "refused"]

# Another sentence joins the answer when it is at least so likely as the first: with .5 and two
# sentences, three in a hundred of the project's own questions fewer are answered whole.
_ANOTHER = 0.3
_MOST_QUOTED = 3
# English takes a third more words than Arabic to say the same.
_LONGER = 4 / 3
# Words of an answer that a citation's marker takes, and what shows that a sentence is cut.
_MARKER = _ELLIPSIS = 1
NO_USAGE = Usage()
# Words above which a small LLM leaves out what a sentence says.
_LONG = 32
# Cosine of a sentence and its translation below which another try is worth its time; by hand, on
# the sentences that answer the project's own questions.
_FAITHFUL = 0.86
_CLAUSE = re.compile(r"(?<=[،؛,;:])\s")


@dataclass(frozen=True)
class Draft:
    """An answer before it is timed."""

    text: str
    citations: tuple[Citation, ...]
    how: How
    usage: Usage = NO_USAGE
    failure: str = ""
    confidence: float = 0.0


def candidates(evidence: Sequence[Found]) -> list[Found]:
    """Return the sentences that an answer may be made of, in their order.

    :param evidence: At least one sentence.
    """
    least = _ANOTHER * max(found.score for found in evidence)
    return [found for found in evidence if found.score >= least]


def choose(
    parts: Sequence[Sequence[Found]], language: Language, settings: AnswerSettings
) -> list[Found]:
    """Return the sentences that make up an answer, within the limit of words.

    :param parts: For each part of a question its evidence, best first, at least one sentence: one
        of each is wanted, and of a question with a single part every candidate that fits.
    :param language: Of the answer.
    """
    if len(parts) > 1:  # who asks two things is owed both: they share the words
        return _distinct([evidence[0] for evidence in parts])[:_MOST_QUOTED]
    chosen, words = list[Found](), 0.0
    for found in _distinct(candidates(parts[0])):
        words_more = _longer(found, language) * len(found.text.split()) + _MARKER
        if not chosen or words + words_more <= settings.max_words:
            chosen.append(found)
            words += words_more
    return chosen[:_MOST_QUOTED]


def _distinct(sentences: Sequence[Found]) -> list[Found]:
    places: dict[tuple[str, int], Found] = {}
    for found in sentences:
        places.setdefault((found.doc, found.start), found)
    return list(places.values())


def fitted(texts: Sequence[str], max_words: int) -> list[str]:
    """Return each text, or as much of it as fits its share of the words, its marker counted."""
    left, said = max_words, dict[int, str]()
    # The shortest first: what they leave of their share is the others'.
    order = sorted(range(len(texts)), key=lambda n: len(texts[n].split()))
    for place, n in enumerate(order):
        said[n] = _cut(texts[n], left // (len(order) - place) - _MARKER)
        left -= len(said[n].split()) + _MARKER
    return [said[n] for n in range(len(texts))]


def _longer(found: Found, language: Language) -> float:
    """Return how many words of the answer a sentence's words become."""
    return _LONGER if (found.language, language) == ("ar", "en") else 1.0


def quoted(chosen: Sequence[Found], language: Language, max_words: int) -> Draft:
    """Answer with the sentences as they stand; where all are foreign, point at them."""
    readable = [found for found in chosen if found.language == language]
    citations = grounding.citations(readable or chosen)
    if not readable:
        return Draft(prompts.pointer(language, len(citations)), citations, "quoted")
    said = zip(fitted([found.text for found in readable], max_words), citations, strict=True)
    text = " ".join(f"{sentence} [{c.marker}]" for sentence, c in said)
    return Draft(text, citations, "quoted")


def refused(evidence: Sequence[Found], language: Language, settings: Settings) -> Draft:
    """Say that the documents don't say, with the closest sentence where one is close at all."""
    closest = evidence[:1]
    if not closest or closest[0].score < settings.retrieval.min_closest:
        return Draft(prompts.refusal(language, None, foreign=False), (), "refused")
    citations = grounding.citations(closest)
    text = _cut(closest[0].text, settings.answer.max_words)
    foreign = closest[0].language != language
    return Draft(prompts.refusal(language, text, foreign=foreign), citations, "refused")


def _cut(text: str, max_words: int) -> str:
    """Cut a long sentence after its last whole clause within the limit; the citation is whole.

    A clause that says little, such as an item's heading, is followed by words.

    :param max_words: With what shows that it is cut.
    """
    words, room = text.split(), max(1, max_words - _ELLIPSIS)
    if len(words) <= max_words:
        return text
    kept = list[str]()
    for clause in _CLAUSE.split(text):
        if len(kept) + len(clause.split()) > room:
            break
        kept += clause.split()
    return f"{' '.join(kept if 2 * len(kept) >= room else words[:room])} …"


def _halves(sentence: str) -> list[str]:
    """Cut a sentence between the two clauses nearest its middle; one clause is not cut."""
    cuts = [match.end() for match in _CLAUSE.finditer(sentence)]
    if not cuts:
        return []
    middle = min(cuts, key=lambda cut: abs(cut - len(sentence) / 2))
    return [sentence[:middle].strip(), sentence[middle:].strip()]


class Drafter:
    """Writes with an LLM, and holds every sentence against what it was written from."""

    def __init__(
        self,
        model: LLM,
        settings: Settings,
        embedder: Embedder,
        storage: Storage,
    ) -> None:
        """Put the parts together.

        :param storage: The index that the evidence comes from; it keeps the translations.
        """
        self._model = model
        self._settings = settings
        self._embedder = embedder
        self._storage = storage

    def warm(self, language: Language) -> None:
        """Have the LLM read the fixed beginning of its translations into a language.

        Its KV cache is kept, so that the first question need not wait for it: seconds on a CPU.

        :raises GenerationError: When the LLM fails.
        """
        pieces = llm.stream(
            self._model, prompts.translation("…", language), self._settings.llm.timeout_s
        )
        with closing(pieces):
            next(pieces)

    def translated(
        self, chosen: Sequence[Found], names: Sequence[str], language: Language
    ) -> Generator[str, None, Draft | None]:
        """Yield the sentences in the asker's language; return None when none could be put so.

        :param names: In Latin script, that the sentences may hold in Arabic; see ``glossary``.
        :raises GenerationError: When the LLM fails or takes too long.
        """
        deadline = time.monotonic() + self._settings.llm.timeout_s
        most = self._settings.answer.max_words
        texts, cited, usage = list[str](), list[Found](), Usage()
        for n, found in enumerate(chosen):
            if n:
                yield " "
            # What is said is cut afterwards: translations are shorter than foreseen as often as
            # not, and whole sentences are better translated than beginnings.
            held = _cut(found.text, most) if len(chosen) > 1 else found.text
            if found.language == language:
                yield held
            else:
                held, spent = yield from self._translated(found, held, names, language, deadline)
                usage += spent
            if held:
                cited.append(found)
                texts.append(held)
        if not texts:
            return None
        said = [f"{text} [{n}]" for n, text in enumerate(fitted(texts, most), start=1)]
        return Draft(" ".join(said), grounding.citations(cited), "written", usage)

    def _translated(
        self, found: Found, said: str, names: Sequence[str], language: Language, deadline: float
    ) -> Generator[str, None, tuple[str, Usage]]:
        """Yield a translation, kept or new; return what of it holds, and what it cost.

        :param said: What of the sentence is translated.
        """
        source = glossary.in_latin(said, names) if language == "en" else said
        messages = prompts.translation(source, language)
        retry = self._settings.answer.retry
        asked = translations.key(messages, self._settings.llm, retry=retry)
        kept = self._storage.translations.get(found.doc, asked)
        if kept is not None:
            yield kept
            return kept, Usage()
        held, usage = yield from self._newly_translated(found, source, language, deadline)
        self._storage.translations.keep(found.doc, asked, held)
        return held, usage

    def _newly_translated(
        self, found: Found, source: str, language: Language, deadline: float
    ) -> Generator[str, None, tuple[str, Usage]]:
        """Yield a translation; return what of it holds, and what it cost.

        Halves are easier: so a long sentence is translated, and one that doesn't hold, leaves
        something out or hardly says the same is tried again. A half that doesn't hold either is
        left out.
        """
        long = len(source.split()) > _LONG
        held, usage = list[str](), Usage()
        for n, piece in enumerate(_halves(source) or [source] if long else [source]):
            if n:
                yield " "
            messages = prompts.translation(piece, language)
            shown, spent = yield from self._stream(messages, deadline)
            usage += spent
            faults = self._check(shown, "", language, [found]).faults
            said = "" if faults else shown.strip()
            worth = self._worth(piece, shown, language)
            if faults or worth < (0, _FAITHFUL):
                again, spent = yield from self._in_halves(found, piece, language, deadline)
                usage += spent
                if faults or (again and self._worth(piece, again, language) > worth):
                    said = again
            held += [said] if said else []
        return " ".join(held), usage

    def _in_halves(
        self, found: Found, source: str, language: Language, deadline: float
    ) -> Generator[str, None, tuple[str, Usage]]:
        """Return what holds of the translations of both halves, and what they cost."""
        held, usage = list[str](), Usage()
        for half in _halves(source) if self._settings.answer.retry else ():
            messages = prompts.translation(half, language)
            reply, spent = yield from _unshown(self._stream(messages, deadline))
            usage += spent
            if not self._check(reply, "", language, [found]).faults:
                held.append(reply.strip())
        return " ".join(held), usage

    def _worth(self, source: str, translation: str, language: Language) -> tuple[int, float]:
        """Return what orders translations of a sentence: what they keep, how alike they are.

        :return: Minus the number of figures and names that are lost, and a cosine.
        """
        lost = grounding.lost(source, translation) if language == "en" else []
        vectors = self._embedder.embed_texts([source, translation])
        return -len(lost), float(vectors[0] @ vectors[1])

    def written(
        self, question: str, evidence: Sequence[Found], language: Language
    ) -> Generator[str, None, Draft | None]:
        """Yield an answer that the LLM writes; return None when nothing of it holds.

        :raises GenerationError: When the LLM fails or takes too long.
        """
        deadline = time.monotonic() + self._settings.llm.timeout_s
        read = self._within_budget(evidence)
        messages = prompts.answering(question, [found.text for found in read], language)
        reply, usage = yield from self._stream(messages, deadline)
        checked = self._check(reply, question, language, read)
        if checked.faults and self._settings.answer.retry:
            retry = prompts.again(messages, reply, checked.faults, language)
            reply, spent = yield from _unshown(self._stream(retry, deadline))
            usage += spent
            second = self._check(reply, question, language, read)
            if len(second.faults) < len(checked.faults) or not checked.text:
                checked = second
        if not checked.text:
            return None
        return Draft(checked.text, checked.citations, "written", usage)

    def _check(
        self, reply: str, question: str, language: Language, read: Sequence[Found]
    ) -> grounding.Checked:
        return grounding.check(reply, question, language, read, self._embedder, self._storage.text)

    def _within_budget(self, evidence: Sequence[Found]) -> list[Found]:
        """Return the best sentences that fit ``answer.evidence_tokens``, the first in any case."""
        left = self._settings.answer.evidence_tokens
        read: list[Found] = []
        for found in evidence[: self._settings.retrieval.prompt_sentences]:
            left -= llm.count_tokens(self._model, found.text)
            if read and left < 0:
                break
            read.append(found)
        return read

    def _stream(
        self, messages: Messages, deadline: float
    ) -> Generator[str, None, tuple[str, Usage]]:
        """Yield a reply as it is written, and return all of it with what it cost."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise DeadlineError(llm.too_slow(self._settings.llm.timeout_s))
        text, usage = "", Usage()
        for piece in llm.stream(self._model, messages, left):
            if isinstance(piece, Usage):
                usage = piece
            else:
                text += piece
                yield piece
        if not text.strip():
            raise GenerationError("the LLM answered with nothing; check llm.model")
        return text, usage


def _unshown(
    stream: Generator[str, None, tuple[str, Usage]],
) -> Generator[str, None, tuple[str, Usage]]:
    """Return what a stream returns; an empty piece for each of its own is where it may be left."""
    try:
        while True:
            next(stream)
            yield ""
    except StopIteration as done:
        result: tuple[str, Usage] = done.value
        return result
    finally:
        stream.close()
