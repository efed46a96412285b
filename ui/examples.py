"""Questions that the documents do answer: examples in both languages, and what is near another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import grounding, storage
from rag.engine import Engine
from rag.language import Language, detect
from rag.retrieval import Found
from ui import text

MOST = 4


@dataclass(frozen=True)
class Example:
    """A question, and the language it is asked in."""

    question: str
    language: Language


# Characters of each document that names are looked for in, and documents that are looked at.
_READ_CHARS = 20_000
_READ_DOCUMENTS = 20
# Of one question that is refused: offered, and looked at, which takes a search each.
_MOST_NEAR, _TRIED = 2, 4
_TITLE_CHARS = 80
_NAME = re.compile(r"\b[A-Z][A-Za-z]{2,}(?:[ -][A-Z][A-Za-z]+)*\b")


def examples(engine: Engine) -> tuple[Example, ...]:
    """Return up to four questions, as many in each language, that find enough evidence."""
    found: dict[Language, list[str]] = {"ar": [], "en": []}
    for candidate in _candidates(engine):
        language = detect(candidate)
        if len(found[language]) < MOST // 2 and _is_answered(engine, candidate):
            found[language].append(candidate)
        if sum(map(len, found.values())) == MOST:
            break
    return tuple(Example(question, language) for language in found for question in found[language])


def near(engine: Engine, evidence: Sequence[Found], language: Language) -> tuple[str, ...]:
    """Return up to two questions about what the evidence names, that find enough of it.

    :param evidence: Best first; not enough for what was asked.
    """
    asked: list[str] = []
    for name in list(_named(engine, evidence, language))[:_TRIED]:
        question = text.ABOUT[language].format(name=name)
        if len(asked) < _MOST_NEAR and _is_answered(engine, question):
            asked.append(question)
    return tuple(asked)


def _named(engine: Engine, evidence: Sequence[Found], language: Language) -> dict[str, None]:
    """Return what sentences name, then the titles of their documents, each once."""
    title = engine.retriever.storage.title
    # The first word of a sentence may be written large for that alone.
    names = [found[0] for one in evidence for found in _NAME.finditer(one.text) if found.start()]
    titles = [title(one.doc) or "" for one in evidence]
    readable = [t for t in titles if 0 < len(t) <= _TITLE_CHARS and detect(t) == language]
    return dict.fromkeys([*names[: _TRIED - 1], *readable, *names])


def _candidates(engine: Engine) -> Iterator[str]:
    yield from text.SEED_EXAMPLES
    for name in _names(engine):
        yield text.ABOUT.ar.format(name=name)
        yield text.ABOUT.en.format(name=name)


def _names(engine: Engine) -> list[str]:
    """Return the names in Latin letters that the documents speak of most."""
    store = engine.retriever.storage
    with storage.translated(store.folder):
        rows = store.db.execute(
            "SELECT substr(text, 1, ?) FROM documents ORDER BY id LIMIT ?",
            (_READ_CHARS, _READ_DOCUMENTS),
        ).fetchall()
    counts = Counter(name for (content,) in rows for name in _NAME.findall(content))
    # Once may be the first word of a sentence.
    return [name for name, count in counts.most_common(2 * MOST) if count > 1]


def _is_answered(engine: Engine, question: str) -> bool:
    settings = engine.settings.retrieval
    evidence = engine.retriever.evidence(question)
    return grounding.is_enough(grounding.confidence(evidence, settings), settings)
