"""Numbers as values, so that 6.6 مليار, 6.6 billion and $6.6B are one.

Only what a text states in so many words is read: no arithmetic, no conversion of units.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from rag import number_words, units
from rag.language import Language, fold
from rag.number_words import SCALES, without_prefix

_LETTERS = {"k": 3, "m": 6, "b": 9, "t": 12}  # written onto the number: 500m, $6.6B
# Nouns whose dual says "two" of them; of other words, a dual looks like a plural.
DUALS: dict[str, str] = {
    stem + ending: noun
    for noun, stem in {
        "شخص": "شخص", "عام": "عام", "سنة": "سنت", "شهر": "شهر", "أسبوع": "اسبوع", "يوم": "يوم",
        "ساعة": "ساعت", "دقيقة": "دقيقت", "ثانية": "ثانيت", "مرة": "مرت", "دورة": "دورت",
        "جولة": "جولت", "شركة": "شركت", "ضعف": "ضعف", "مليون": "مليون", "مليار": "مليار",
    }.items()
    for ending in ("ان", "ين")
}  # fmt: skip
_NUMBER = re.compile(
    # Not the 4 of GPT-4o or the 3 of o3: digits that a Latin word or hyphen holds are its name.
    r"(?<![a-z\d.,])(?<![a-z]-)(\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)*)"
    r"(?:[\s-]*(" + "|".join(sorted(SCALES, key=len, reverse=True)) + r")\b|([kmbt])\b)?"
)
_WORD = re.compile(r"[^\W\d_]+")
# What stands around a number: a currency's sign or code before it; after it a unit, of a currency
# with whose it is ("4,800 UAE dirhams"), or of a length what of it ("12 square metres").
_BEFORE = re.compile(r"([$£€¥₪]|\b[a-z]{3})\s?$")
_AFTER = re.compile(r"[\s-]?(?:([%$£€¥₪°])|([^\W\d_]+)(?:\s([^\W\d_]+))?)")
# "£4.5 million", «6.6 مليار درهم»: as it is written, not folded.
_SUM = re.compile(
    r"(?P<before>[$£€¥₪])?\s?(?P<number>\d+(?:[.,٫٬]\d+)*(?:\s(?:"
    + "|".join(sorted(SCALES, key=len, reverse=True))
    + r")\b)?)(?:\s?(?P<after>[$£€¥₪]|[^\W\d_]+))?"
)
# "9:30 a.m.", «9 صباحًا»; «م» and «ص» alone, which stand for other things too, after minutes only.
_CLOCK = re.compile(
    r"\b(\d{1,2})(?:[:.](\d\d))?\s?(?:"
    r"(?P<forenoon>a\.?m\b|صباحا?\b|(?<=:\d\d )ص\b)"
    r"|(?P<afternoon>p\.?m\b|(?:مساء|ظهرا|عصرا)\b|(?<=:\d\d )م\b))"
)
_IN_HUNDRED = re.compile(r"\b(?:في ال|بال)(?:ميه|مايه)\b|\bper cent\b")
_BETWEEN = frozenset(("square", "cubic"))


def values(text: str) -> set[Decimal]:
    """Return the numbers written in digits, scaled: ``6.6 مليار`` is 6,600,000,000.

    Version numbers (``1.2.3``) and the digits within a Latin name (``GPT-4``) are no numbers.
    """
    return {value for value, _, _ in _written(fold(text))}


def spelled(text: str) -> set[Decimal]:
    """Return the numbers above 1 that are written in words: ``twenty-one``, «عامين»."""
    folded = _IN_HUNDRED.sub("%", fold(text))
    found = {number.value for number in number_words.spelled(folded)}
    return found | ({Decimal(2)} if any(_dual(word) for word in _WORD.findall(folded)) else set())


def measures(text: str) -> set[tuple[Decimal, str]]:
    """Return the numbers that stand beside a unit, with it: «٨ ثوانٍ» is 8 seconds.

    Of units of measure and currencies (``units``), in digits or words. A time of the day's halves
    is one of theirs: «9:30 م» is 930 of the "afternoon".
    """
    folded = _IN_HUNDRED.sub("%", fold(text))
    numbers = [*_written(folded)]
    numbers += [(number.value, number.start, number.end) for number in number_words.spelled(folded)]
    found = {(v, unit) for v, start, end in numbers for unit in _unit(folded, start, end)}
    for time in _CLOCK.finditer(folded):
        found.add((Decimal(f"{time[1]}{time[2] or '00'}"), time.lastgroup or ""))
    duals = (without_prefix(word, units.DUALS) for word in _WORD.findall(folded))
    return found | {(Decimal(2), units.DUALS[dual]) for dual in duals if dual}


def in_its_currency(answer: str, text: str, language: Language) -> str:
    """Return an answer whose sums are in the currency that a text has them in.

    Of a sum small LLMs keep the figure and replace the currency by one that they saw more often.

    :param language: Of the answer.
    """
    held: dict[Decimal, set[str]] = {}
    for value, unit in measures(text):
        if unit in units.CURRENCIES:
            held.setdefault(value, set()).add(unit)

    def mended(sum_: re.Match[str]) -> str:
        said = {units.UNITS.get(fold(sum_[name] or "")) for name in ("before", "after")}
        (value,) = values(sum_["number"]) or {Decimal(0)}
        real = held.get(value, set())
        if len(real) != 1 or not said & units.CURRENCIES or said & real:
            return sum_[0]
        after = sum_[0][sum_.end("number") - sum_.start() :]
        (currency,) = real
        rest = "" if units.UNITS.get(fold(sum_["after"] or "")) in units.CURRENCIES else after
        return f"{sum_['number']} {units.name(currency, value, language)}{rest}"

    return _SUM.sub(mended, answer)


def _written(folded: str) -> Iterator[tuple[Decimal, int, int]]:
    """Yield the numbers in digits with their places."""
    for match in _NUMBER.finditer(folded):
        digits = match[1].replace(",", "")
        if digits.count(".") < 2:
            letter = _LETTERS.get(match[3], 0)
            value = Decimal(digits).scaleb(letter) * SCALES.get(match[2], 1)
            yield value, match.start(), match.end()


def _unit(folded: str, start: int, end: int) -> Iterator[str]:
    """Yield the unit of a number at a place, if it has one."""
    before = _BEFORE.search(folded[max(0, start - 4) : start])
    if before and units.UNITS.get(before[1]) in units.CURRENCIES:
        yield units.UNITS[before[1]]
    after = _AFTER.match(folded, end)
    if not after:
        return
    first, second = after[1] or after[2], after[3]
    if first in units.UNITS:
        yield units.UNITS[first]
    elif second in units.UNITS and (units.UNITS[second] in units.CURRENCIES or first in _BETWEEN):
        yield units.UNITS[second]


def _dual(word: str) -> str | None:
    return without_prefix(word, DUALS) or without_prefix(word, units.DUALS)
