"""Numbers written as words, composed: ``twenty-one``, «واحدًا وعشرين», «ثلاثة آلاف وخمسمئة».

Works on folded text. A number is built from left to right: what may follow what is decided by the
size of the parts and by what joins them, so that "three and four" are two numbers.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from decimal import Decimal

from rag.language import fold
from rag.units import UNITS, Quantity

SCALES: dict[str, int] = {
    fold(scale): 10**power
    for power, scales in {
        3: "thousand ألف آلاف ألفا",
        6: "million millions mn mln مليون ملايين مليونا",
        9: "billion billions bn bln مليار مليارات مليارا بليون بلايين",
        12: "trillion trillions tn trn تريليون تريليونات تريليونا ترليون",
    }.items()
    for scale in scales.split()
}
_UNITS: dict[str, int] = {
    fold(word): value
    for value, words in {
        1: "one a واحد واحدا واحدة أحد إحدى",
        2: "two اثنان اثنين اثنتان اثنتين اثنا اثني اثنتا اثنتي",
        3: "three ثلاث ثلاثة ثلاثا", 4: "four أربع أربعة أربعا", 5: "five خمس خمسة خمسا",
        6: "six ست ستة ستا", 7: "seven سبع سبعة سبعا", 8: "eight ثمان ثماني ثمانية ثمانيا",
        9: "nine تسع تسعة تسعا", 10: "ten عشر عشرة عشرا",
        11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen",
        17: "seventeen", 18: "eighteen", 19: "nineteen",
        20: "twenty عشرون عشرين", 30: "thirty ثلاثون ثلاثين", 40: "forty أربعون أربعين",
        50: "fifty خمسون خمسين", 60: "sixty ستون ستين", 70: "seventy سبعون سبعين",
        80: "eighty ثمانون ثمانين", 90: "ninety تسعون تسعين",
    }.items()
    for word in words.split()
}  # fmt: skip
_HUNDREDS: dict[str, int] = {
    fold(begin + hundred): value
    for value, begin in (
        *((100, ""), (300, "ثلاث"), (400, "أربع"), (500, "خمس"), (600, "ست"), (700, "سبع")),
        *((800, "ثمان"), (800, "ثماني"), (900, "تسع")),
    )
    for hundred in ("مئة", "مائة", "ميه")
} | dict.fromkeys(
    map(fold, ("مئتان", "مئتين", "مئتا", "مئتي", "مائتان", "مائتين", "مائتا", "مائتي")), 200
)
# Two of a scale, in one word; before a noun without its end.
_TWICE = {
    fold(scale + ending): 2 * SCALES[fold(scale)]
    for scale in ("ألف", "مليون", "مليار")
    for ending in ("ان", "ين", "ي")
}
# "Two of" before a unit, and else one in the accusative: «مليونا دينار», «بلغ مليونًا».
_EITHER = {fold(scale + "ا"): 2 * SCALES[fold(scale)] for scale in ("ألف", "مليون", "مليار")}
# The first and the second are parts of others: «الحادي عشر», «الثانية والعشرون».
ORDINALS: dict[str, int] = {
    fold(word): value
    for value, words in enumerate(
        (
            "حادي حادية", "ثاني ثانية",
            "third ثالث ثالثة", "fourth رابع رابعة", "fifth خامس خامسة", "sixth سادس سادسة",
            "seventh سابع سابعة", "eighth ثامن ثامنة", "ninth تاسع تاسعة", "tenth عاشر عاشرة",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
_VALUES = SCALES | _UNITS | {"hundred": 100} | _HUNDREDS | _TWICE | ORDINALS
_I_AM_NOT = "لست"  # and "for six", before a unit
_PREFIXES = ("", "وال", "بال", "لل", "ال", "و", "ب", "ل", "ف")
# Where a folded word begins, but for its Arabic prefix.
BEGIN = "(?:" + "|".join(rf"(?<=\b{prefix})" for prefix in _PREFIXES) + ")"
_TOKEN = re.compile(r"\d[\d.,]*|[^\W\d_]+")
_JOINS = re.compile(r"[\s-]*")


@dataclass(frozen=True)
class _Word:
    value: int
    arabic: bool
    ordinal: bool
    definite: bool  # in Arabic
    joined: bool  # by "and" or «و» to what is before
    start: int
    end: int


def spelled(folded: str) -> Iterator[Quantity]:
    """Yield the numbers above 1 and the ordinals above 2 that a folded text writes in words."""
    run: list[_Word] = []
    for word, adjoins in _number_words(folded):
        if run and not (adjoins and _continues(run, word)):
            # "one hundred and two hundred": the two begins another number.
            begun = [run.pop()] if adjoins and word.value == 100 and run[-1].value < 10 else []
            yield from _composed(run)
            run = begun
        run.append(word)
    yield from _composed(run)


def _number_words(folded: str) -> Iterator[tuple[_Word, bool]]:
    """Yield the words of numbers, and whether each stands right after the one before."""
    last, digits, conjunction = -1, -1, -1
    for match in _TOKEN.finditer(folded):
        text, begin = match[0], match.start()
        if text[0].isdigit():
            digits = match.end()
            continue
        if text == "and":
            conjunction = match.end() if _follows(folded, last, begin) else -1
            continue
        stem = _without_prefix(text, _VALUES)
        # A scale after digits belongs to them: 6.6 million.
        if stem is None or (stem in SCALES and _follows(folded, digits, begin)):
            continue
        definite = text.endswith(f"ال{stem}")
        is_first = ORDINALS.get(stem, 3) < 3 and not definite
        if is_first or (text == _I_AM_NOT and not _is_of_unit(folded, match.end())):
            continue
        anded = _follows(folded, conjunction, begin)
        joined = anded or (stem != text and text[0] == "و")
        start = match.end() - len(stem)
        adjoins = anded or _follows(folded, last, begin)
        value = _VALUES[stem]
        if stem in _EITHER and not adjoins and _is_of_unit(folded, match.end()):
            value = _EITHER[stem]
        kind = not stem.isascii(), stem in ORDINALS, definite
        yield _Word(value, *kind, joined, start, match.end()), adjoins
        last = match.end()


def _is_of_unit(folded: str, end: int) -> bool:
    following = _TOKEN.match(folded, end + 1)
    return following is not None and following[0] in UNITS


def _follows(folded: str, end: int, begin: int) -> bool:
    return end >= 0 and bool(_JOINS.fullmatch(folded, end, begin))


def _without_prefix(word: str, known: Container[str]) -> str | None:
    """Return the form of a folded word that is known, with or without its Arabic prefix."""
    stems = (word[len(prefix) :] for prefix in _PREFIXES if word.startswith(prefix))
    return next((stem for stem in stems if stem in known), None)


def _continues(run: list[_Word], word: _Word) -> bool:
    """Tell whether a word goes on with the number of those before it."""
    total, current = _sums(run)
    value = word.value
    if word.arabic and word.ordinal:  # «الخامس عشر» begins with it
        return False
    if value >= 1_000:
        smallest = min((before.value for before in run if before.value >= 1_000), default=10**15)
        return current > 0 and (not total or value < smallest)
    if value == 100 and not word.joined:
        return 0 < current < 10
    if not current:  # after a scale: "two thousand five", «ألفان وخمسة»
        return total > 0
    below = current % 100
    if not below:
        return value < 100
    if word.joined:  # «واحد وعشرون», «الخامس والعشرون», but no "five and twenty"
        alike = word.definite or not run[-1].ordinal  # not «الخامسة وعشرين دقيقة»
        return word.arabic and alike and below < 10 and 20 <= value < 100
    if word.arabic:  # «خمسة عشر»
        return below < 10 and value == 10
    return below >= 20 and below % 10 == 0 and value < 10  # "twenty one"


def _sums(run: list[_Word]) -> tuple[int, int]:
    """Return what stands before the last scale, all in all, and what stands after it."""
    total = current = 0
    for word in run:
        if word.value >= 1_000 and word.value in SCALES.values():
            total += (current or 1) * word.value
            current = 0
        elif word.value >= 1_000:
            total += word.value
        elif word.value == 100 and not word.joined and 0 < current < 10:
            current *= 100
        else:
            current += word.value
    return total, current


def _composed(run: list[_Word]) -> Iterator[Quantity]:
    unit = "ordinal" if any(word.ordinal for word in run) else ""
    if len(run) > 1 or (run and run[0].value > (2 if unit else 1)):
        value = Decimal(sum(_sums(run)))
        yield Quantity(value, unit, start=run[0].start, end=run[-1].end)
