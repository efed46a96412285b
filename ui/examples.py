"""Questions that the documents do answer: examples in both languages, and what may be asked next.

The best is one that a document asks and answers itself; else it is about a heading, a title or a
name. No LLM makes it or judges it: it is offered where the engine quotes the document that it was
made of.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import Final

from rag import sayings
from rag.engine import Answer, Engine
from rag.errors import QuestionError
from rag.language import LANGUAGES, Language, detect, fold, other
from rag.retrieval import Found
from rag.sentences import Unit
from rag.storage import Storage
from ui import text


@dataclass(frozen=True)
class Example:
    """A question, and the language it is asked in.

    :ivar is_request: Whether it asks for the list of documents or the summary of one.
    """

    question: str
    language: Language
    is_request: bool = False


_MOST: Final = 2  # in each language; beneath an answer
# Documents that are looked at, and characters of each.
_READ_DOCUMENTS, _READ_CHARS = 20, 20_000
# Questions of one sort that are looked at, which takes a search each.
_TRIED: Final = 5
_TITLE_CHARS, _QUESTION_CHARS = 80, 120
_AROUND: Final = 2_000  # characters on either side of a citation
# Within a sentence: its first word may be written large for that alone.
_NAME = re.compile(r"(?:(?<=[^\WA-Z\d_] )|(?<=[,،:] ))[A-Z][A-Za-z]{2,}(?:[ -][A-Z][A-Za-z]+)*\b")
_ASKS = re.compile(r"[?؟][\"'”’»)\]]*$")
_NUMBER = re.compile(r"^[\W\d]+")  # before a heading
_SAYS = re.compile(r"[:：.!?؟؛;…]\W*$")  # at the end of what is no heading but a sentence


def examples(engine: Engine) -> tuple[Example, ...]:
    """Return up to two questions in each language, then the requests that are understood."""
    alone = engine.quoting()
    titles = list(engine.retriever.titles().items())
    some = dict(titles[:: 1 + (len(titles) - 1) // _READ_DOCUMENTS])
    lines = {doc: _lines(alone.retriever.storage.units(doc, 0, _READ_CHARS)) for doc in some}
    found = [
        Example(question, language)
        for language in LANGUAGES
        for question in _answered(alone, _candidates(alone, some, lines, language))
    ]
    return (*found, *_requests(alone, some))


def near(engine: Engine, evidence: Sequence[Found], language: Language) -> tuple[str, ...]:
    """Return up to two questions about what the evidence names, else for its documents in short.

    Only what is answered without a doubt: a second refusal leads nowhere.

    :param evidence: Best first; not enough for what was asked.
    """
    alone, least, read = engine.quoting(), 0.0, evidence
    if engine.translates:  # the LLM isn't asked here, so what it would decide is not offered
        least = engine.settings.answer.sure
        read = [found for found in evidence if found.language == language]
    questions = islice(_near(engine, read, language), _TRIED - 1)
    asked = (one for one in questions if (sure := _confidence(alone, one)) and sure >= least)
    titles = filter(None, dict.fromkeys(engine.retriever.storage.title(f.doc) for f in evidence))
    told = (summary for title in titles if (summary := _summary(alone, title, language)))
    return tuple(islice(chain(asked, told), _MOST))


def following(engine: Engine, answer: Answer, asked: Collection[str]) -> tuple[str, ...]:
    """Return up to two questions that documents ask themselves where the answer was found.

    Nothing is searched for them: what answers such a question stands beneath it.

    :param asked: What is not offered again, beside the answer's own question.
    """
    units_of = engine.retriever.storage.units
    lines, known = list[str](), {fold(said) for said in (answer.question, *asked)}
    for found in answer.evidence:
        lines += found.lead.split("\n")
    for cited in answer.citations[:_MOST]:
        around = units_of(cited.doc, max(0, cited.start - _AROUND), cited.end + _AROUND)
        lines += _lines(around)
        for unit in around:
            if unit.start < cited.end and unit.end > cited.start:
                known.update(map(fold, unit.lead.split("\n")))
    own = dict.fromkeys(line for line in lines if _asks(line, answer.language))
    return tuple(islice((line for line in own if fold(line) not in known), _MOST))


def _near(engine: Engine, evidence: Sequence[Found], language: Language) -> Iterator[str]:
    """Yield what the evidence stands under, names and is titled, as questions, each once."""
    title = engine.retriever.storage.title
    about = text.ABOUT[language]
    leads = dict.fromkeys(line for one in evidence for line in one.lead.split("\n"))
    own = [line for line in leads if _asks(line, language)][:_MOST]
    names = [name for one in evidence for name in _NAME.findall(one.text)]
    headings = [*leads, *dict.fromkeys(title(one.doc) or "" for one in evidence)]
    headed = [question for line in headings if (question := _headed(line, language, language))]
    yield from dict.fromkeys(
        [*own, *(about.format(name=name) for name in dict.fromkeys(names[:_MOST])), *headed]
    )


def _candidates(
    engine: Engine,
    titles: Mapping[str, str],
    lines: Mapping[str, Sequence[str]],
    language: Language,
) -> Iterator[tuple[str, str]]:
    """Yield questions with the documents they are made of, the best first, from each in turn.

    :param lines: Of each document, what its sentences stand under.
    """
    own = [[(line, doc) for line in lines[doc] if _asks(line, language)] for doc in titles]
    yield from islice(_in_turn(own), _TRIED)
    for of in (language, other(language)):
        headed = [
            [(q, doc) for line in (*lines[doc], title) if (q := _headed(line, of, language))]
            for doc, title in titles.items()
        ]
        yield from islice(_in_turn(headed), _TRIED)
        if of == language:
            for name in _names(engine.retriever.storage, titles)[:_TRIED]:
                yield text.ABOUT[language].format(name=name), ""


def _in_turn(rows: Iterable[Sequence[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    return (one for one in chain.from_iterable(zip_longest(*rows)) if one is not None)


def _lines(units: Iterable[Unit]) -> list[str]:
    """Return what units stand under, each line once."""
    return list(dict.fromkeys(line for unit in units for line in unit.lead.split("\n") if line))


def _asks(line: str, language: Language) -> bool:
    """Tell whether a line is a question in a language."""
    return len(line) <= _QUESTION_CHARS and bool(_ASKS.search(line)) and detect(line) == language


def _headed(line: str, of: Language, language: Language) -> str:
    """Return a question about a heading or title; "" where it is none in that language.

    One word, as "Introduction", seldom says what it is about.
    """
    name = _NUMBER.sub("", line).strip()
    if len(name) > _TITLE_CHARS or " " not in name or _SAYS.search(line) or detect(name) != of:
        return ""
    return text.ABOUT[language].format(name=sayings.title(name, language))


def _names(store: Storage, docs: Iterable[str]) -> list[str]:
    """Return the names in Latin letters that documents speak of most."""
    texts = (store.text(doc)[:_READ_CHARS] for doc in docs)
    counts = Counter(name for content in texts for name in _NAME.findall(content))
    return [name for name, count in counts.most_common(_TRIED) if count > 1]


def _answered(engine: Engine, candidates: Iterable[tuple[str, str]]) -> list[str]:
    """Return the two questions that are answered most surely, or the first that are surely."""
    sure = engine.settings.answer.sure
    found: dict[str, float] = {}
    for question, doc in candidates:
        if confidence := _confidence(engine, question, doc):
            found[question] = confidence
        if sum(each >= sure for each in found.values()) == _MOST:
            break
    return sorted(found, key=lambda question: -found[question])[:_MOST]


def _confidence(engine: Engine, question: str, doc: str = "") -> float:
    """Return how sure the best sentence is; 0 where none is quoted, or of another document.

    :param engine: Without an LLM.
    """
    answer = _answer(engine, question)
    cited = [each.doc for each in answer.citations] if answer else []
    right = answer and answer.how == "quoted" and cited and doc in ("", cited[0])
    return answer.evidence[0].score if answer and right else 0.0


def _requests(engine: Engine, titles: Mapping[str, str]) -> Iterator[Example]:
    """Yield what is understood as a request for the list of documents, and for a summary."""
    for language in LANGUAGES:
        which = text.WHICH_DOCUMENTS[language]
        answer = _answer(engine, which)
        if answer and answer.how == "told":
            yield Example(which, language, is_request=True)
        # One that its reader can read, where there is one.
        for title in sorted(titles.values(), key=lambda title: detect(title) != language)[:_MOST]:
            if asked := _summary(engine, title, language):
                yield Example(asked, language, is_request=True)
                break


def _summary(engine: Engine, title: str, language: Language) -> str:
    """Return what asks for a document's summary; "" where it isn't understood so."""
    asked = text.SUMMARISE[language].format(name=sayings.title(title, language))
    answer = _answer(engine, asked)
    return asked if answer and answer.how == "told" else ""


def _answer(engine: Engine, question: str) -> Answer | None:
    """Return the engine's answer; None where it can't be asked."""
    try:
        *_, answer = engine.answer(question)
    except QuestionError:
        return None
    return answer if isinstance(answer, Answer) else None
