"""Ways to put evidence into an answer: quoted, said shortly by the LLM, or refused.

A sentence in the asker's language is the best answer as it stands. Across languages the LLM is
asked for a few words, with the question in view: a small one says those rightly far more often than
it translates a sentence, and they can be checked. What doesn't hold is not shown.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from llama_index.core.llms import LLM, ChatMessage

from rag import excerpts, grounding, llm, prompts, quantities, restating, sayings
from rag.config import AnswerSettings, Settings
from rag.conversation import Asked
from rag.errors import GenerationError
from rag.grounding import Citation
from rag.language import Language, is_function_word, wording
from rag.llm import Reply, Usage
from rag.retrieval import Found

How = Literal["written", "quoted", "refused", "told"]

# Another sentence joins the answer when it is at least so likely as the first. With .3, a fifth
# more answers have a second one, and .004 more of what answers is shown, on the set to tune on
# (``python -m eval.training.calibrate``).
_ANOTHER = 0.5
_MOST_QUOTED = 3
_MOST_SAID = 8  # words of the other language in an answer
# English takes a third more words than Arabic to say the same.
_LONGER = 4 / 3
NO_USAGE = Usage()
# Of the reader's log-probabilities beside the LLM's, so that gold sentences come first most often
# (``python -m eval.training.fit_confidence``).
_READERS_WEIGHT = 0.7
# The LLM chooses among what the reader finds at least so likely as its best: an order to whoever
# answers isn't.
_PLAUSIBLE = 0.05
_LEAST = 1e-6  # a probability, or a time


@dataclass(frozen=True)
class Draft:
    """An answer before it is timed."""

    text: str
    citations: tuple[Citation, ...]
    how: How
    usage: Usage = NO_USAGE
    failure: str = ""
    confidence: float = 0.0
    short: str = ""


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
        return distinct([evidence[0] for evidence in parts])[:_MOST_QUOTED]
    chosen, words = list[Found](), 0.0
    for found in distinct(candidates(parts[0])):
        words_more = _longer(found, language) * len(found.shown.split()) + excerpts.MARKER
        if not chosen or words + words_more <= settings.max_words:
            chosen.append(found)
            words += words_more
    return chosen[:_MOST_QUOTED]


def distinct(sentences: Sequence[Found]) -> list[Found]:
    """Return sentences, of those that say the same the first alone."""
    said: dict[str, Found] = {}
    for found in sentences:
        said.setdefault(wording(found.shown), found)
    return list(said.values())


def _longer(found: Found, language: Language) -> float:
    """Return how many words of the answer a sentence's words become."""
    return _LONGER if (found.language, language) == ("ar", "en") else 1.0


def quoted(
    sentences: Sequence[Found], language: Language, max_words: int, question: str = ""
) -> Draft:
    """Answer with sentences as they stand; where all are foreign, point at them.

    :param question: A sentence that is too long is cut around what bears on it.
    """
    readable = [found for found in sentences if found.language == language]
    citations = grounding.citations(readable or sentences)
    if not readable:
        pointer = sayings.pointer(language, dict.fromkeys([c.marker for c in citations], ""))
        return Draft(pointer, citations, "quoted")
    said = zip(
        excerpts.fitted([found.shown for found in readable], max_words, question),
        citations,
        strict=True,
    )
    text = " ".join(f"{sentence} [{c.marker}]" for sentence, c in said)
    return Draft(text, citations, "quoted")


def shortly(said: Said, others: Sequence[Found], language: Language) -> Draft:
    """Answer with what the LLM said, and point at other sentences that belong to the answer."""
    short = sayings.without_markers(said.checked)
    citations = grounding.citations([*said.used, *others], "" if said.quote else short)
    markers = [c.marker for c in citations]
    own, more = markers[: len(said.used)], markers[len(said.used) :]
    text = said.checked + "".join(f" [{marker}]" for marker in own)
    if more:
        text += f" {sayings.pointer(language, dict.fromkeys(more, ''))}"
    return Draft(text, citations, "written", short=short)


def in_its_words(said: Said, others: Sequence[Found], language: Language, question: str) -> Draft:
    """Answer with the words that the LLM quoted, as they stand, and point at other sentences.

    Many words are marked in the quote, and not said: an answer is in the asker's language.
    """
    citations = grounding.citations([*said.used, *others])
    words = [_first_words(found.words) for found in said.used] + [""] * len(others)
    quoted = {
        c.marker: text if grounding.says_more(text, question) else ""
        for c, text in zip(citations, words, strict=True)
    }
    return Draft(sayings.pointer(language, quoted), citations, "quoted")


def _first_words(quote: str) -> str:
    """Return a quote; of one with too many words its first clause, or "".

    A clause that begins with a function word ("to", "if", «إذا») leads to what is said.
    """
    if len(quote.split()) <= _MOST_SAID:
        return quote
    clause = grounding.CLAUSE.split(quote)[0]
    words = clause.split()
    return clause if 0 < len(words) <= _MOST_SAID and not is_function_word(words[0]) else ""


def refused(
    evidence: Sequence[Found],
    language: Language,
    settings: Settings,
    confidence: float,
    question: str = "",
) -> Draft:
    """Say that the documents don't say, with the closest sentence where one is close at all."""
    closest = [replace(found, words="") for found in evidence[:1]]  # they say no answer
    if not closest or closest[0].score < settings.retrieval.min_closest:
        text = sayings.refusal(language, None, foreign=False)
        return Draft(text, (), "refused", confidence=confidence)
    citations = grounding.citations(closest)
    text = excerpts.cut(closest[0].shown, settings.answer.max_words, question)
    foreign = closest[0].language != language
    text = sayings.refusal(language, text, foreign=foreign)
    return Draft(text, citations, "refused", confidence=confidence)


@dataclass(frozen=True)
class Said:
    """What the LLM made of some evidence.

    :ivar used: The sentences that it says it used, or, where it doesn't say, seems to have used;
        none where it finds no answer.
    :ivar is_placed: Whether it is known where its answer comes from.
    :ivar checked: Its answer, held against them; empty where it doesn't hold.
    :ivar answered: Its log-odds that any of the sentences answers; 0 where it doesn't tell.
    :ivar right: And that its answer is right, when it is asked once more; None where it has none
        or doesn't tell.
    :ivar certainty: Mean log-probability of its answer's tokens; None where it doesn't tell.
    :ivar quote: The words of the sentences that its answer puts into the other language.
    :ivar is_restated: Whether these are figures, units and dates alone, put there by table.
    """

    used: tuple[Found, ...]
    is_placed: bool
    checked: str
    answered: float
    right: float | None
    usage: Usage
    certainty: float | None = None
    quote: str = ""
    is_restated: bool = False


class Drafter:
    """Asks an LLM, and holds what it says against what it was given.

    :ivar failure: Why the LLM failed when it was last asked; empty where it didn't.
    """

    def __init__(self, model: LLM, settings: Settings) -> None:
        """Put the parts together."""
        self._model = model
        self._settings = settings
        self.failure = ""

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Note how asking the LLM ends."""
        try:
            yield
        except GenerationError as exc:
            self.failure = str(exc)
            raise
        self.failure = ""

    def warm(self) -> None:
        """Have the LLM read the fixed beginning of its prompts.

        Its KV cache is kept, so that the first question need not wait for it.

        :raises GenerationError: When the LLM fails.
        """
        timeout_s = self._settings.llm.timeout_s
        asking = llm.stream(self._model, prompts.short("…", ["…"], "en"), timeout_s)
        with self._noted(), closing(asking) as pieces:
            next(filter(None, pieces), None)

    def answered(
        self, asked: Asked, evidence: Sequence[Found], language: Language
    ) -> tuple[float | None, Found, Usage]:
        """Return the LLM's log-odds that any sentence answers, and which does most likely.

        Where it doesn't tell, there are no odds, and it is the first.

        :param evidence: At least one sentence, the best first; as many are read as fit.
        :raises GenerationError: When the LLM fails or takes too long.
        """
        read = self._within_budget(evidence)
        messages = prompts.short(asked.standalone, [found.read for found in read], language)
        with self._noted():
            first, usage = self._first(messages)
        if not first:
            return None, read[0], usage
        return _answered(first), read[_likeliest(first, read) - 1], usage

    def short(
        self, asked: Asked, evidence: Sequence[Found], language: Language
    ) -> Generator[str, None, Said]:
        """Return what ``_short`` does, and note how it ended."""
        with self._noted():
            return (yield from self._short(asked, evidence, language))

    def _short(
        self, asked: Asked, evidence: Sequence[Found], language: Language
    ) -> Generator[str, None, Said]:
        """Return an answer of a few words, held against the evidence; nothing of it is shown yet.

        An empty piece for each of the LLM's is where it may be left.

        :param evidence: At least one sentence, the best first; as many are read as fit.
        :raises GenerationError: When the LLM fails or takes too long.
        """
        began = time.monotonic()
        read = self._within_budget(evidence)
        messages, first, reply = yield from self._reply(asked, read, language)
        foreign = {n for n, found in enumerate(read, start=1) if found.language != language}
        parsed = prompts.parsed(reply.text, len(read), foreign)
        if not parsed.answer:
            answered = min(_answered(first), 0.0) if first else -grounding.LIMIT
            return Said((), False, "", answered, None, reply.usage)
        used = tuple(read[n - 1] for n in parsed.used) or grounding.nearest(parsed.answer, read)
        if parsed.quote:
            used = tuple(grounding.with_words(found, parsed.quote) for found in used)
        else:
            used = grounding.holding(parsed.answer, asked.question, used, read)
        quote = prompts.GAP.join(found.words for found in used if found.words and parsed.quote)
        checked = self.checked(parsed, asked.question, language, used, quote)
        table, is_whole = _by_table(used, language) if quote else ("", False)
        # Of figures by table and those of the LLM, all are wanted.
        fuller = quantities.values(parsed.answer) > quantities.values(quote)
        restated = bool(table) and (not checked or (is_whole and not fuller))
        answer = prompts.reply(table, parsed.used, parsed.quote) if restated else reply.text
        yield ""
        left_s = max(_LEAST, self._settings.llm.timeout_s - (time.monotonic() - began))
        asking = prompts.checking(messages, answer)
        right, spent = llm.log_odds(self._model, asking, prompts.YES, prompts.NO, left_s)
        is_placed = bool(parsed.used or checked)
        certainty = prompts.certainty(reply.tokens)
        # A part of what is quoted is said where the LLM finds it right: it may be no answer.
        restated = restated and (is_whole or (right is not None and right > 0))
        return Said(
            *(used, is_placed, table if restated else checked, _answered(first)),
            *(right, reply.usage + spent, certainty),
            quote=quote,
            is_restated=restated,
        )

    def _reply(
        self, asked: Asked, read: Sequence[Found], language: Language
    ) -> Generator[str, None, tuple[prompts.Messages, Mapping[str, float], Reply]]:
        """Return what the LLM says to some sentences, to what, and what it might have begun with.

        :raises GenerationError: When the LLM fails, takes too long or says nothing.
        """
        answers, timeout_s = self._settings.answer, self._settings.llm.timeout_s
        messages = prompts.short(asked.standalone, [found.read for found in read], language)
        first, asked_first = self._first(messages)
        yield ""
        grammar = self._grammar(asked, first, read, language) if first else ""
        if grammar and llm.is_held(self._model):
            # The sentence is settled. A small LLM would say again what it reads of the last answer.
            messages = prompts.short(asked.question, [found.read for found in read], language)
        most = answers.max_words if grammar else math.inf  # without one, thoughts may come first
        reply = yield from _unshown(llm.stream(self._model, messages, timeout_s, grammar), most)
        if not reply.text.strip():
            raise GenerationError("the LLM answered with nothing; check llm.model")
        return messages, first, replace(reply, usage=asked_first + reply.usage)

    def _first(self, messages: Sequence[ChatMessage]) -> tuple[Mapping[str, float], Usage]:
        """Return the likeliest first tokens of a reply; none where no sentence's number is one."""
        first, usage = llm.first_token(self._model, messages, self._settings.llm.timeout_s)
        return (first if any(token.isdecimal() for token in first) else {}), usage

    def checked(
        self,
        parsed: prompts.Parsed,
        question: str,
        language: Language,
        used: Sequence[Found],
        quote: str,
    ) -> str:
        """Return an answer held against the sentences that it is made of, and their words."""
        most = self._settings.answer.max_words
        checked = grounding.check(parsed.answer, question, language, used, most, quote)
        if not checked or not quote:
            return checked
        holds = grounding.names_hold(
            parsed.answer, quote, question, lambda word: llm.is_rare(self._model, word)
        )
        return checked if holds else ""

    def _grammar(
        self,
        asked: Asked,
        first: Mapping[str, float],
        read: Sequence[Found],
        language: Language,
    ) -> str:
        """Return what the LLM's reply is held to."""
        number = _likeliest(first, read)
        return prompts.grammar(
            number,
            [found.read for found in read],
            asked.question,
            language,
            quotes=read[number - 1].language != language,
        )

    def _within_budget(self, evidence: Sequence[Found]) -> list[Found]:
        """Return the best sentences that fit ``answer.evidence_tokens``, the first in any case."""
        left = self._settings.answer.evidence_tokens
        read: list[Found] = []
        for found in evidence:
            left -= llm.count_tokens(self._model, found.read)
            if read and left < 0:
                break
            read.append(found)
        return read


def _likeliest(first: Mapping[str, float], read: Sequence[Found]) -> int:
    """Return the number of the sentence that most likely answers, by the LLM and the reader.

    :param first: Log-probabilities of the LLM's first token.
    """
    least = min(first.values())
    plausible = _PLAUSIBLE * max(found.score for found in read)

    def likely(number: int) -> float:
        by_reader = math.log(max(read[number - 1].score, _LEAST))
        return first.get(str(number), least) + _READERS_WEIGHT * by_reader

    numbers = range(1, min(len(read), 9) + 1)
    return max((n for n in numbers if read[n - 1].score >= plausible), key=likely, default=1)


def _answered(first: Mapping[str, float]) -> float:
    """Return the log-odds that a reply isn't "none", by what its first token might have been."""
    if not first:
        return 0.0
    none = math.exp(first.get(prompts.NONE, -math.inf))
    return math.log(max(1 - none, _LEAST) / max(none, _LEAST))


def _by_table(used: Sequence[Found], language: Language) -> tuple[str, bool]:
    """Return the figures, units and dates that the words of sentences are, in a language.

    Where they say more than these, those of the first clause may be what is asked for.

    :return: "" where neither is figures alone; and whether it is all that the words say.
    """
    runs = [run for found in used for run in found.words.split(prompts.GAP)]
    for words in (runs, list(map(grounding.first_clause, runs))):
        said = [restating.restated(each, language) for each in words]
        if all(said):
            return ("، " if language == "ar" else ", ").join(said), words == runs
    return "", False


def _unshown(stream: Generator[str, None, Reply], most: float) -> Generator[str, None, Reply]:
    """Return what a stream returns; an empty piece for each of its own is where it may be left.

    :param most: Words; what has more than that is too long to be shown, and is left.
    """
    text = ""
    try:
        while len(text.split()) <= most + 1:  # with the number that it begins with
            text += next(stream)
            yield ""
    except StopIteration as done:
        result: Reply = done.value
        return result
    finally:
        stream.close()
    return Reply(text, NO_USAGE)
