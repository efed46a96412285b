"""Questions that the passages at hand don't answer, made of questions that they do.

::

    renamed   "When did Nokia buy Navteq?" → "When did Siemens buy Navteq?"    a false premise
    grafted   "Who invented Hangul?", asked of the article on cuneiform        a near miss

Each keeps what the passages speak of and asks for what they don't say, as far as words can tell:
a changed number, name or subject is one of theirs and its replacement is not; a question from
another article asks by words that they don't hold.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

from rag.language import Language, fold

_NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w,])")
# Capitalised words, but for the first of a sentence.
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*")
_BRACKETS = re.compile(r"\s*[(،,].*")
_ARABIC_WORD = re.compile(r"[ء-ۓ]{2,}")
_LATIN_WORD = re.compile(r"[a-z]+")
_NEW_YEAR = 30  # how far a changed year lies from the right one, at most
_STEM = 4  # letters by which words are compared: enough for both languages' endings
_ARTICLE = re.compile(r"\b(?:[وفبك]?ال|لل)(?=\w{3})")
# Words that every question has; what a question asks by is the rest.
_COMMON = frozenset(
    fold(
        "what who whom whose which when where why how many much long old first last most did does"
        " was were are the for from with that this have has had name names called about there into"
        " and ما ماذا من متى أين كيف كم لماذا هل هو هي هم في على إلى عن مع اسم عدد أول آخر كان كانت"
        " تم يتم أي التي الذي هذا هذه عام سنة"
    ).split()
)


def subject(title: str) -> str:
    """Return what an article is about: its title without what tells it from its namesakes."""
    return _BRACKETS.sub("", title.replace("_", " ")).strip()


def renamed(
    question: str, title: str, about: str, others: Sequence[str], rng: random.Random
) -> str | None:
    """Return the question with a number, a name or its subject replaced by another of its kind.

    :param about: All that the passages say: it holds what is replaced and not the replacement.
    :param others: Titles of other articles in the question's language.
    :return: None when the question holds nothing that could be replaced.
    """
    known = fold(about)
    name = subject(title)
    found = [
        *(m.span() for m in _NUMBER.finditer(question)),
        *(m.span() for m in _NAME.finditer(question)),
    ]
    if len(name) > 2 and (at := question.find(name)) >= 0:
        found.append((at, at + len(name)))
    found = [(start, end) for start, end in found if fold(question[start:end]) in known]
    if not found:
        return None
    start, end = rng.choice(found)
    if question[start:end].isdigit():
        new = _other_number(question[start:end], rng)
    else:
        new = subject(rng.choice(others))
    if not new or fold(new) in known:
        return None
    return question[:start] + new + question[end:]


def grafted(other: str, other_title: str, title: str, about: str) -> str | None:
    """Return a question from another article, asked about the subject of this one.

    :param about: All that the passages say.
    :return: None when the question doesn't name its subject, or asks by words of the passages.
    """
    old, new = subject(other_title), subject(title)
    if len(old) < 3 or not new or old not in other:
        return None
    asked_by = stems(other.replace(old, " "))
    if not asked_by or asked_by & stems(about):
        return None
    return other.replace(old, new)


def stems(text: str) -> set[str]:
    """Return the beginnings of the words of a text that say something."""
    folded = _ARTICLE.sub("", fold(text))
    words: Iterable[str] = _LATIN_WORD.findall(folded) + _ARABIC_WORD.findall(folded)
    return {word[:_STEM] for word in words if len(word) > 2 and word not in _COMMON}


def same_kind(titles: Iterable[tuple[str, Language]], language: Language) -> list[str]:
    """Return the titles of a language, without those that say too much to be a name."""
    return sorted({t for t, of in titles if of == language and 0 < len(subject(t).split()) <= 4})


def _other_number(number: str, rng: random.Random) -> str:
    away = _NEW_YEAR if len(number) == 4 else max(2, int(number))
    return str(abs(int(number) + rng.choice((-1, 1)) * rng.randint(1, away)))
