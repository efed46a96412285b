"""Numbers as values, so that 6.6 مليار, 6.6 billion and $6.6B are one.

Only what a text states in so many words is read: no arithmetic, no conversion of units.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from rag import clock, dates, number_words, units
from rag.language import Language, any_of, fold
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
    r"(?:[\s-]*(" + any_of(SCALES) + r")\b|([kmbt])\b)?"
)
_WORD = re.compile(r"[^\W\d_]+")
# What stands around a number: a currency's sign or code before it; after it a unit, of a currency
# with whose it is ("4,800 UAE dirhams"), or of a length what of it ("12 square metres").
_BEFORE = re.compile(r"([$£€¥₪]|\b[a-z]{3})\s?$")
_AFTER = re.compile(r"[\s-]?(?:([%$£€¥₪°])|([^\W\d_]+)(?:\s([^\W\d_]+))?)")
# "£4.5 million", «6.6 مليار درهم»: as it is written, not folded.
_SUM = re.compile(
    r"(?P<before>[$£€¥₪])?\s?(?P<number>\d+(?:[.,٫٬]\d+)*(?:\s(?:"
    + any_of(SCALES)
    + r")\b)?)(?:\s?(?P<after>[$£€¥₪]|[^\W\d_]+))?"
)
# Of folded text.
PERCENT = re.compile(r"\b(?:في ال|بال)(?:ميه|مايه)\b|\bper cent\b")
_POWERS = {
    fold(word): power
    for power, words in {
        "square": "square مربع مربعا مربعة",
        "cubic": "cubic مكعب مكعبا مكعبة",
    }.items()
    for word in words.split()
}
# How often, or of which time: by the unit of time.
_RATE = re.compile(
    r"\b(?:per|each|every|لكل|كل|في ال|بال) ?(?P<unit>[^\W\d_]+)|/ ?(?P<slash>[^\W\d_]+)"
    r"|(?<=[^\W\d_] )an? (?P<one>[^\W\d_]+)"
)
ADVERBS = {
    fold(word): unit
    for unit, words in {
        "hour": "hourly", "day": "daily يوميا يومي يومية", "week": "weekly أسبوعيا أسبوعي أسبوعية",
        "month": "monthly شهريا شهري شهرية", "year": "yearly annually annual سنويا سنوي سنوية",
    }.items()
    for word in words.split()
}  # fmt: skip
# Bounds of a figure; what is denied is the other one.
_BOUNDS = re.compile(
    r"(?P<denied>\b(?:no|not|never|n't|لا|ما لا|لن|لم) )?(?:"
    r"(?P<least>at least|minimum|(?:more|greater) than|over (?=[\d$£€])|above|exceed\w*|علي الاقل"
    r"|حد ادني|اكثر من|[يت]زيد (?:علي|عن)|[يت]تجاوز\w*|[يت]فوق|[يت]تخطي|فوق ال)"
    r"|(?P<most>at most|maximum|up to|(?:less|fewer) than|under (?=[\d$£€])|below(?! zero)"
    r"|علي الاكثر|حد اقصي|اقل من|[يت]قل عن))"
)
_DENIED = {"least": "most", "most": "least"}
_ORDINALS = {
    fold(word): number
    for number, words in enumerate(
        (
            "third ثالث ثالثة", "fourth رابع رابعة", "fifth خامس خامسة", "sixth سادس سادسة",
            "seventh سابع سابعة", "eighth ثامن ثامنة", "ninth تاسع تاسعة", "tenth عاشر عاشرة",
        ),
        start=3,
    )
    for word in words.split()
}  # fmt: skip
_AFTERNOON = re.compile(r"\b(1[3-9]|2[0-3]):([0-5]\d)\b")
_MINUS = re.compile(
    r"(?:(?<!\S)-|\b(?:minus|ناقص|سالب) )(\d+(?:\.\d+)?)"
    r"|(\d+(?:\.\d+)?)(?: \w+)?(?: \w+)? (?:below zero|تحت الصفر)"
)


def values(text: str) -> set[Decimal]:
    """Return the numbers written in digits, scaled: ``6.6 مليار`` is 6,600,000,000.

    Version numbers (``1.2.3``) and the digits within a Latin name (``GPT-4``) are no numbers.
    """
    return {value for value, _, _ in _written(fold(text))}


def spelled(text: str) -> set[Decimal]:
    """Return the numbers above 1 that are written in words: ``twenty-one``, «عامين»."""
    folded = PERCENT.sub("%", fold(text))
    found = {number.value for number in number_words.spelled(folded)}
    for time in clock.times(folded):  # «التاسعة والنصف صباحًا»
        hour, minute = divmod(time.minutes, 60)
        found |= {Decimal((hour + 11) % 12 + 1), Decimal(minute)} - {Decimal(0)}
    return found | ({Decimal(2)} if any(_dual(word) for word in _WORD.findall(folded)) else set())


def measures(text: str) -> set[tuple[Decimal, str]]:
    """Return the numbers that stand beside a unit, with it: «٨ ثوانٍ» is 8 seconds.

    Of units of measure and currencies (``units``), in digits or words. The day of a month is one
    of the month's; a time is minutes of the "clock"; below zero, it is "minus".
    """
    folded = dates.joined(PERCENT.sub("%", fold(text)))
    numbers = [*_written(folded)]
    numbers += [(number.value, number.start, number.end) for number in number_words.spelled(folded)]
    found = {(v, unit) for v, start, end in numbers for unit in _unit(folded, start, end)}
    found |= {(Decimal(time.minutes), "clock") for time in clock.times(folded)}
    found |= {(60 * Decimal(t[1]) + Decimal(t[2]), "clock") for t in _AFTERNOON.finditer(folded)}
    found |= {(Decimal(day), month) for day, month, _ in dates.days(folded)}
    found |= {(Decimal(match[1] or match[2]), "minus") for match in _MINUS.finditer(folded)}
    duals = (without_prefix(word, units.DUALS) for word in _WORD.findall(folded))
    return found | {(Decimal(2), units.DUALS[dual]) for dual in duals if dual}


def named_units(text: str) -> set[str]:
    """Return the units that a text names, beside a number or not."""
    words = (
        without_prefix(word, units.UNITS) for word in re.findall(r"[^\W\d_]+|[%$£€¥₪]", fold(text))
    )
    return {units.UNITS[word] for word in words if word}


def rates(text: str) -> set[str]:
    """Return the units of time by which a text says something: "a month", «سنويًا»."""
    folded = fold(text)
    words = {word for match in _RATE.finditer(folded) for word in match.groups() if word}
    found = {units.UNITS[word] for word in words if word in units.UNITS} & units.PERIODS
    return found | {ADVERBS[word] for word in _WORD.findall(folded) if word in ADVERBS}


def bounds(text: str) -> set[str]:
    """Return what kinds of bounds a text sets: the "least", the "most"."""
    return {
        _DENIED[kind] if match["denied"] else kind
        for match in _BOUNDS.finditer(fold(text))
        for kind in [match.lastgroup or ""]
    }


def ordinals(text: str) -> set[Decimal]:
    """Return the ordinals from third to tenth that a text says, in words or digits."""
    folded = fold(text)
    words = {without_prefix(word, _ORDINALS) for word in _WORD.findall(folded)}
    return {Decimal(_ORDINALS[word]) for word in words if word} | {
        Decimal(digits) for digits in re.findall(r"\b(\d+)(?:st|nd|rd|th)\b", folded)
    }


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
        power = _POWERS.get(second or "", "")
        yield f"{power} {units.UNITS[first]}" if power else units.UNITS[first]
    elif second in units.UNITS and first in _POWERS:
        yield f"{_POWERS[first]} {units.UNITS[second]}"
    elif second in units.UNITS and units.UNITS[second] in units.CURRENCIES:
        yield units.UNITS[second]


def _dual(word: str) -> str | None:
    return without_prefix(word, DUALS) or without_prefix(word, units.DUALS)
