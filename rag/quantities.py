"""Numbers and months as values, so that 6.6 مليار, 6.6 billion and $6.6B are one.

Only what a text states in so many words is read: no arithmetic, no conversion of units.
"""

from __future__ import annotations

import re
from decimal import Decimal

from rag.language import fold

_SCALES: dict[str, int] = {
    scale: power
    for power, scales in {
        3: "thousand الف الاف الفا",
        6: "million millions mn mln مليون ملايين مليونا مليوني",
        9: "billion billions bn bln مليار مليارات مليارا ملياري بليون بلايين",
        12: "trillion trillions tn trn تريليون تريليونات تريليونا ترليون",
    }.items()
    for scale in scales.split()
}  # fmt: skip
_LETTERS = {"k": 3, "m": 6, "b": 9, "t": 12}  # written onto the number: 500m, $6.6B
_WORDS: dict[str, int] = {
    word: value
    for value, words in {
        3: "three ثلاث ثلاثه",
        4: "four اربع اربعه",
        5: "five خمس خمسه",
        6: "six ست سته",
        7: "seven سبع سبعه",
        8: "eight ثمان ثماني ثمانيه",
        9: "nine تسع تسعه",
        10: "ten عشر عشره",
        11: "eleven",
        12: "twelve",
        20: "twenty عشرون عشرين",
        30: "thirty ثلاثون ثلاثين",
        40: "forty اربعون اربعين",
        50: "fifty خمسون خمسين",
        60: "sixty ستون ستين",
        70: "seventy سبعون سبعين",
        80: "eighty ثمانون ثمانين",
        90: "ninety تسعون تسعين",
        100: "hundred مئه مايه",
    }.items()
    for word in words.split()
}  # fmt: skip
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
_WORDS |= dict.fromkeys([*"two اثنان اثنين اثنتان اثنتين".split(), *DUALS], 2)
_MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan يناير كانون_الثاني", "february feb فبراير شباط", "march مارس اذار",
            "april apr ابريل نيسان", "may مايو ايار", "june jun يونيو حزيران",
            "july jul يوليو تموز", "august aug اغسطس اب", "september sept sep سبتمبر ايلول",
            "october oct اكتوبر تشرين_الاول", "november nov نوفمبر تشرين_الثاني",
            "december dec ديسمبر كانون_الاول",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
# Words of the languages that are months only when written as names: "may", "march", آب.
_AMBIGUOUS_MONTHS = {"may": r"\bMay\b", "march": r"\bMarch\b", "اب": r"\bآب\b"}

# Of what is measured, the units that a careless translation takes for one another.
_UNITS: dict[str, str] = {
    fold(name): unit
    for unit, names in {
        "second": "second seconds sec secs ثانية ثوانٍ ثواني",
        "minute": "minute minutes min mins دقيقة دقائق",
        "hour": "hour hours ساعة ساعات",
        "day": "day days يوم يومًا أيام",
        "week": "week weeks أسبوع أسبوعًا أسابيع",
        "month": "month months شهر شهرًا أشهر شهور",
        "year": "year years سنة سنوات سنين عام عامًا أعوام",
    }.items()
    for name in names.split()
}  # fmt: skip
_MEASURED = re.compile(r"(?<![a-z\d.,])(\d+(?:\.\d+)?|[^\W\d_]+)[\s-]+([^\W\d_]+)")

_NUMBER = re.compile(
    # Not the 4 of GPT-4o or the 3 of o3: digits that a Latin word or hyphen holds are its name.
    r"(?<![a-z\d.,])(?<![a-z]-)(\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)*)"
    r"(?:[\s-]*(" + "|".join(sorted(_SCALES, key=len, reverse=True)) + r")\b|([kmbt])\b)?"
)
_WORD = re.compile(r"[^\W\d_]+")
_PREFIXES = ("وال", "بال", "لل", "ال", "و", "ب", "ل", "ف")


def values(text: str) -> set[Decimal]:
    """Return the numbers written in digits, scaled: ``6.6 مليار`` is 6,600,000,000.

    Version numbers (``1.2.3``) and the digits within a Latin name (``GPT-4``) are no numbers.
    """
    found = set()
    for match in _NUMBER.finditer(fold(text)):
        digits = match[1].replace(",", "")
        if digits.count(".") < 2:
            power = _SCALES.get(match[2], 0) + _LETTERS.get(match[3], 0)
            found.add(Decimal(digits).scaleb(power))
    return found


def spelled(text: str) -> set[Decimal]:
    """Return the numbers from two up that are written as a word: ``nine``, «تسعة», «عامين»."""
    return {Decimal(_WORDS[form]) for word in _words(text) if (form := _in(_WORDS, word))}


def measures(text: str) -> set[tuple[Decimal, str]]:
    """Return the numbers that stand before a unit of time, with it: ``8 ثوانٍ`` is 8 seconds."""
    found = set()
    folded = fold(text)
    at = 0
    while match := _MEASURED.search(folded, at):
        at = match.end(1)  # what follows a number may be one itself
        number, unit = match[1], _UNITS.get(match[2])
        if unit and number[0].isdigit():
            found.add((Decimal(number), unit))
        elif unit and (form := _in(_WORDS, number)):
            found.add((Decimal(_WORDS[form]), unit))
    return found


def scale(word: str) -> int:
    """Return what a word multiplies a number by, 1,000,000 for «مليون»; 0 if it is none."""
    power = _SCALES.get(fold(word))
    return 10**power if power else 0


def time_unit(word: str) -> str | None:
    """Return the English word for a unit of time, in the singular; None if it is none."""
    return _UNITS.get(fold(word))


def months(text: str) -> set[int]:
    """Return the months that a text names, 1 to 12, in either calendar naming of Arabic."""
    joined = re.sub(r"\b(كانون|تشرين) (ال\w+)", r"\1_\2", fold(text))
    found = set()
    for word in re.findall(r"[^\W\d]+", joined):
        name = _in(_MONTHS, word)
        if name and (name not in _AMBIGUOUS_MONTHS or re.search(_AMBIGUOUS_MONTHS[name], text)):
            found.add(_MONTHS[name])
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _in(table: dict[str, int], word: str) -> str | None:
    """Return the form of a word that a table holds, with or without an Arabic prefix."""
    if word in table:
        return word
    for prefix in _PREFIXES:
        if word.startswith(prefix) and word[len(prefix) :] in table:
            return word[len(prefix) :]
    return None
