"""Months of both calendars and days of the week, as a careless answer mixes them up."""

from __future__ import annotations

import re

from rag.language import Language, fold
from rag.number_words import without_prefix

# Of folded text; names of two words are joined by a low line.
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
_NAMES: dict[str, str] = {name: f"month {number}" for name, number in _MONTHS.items()} | {
    name: names.split()[0]
    for names in (
        "monday mon الاثنين", "tuesday tue tues الثلاثاء", "wednesday wed الاربعاء",
        "thursday thu thurs الخميس", "friday fri الجمعه", "saturday السبت", "sunday الاحد",
        "muharram محرم المحرم", "safar صفر", "rajab رجب", "ramadan ramadhan رمضان",
        "shaban sha'ban شعبان", "shawwal شوال",
    )
    for name in names.split()
}  # fmt: skip
# Words of the languages that are months only when written as names, or beside a number.
_AMBIGUOUS = {
    "may": r"\bMay\b", "march": r"\bMarch\b", "اب": r"\bآب\b", "mon": r"\bMon\b", "wed": r"\bWed\b",
    "محرم": r"[\d٠-٩]\s?(?:من )?(?:شهر )?محر[ّ]?م", "صفر": r"[\d٠-٩]\s?(?:من )?(?:شهر )?صفر",
    "المحرم": r"المحرم",
}  # fmt: skip
# As they are said, by the names above.
_SAID: dict[str, tuple[str, str]] = {
    **{
        f"month {number}": names
        for number, names in enumerate(
            (
                ("January", "يناير"), ("February", "فبراير"), ("March", "مارس"), ("April", "أبريل"),
                ("May", "مايو"), ("June", "يونيو"), ("July", "يوليو"), ("August", "أغسطس"),
                ("September", "سبتمبر"), ("October", "أكتوبر"), ("November", "نوفمبر"),
                ("December", "ديسمبر"),
            ),
            start=1,
        )
    },
    "monday": ("Monday", "الاثنين"), "tuesday": ("Tuesday", "الثلاثاء"),
    "wednesday": ("Wednesday", "الأربعاء"), "thursday": ("Thursday", "الخميس"),
    "friday": ("Friday", "الجمعة"), "saturday": ("Saturday", "السبت"),
    "sunday": ("Sunday", "الأحد"), "muharram": ("Muharram", "محرم"), "safar": ("Safar", "صفر"),
    "rajab": ("Rajab", "رجب"), "ramadan": ("Ramadan", "رمضان"), "shaban": ("Shaban", "شعبان"),
    "shawwal": ("Shawwal", "شوال"),
}  # fmt: skip
_TWO_WORDS = re.compile(r"\b(كانون|تشرين) (ال\w+)")
_WORD = re.compile(r"[^\W\d]+(?:'[^\W\d]+)?")


def months(text: str) -> set[int]:
    """Return the Gregorian months that a text names, 1 to 12, in either naming of Arabic."""
    return {_MONTHS[name] for name in _named(text) if name in _MONTHS}


def named(text: str) -> set[str]:
    """Return the months and days of the week that a text names, by one name in both languages."""
    return {_NAMES[name] for name in _named(text)}


def _named(text: str) -> set[str]:
    found = {without_prefix(word, _NAMES) for word in _WORD.findall(joined(fold(text)))}
    return {name for name in found if name and _is_meant(name, text)}


def name(word: str, language: Language) -> str | None:
    """Return how a month or a day of a folded text is called in a language; None for no such."""
    return _SAID[_NAMES[word]][language == "ar"] if word in _NAMES else None


def is_within_name(folded: str, start: int, end: int) -> bool:
    """Tell whether a place of a folded text lies in the name of a day: «الاثنين» holds a two."""
    return any(
        match.start() <= start and end <= match.end() and without_prefix(match[0], _NAMES)
        for match in _WORD.finditer(folded)
    )


def joined(folded: str) -> str:
    """Return a folded text, a month's two words as one."""
    return _TWO_WORDS.sub(r"\1_\2", folded)


def _is_meant(name: str, text: str) -> bool:
    return name not in _AMBIGUOUS or bool(re.search(_AMBIGUOUS[name], text))
