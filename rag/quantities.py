"""Numbers as values, so that 6.6 مليار, 6.6 billion and $6.6B are one.

``read`` reads them out of a text; what else is here says what of them two texts may share. Only
what a text states in so many words is read: no arithmetic, no conversion of units.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from rag import dates, number_words, units
from rag.language import any_of, clean, fold
from rag.number_words import BEGIN, SCALES
from rag.units import CURRENCIES, UNITS, Quantity

# A figure of cleaned text whose thousands are not parted by commas: 1.500.000, 1.500,75, 1'500'000
# and, where it ends in 000, 1 500 000: else it may be a row of a table. Not 1.2.3, 12.03.2024 or a
# telephone number.
GROUPED = (
    r"(?<![\d.,٫])(?<!\d['’])(?![0٠۰])"
    r"(?:\d{1,3}(?:(?:[.٫]\d{3}){2,}|[.٫]\d{3}(?=,\d{1,2}(?!\d))|(?:['’]\d{3})+)"
    r"|(?<!\d )(?<!\+)\d{1,3}(?: \d{3})+ [0٠۰]{3}(?! ?\d))"
    r"(?:(?:[,٫]|(?<![.٫]\d{3})\.)\d{1,2})?(?!['’]?\d|[.,٫]\d)"
)
_GROUPED = re.compile(GROUPED)
_LETTERS = {"k": 3, "m": 6, "b": 9, "t": 12}  # written onto the number: 500m, $6.6B
# Nouns whose dual says "two" of them, beside units; of other words, a dual looks like a plural.
_PAIR = re.compile(rf"{BEGIN}(?:شخص|مرت|دورت|جولت|شركت|ضعف)(?:ان|ين)\b")
# Of folded text.
_PERCENT = re.compile(r"\b(?:في ال|بال)(?:ميه|مايه)\b|\bper cent\b")
_POWERS = {
    fold(word): power
    for power, words in {
        "square": "square مربع مربعا مربعة",
        "cubic": "cubic مكعب مكعبا مكعبة",
    }.items()
    for word in words.split()
}
_SIGN = "[%$£€¥₪°]"
_UNIT = rf"{_SIGN}|(?:{any_of(UNITS)})\b"
_MONEY = [form for form in UNITS if UNITS[form] in CURRENCIES]
_CODES = [form for form in _MONEY if len(form) == 3 and form.isascii()]
_POWER = any_of(_POWERS)
_AMOUNT = re.compile(
    # "A year" and two of something; then a number. Before it stands a currency's sign or code, but
    # not the GPT- of GPT-4 or the o of o3: digits that a Latin word or hyphen holds are its name.
    rf"\b(?:one|an?) (?P<one>{_UNIT})|{BEGIN}(?P<single>{any_of(UNITS)}) واحده?\b"
    rf"|{BEGIN}(?P<two>{any_of(units.DUALS)})\b"
    rf"|(?:(?P<before>[%$£€¥₪]|\b(?:{any_of(_CODES)}))\s?|(?<![a-z\d.,])(?<![a-z]-))"
    r"(?P<digits>\d+(?:,\d{3})+(?:\.\d+)?|\d+,\d{1,2}(?!,?\d)|\d+(?:\.\d+)*)"
    rf"(?:[\s-]*(?P<scale>{any_of(SCALES)})\b|(?P<letter>[kmbt])\b)?"
    # After it a unit, of a length what of it ("12 square metres"), and of a currency with whose it
    # is ("4,800 UAE dirhams"), which is no part of it.
    rf"(?:[\s-]?(?:(?P<power>{_POWER}) )?(?P<unit>{_UNIT})(?:\s(?P<powered>{_POWER})\b)?"
    rf"|(?=[\s-]?[^\W\d_]+\s(?P<money>{any_of(_MONEY)})\b))?"
)
_ADVERBS = {
    fold(word): unit
    for unit, words in {
        "hour": "hourly", "day": "daily يوميا يومي يومية", "week": "weekly أسبوعيا أسبوعي أسبوعية",
        "month": "monthly شهريا شهري شهرية", "year": "yearly annually annual سنويا سنوي سنوية",
    }.items()
    for word in words.split()
}  # fmt: skip
# How often, or of which time or thing.
_RATE = re.compile(
    r"(?:\b(?:per|each|every|لكل|كل|في ال|بال) ?|/ ?|(?<=[\w%$£€¥₪] )an? )"
    rf"(?P<unit>{any_of(UNITS)})\b|\b(?P<adverb>{any_of(_ADVERBS)})\b"
)
# Bounds of a figure; what is denied is the other one.
_BOUNDS = re.compile(
    r"(?P<denied>\b(?:no|not|never|n't|لا|ما لا|لن|لم) )?(?:"
    r"(?P<least>at least|minimum|(?:more|greater) than|over (?=[\d$£€])|above|exceed\w*|علي الاقل"
    r"|حد ادني|اكثر من|[يت]زيد (?:علي|عن)|[يت]تجاوز\w*|[يت]فوق|[يت]تخطي|فوق ال)"
    r"|(?P<most>at most|maximum|up to|(?:less|fewer) than|under (?=[\d$£€])|below(?! zero)"
    r"|علي الاكثر|حد اقصي|اقل من|[يت]قل عن))"
)
_DENIED = {"least": "most", "most": "least"}
_MINUS = re.compile(
    r"(?:(?<!\S)-|\b(?:minus|ناقص|سالب) )(\d+(?:\.\d+)?)"
    r"|(\d+(?:\.\d+)?)(?: \w+)?(?: \w+)? (?:below zero|تحت الصفر)"
)


@lru_cache(maxsize=256)  # of one text its figures, units and rates are asked for
def read(text: str) -> tuple[str, tuple[Quantity, ...]]:
    """Return a text as it is read, and its numbers, none within another, each with its place there.

    It is folded, its numbers are in digits, and names of several words and "per cent" are one word.
    Version numbers (``1.2.3``) and the digits within a Latin name (``GPT-4``) are no numbers.
    """
    grouped = fold(_GROUPED.sub(_by_commas, clean(text)))
    folded, spelled = _in_digits(dates.joined(_PERCENT.sub("%", grouped)))
    named = dates.named(text)
    found, rest = list[Quantity](), folded
    for reader in (dates.times, dates.days, _amounts):
        hidden = list(rest)
        for quantity in reader(rest):
            start, end = quantity.start, quantity.end
            digit = re.search(r"\d", folded[start:end])
            in_words = digit is None or start + digit.start() in spelled
            is_date = quantity.unit in dates.MONTHS.values()
            if is_date and (in_words or quantity.unit not in named):
                continue  # "in May two men", "over 16 may stay"
            found.append(replace(quantity, is_spelled=in_words))
            hidden[start:end] = "\0" * (end - start)
        rest = "".join(hidden)
    return folded, tuple(sorted(found, key=lambda quantity: quantity.start))


def figures(text: str) -> set[Decimal]:
    """Return the numbers that a text writes, in digits or in words."""
    return values(text) | spelled(text)


def values(text: str) -> set[Decimal]:
    """Return the numbers written in digits, scaled: ``6.6 مليار`` is 6,600,000,000."""
    return {figure for q in read(text)[1] for figure in q.figures if not q.is_spelled}


def spelled(text: str) -> set[Decimal]:
    """Return the numbers above 1 that are written in words: ``twenty-one``, «عامين»."""
    found = {figure for q in read(text)[1] for figure in q.figures if q.is_spelled}
    return found | ({Decimal(2)} if _PAIR.search(fold(text)) else set())


def measures(text: str) -> set[tuple[Decimal, str]]:
    """Return the numbers that stand beside a unit, with it: «٨ ثوانٍ» is 8 seconds.

    The day of a month is one of the month's; a time is minutes of the "clock"; below zero, it is
    "minus".
    """
    folded, quantities = read(text)
    below = {(Decimal(match[1] or match[2]), "minus") for match in _MINUS.finditer(folded)}
    return below | {(q.value, q.unit) for q in quantities if q.unit and q.figures}


def named_units(text: str) -> set[str]:
    """Return the units that a text names, beside a number or not."""
    return {UNITS[unit] for unit in re.findall(rf"{_SIGN}|{BEGIN}(?:{_UNIT})", fold(text))}


def rates(text: str) -> set[str]:
    """Return the units of time by which a text says something: "a month", «سنويًا»."""
    return {_by(match) for match in _RATE.finditer(fold(text))} & units.PERIODS


def bounds(text: str) -> set[str]:
    """Return what kinds of bounds a text sets: the "least", the "most"."""
    return {
        _DENIED[kind] if match["denied"] else kind
        for match in _BOUNDS.finditer(fold(text))
        for kind in [match.lastgroup or ""]
    }


def ordinals(text: str) -> set[Decimal]:
    """Return the ordinals from third on that a text says, in words or digits."""
    folded = fold(text)
    words = {number.value for number in number_words.spelled(folded) if number.unit == "ordinal"}
    return words | {Decimal(day) for day in re.findall(r"\b(\d+)(?:st|nd|rd|th)\b", folded)}


def _by_commas(figure: re.Match[str]) -> str:
    """Return a ``GROUPED`` figure as it is read: 1,500,000.75."""
    groups = re.sub(r"\D(?=\d{3})", ",", figure[0])
    return re.sub(r"\D(?=\d{1,2}$)", ".", groups)


def _in_digits(folded: str) -> tuple[str, set[int]]:
    """Return a text with its numbers in digits, and the places of those that were in words."""
    said, places, at = "", set[int](), 0
    for number in number_words.spelled(folded):
        # The two of «الاثنين» is a day.
        if not number.unit and folded[max(0, number.start - 2) : number.end] not in dates.WEEKDAYS:
            said += folded[at : number.start]
            places.add(len(said))
            said += f"{number.value:f}"
            at = number.end
    return said + folded[at:], places


def _amounts(folded: str) -> Iterator[Quantity]:
    """Yield the numbers that are neither dates nor hours, with their units and rates."""
    end = 0
    for match in _AMOUNT.finditer(folded):
        value = _value(match)
        if value is None or match.start() < end:  # of a rate that was read
            continue
        end = match.end()
        form = next(
            filter(None, match.group("before", "unit", "money", "one", "single", "two")), ""
        )
        power = _POWERS.get(match["power"] or match["powered"] or "", "")
        unit = f"{power} {UNITS.get(form) or units.DUALS.get(form, '')}".strip()
        if match["before"] and match["unit"]:
            end = match.start("unit")
        rate = _RATE.match(folded, end + (folded[end : end + 1] == " ")) if unit else None
        end = rate.end() if rate else end
        told = () if match["one"] or match["single"] else (value,)
        yield Quantity(value, unit, _by(rate) if rate else "", match.start(), end, told)


def _value(match: re.Match[str]) -> Decimal | None:
    if not match["digits"]:
        return Decimal(2 if match["two"] else 1)
    digits = re.sub(r",(?=\d{3})", "", match["digits"]).replace(",", ".")
    if digits.count(".") > 1:
        return None
    return Decimal(digits).scaleb(_LETTERS.get(match["letter"], 0)) * SCALES.get(match["scale"], 1)


def _by(rate: re.Match[str]) -> str:
    return UNITS[rate["unit"]] if rate["unit"] else _ADVERBS[rate["adverb"]]
