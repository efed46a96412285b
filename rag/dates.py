"""Months of both calendars and days of the week, as a careless answer mixes them up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.language import Language, any_of, fold
from rag.number_words import without_prefix

# As they are said in English and in Arabic; then as they are written otherwise. Every month has a
# key: its English name.
_MONTHS: tuple[tuple[str, str, str], ...] = (
    ("January", "يناير", "jan|كانون الثاني"), ("February", "فبراير", "feb|شباط"),
    ("March", "مارس", "mar|آذار"), ("April", "أبريل", "apr|نيسان|إبريل"),
    ("May", "مايو", "أيار"), ("June", "يونيو", "jun|حزيران|يونيه"),
    ("July", "يوليو", "jul|تموز|يوليه"), ("August", "أغسطس", "aug|آب"),
    ("September", "سبتمبر", "sept|sep|أيلول"), ("October", "أكتوبر", "oct|تشرين الأول"),
    ("November", "نوفمبر", "nov|تشرين الثاني"), ("December", "ديسمبر", "dec|كانون الأول"),
    ("Muharram", "محرم", "المحرم"), ("Safar", "صفر", ""),
    ("Rabi al-Awwal", "ربيع الأول", "rabi i|rabi al awwal"),
    ("Rabi al-Thani", "ربيع الآخر", "ربيع الثاني|rabi ii|rabi al-akhir"),
    ("Jumada al-Ula", "جمادى الأولى", "jumada i|jumada al-awwal"),
    ("Jumada al-Akhirah", "جمادى الآخرة", "جمادى الثانية|jumada ii|jumada al-thani"),
    ("Rajab", "رجب", ""), ("Shaban", "شعبان", "sha'ban"), ("Ramadan", "رمضان", "ramadhan"),
    ("Shawwal", "شوال", ""), ("Dhu al-Qadah", "ذو القعدة", "ذي القعدة|dhul qadah|dhu al-qi'dah"),
    ("Dhu al-Hijjah", "ذو الحجة", "ذي الحجة|dhul hijjah"),
)  # fmt: skip
_WEEKDAYS: tuple[tuple[str, str, str], ...] = (
    ("Monday", "الاثنين", "mon|الإثنين"), ("Tuesday", "الثلاثاء", "tue|tues"),
    ("Wednesday", "الأربعاء", "wed"), ("Thursday", "الخميس", "thu|thur|thurs"),
    ("Friday", "الجمعة", "fri"), ("Saturday", "السبت", ""), ("Sunday", "الأحد", ""),
)  # fmt: skip
# Words of the languages that are names of dates only when written as such, or beside a number.
_AMBIGUOUS = {
    "may": r"\bMay\b", "march": r"\bMarch\b", "mar": r"\d (?i:mar)\b|\bMar\.? \d", "اب": r"\bآب\b",
    "mon": r"\bMon\b", "wed": r"\bWed\b", "fri": r"\bFri\b", "thu": r"\bThu\b",
    "محرم": r"[\d٠-٩]\s?(?:من )?(?:شهر )?محر[ّ]?م", "صفر": r"[\d٠-٩]\s?(?:من )?(?:شهر )?صفر",
    "المحرم": r"المحرم",
}  # fmt: skip
_APART = re.compile(r"[ -]")


def _forms(names: tuple[str, str, str]) -> list[str]:
    return [fold(form) for form in (names[0], names[1], *names[2].split("|")) if form]


def _key(form: str) -> str:
    return _APART.sub("_", form)


# Of folded text in which a name of several words is ``joined`` by low lines.
MONTHS: dict[str, str] = {_key(form): names[0] for names in _MONTHS for form in _forms(names)}
WEEKDAYS: dict[str, str] = {form: names[0] for names in _WEEKDAYS for form in _forms(names)} | {
    fold(f"{names[0]}s"): names[0] for names in _WEEKDAYS
}
_NAMES = MONTHS | WEEKDAYS
_SAID = {names[0]: names[:2] for names in (*_MONTHS, *_WEEKDAYS)}
_SEVERAL_WORDS = re.compile(
    "|".join(
        rf"\b{re.escape(form)}\b"
        for names in _MONTHS
        for form in sorted(_forms(names), key=len, reverse=True)
        if _APART.search(form)
    )
)
_MONTH = any_of(MONTHS)
_DAY = re.compile(
    rf"(?<![\d.,:])(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of| من)?(?: شهر)? (?P<month>{_MONTH})\b"
    rf"|\b(?P<first>{_MONTH}) (?P<second>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.,]\d)"
)
# A day after "every" has no article in Arabic; two of them are numbers, too, but after «يوم».
_EVERY = re.compile(r"\bكل (يوم )?(ثلاثاء|اربعاء|خميس|جمعه|سبت|(?<=يوم )(?:اثنين|احد))\b")
_WORD = re.compile(r"[^\W\d]+(?:'[^\W\d]+)?")


def named(text: str) -> set[str]:
    """Return the months and days of the week that a text names, by their English names."""
    found = {without_prefix(word, _NAMES) for word in _WORD.findall(joined(fold(text)))}
    return {_NAMES[name] for name in found if name and _is_meant(name, text)}


def name(key: str, language: Language) -> str:
    """Return how a month or a day of the week, by its English name, is called in a language."""
    return _SAID[key][language == "ar"]


def day_at(folded: str, place: int) -> tuple[int, str, int] | None:
    """Return the day of a month at a place of a ``joined`` text, the month, and where it ends."""
    match = _DAY.match(folded, place)
    return _day(match) if match else None


def days(folded: str) -> Iterator[tuple[int, str, int]]:
    """Yield the days of months that a ``joined`` text names, as ``day_at``."""
    return map(_day, _DAY.finditer(folded))


def _day(match: re.Match[str]) -> tuple[int, str, int]:
    month = MONTHS[match["month"] or match["first"]]
    return int(match["day"] or match["second"]), month, match.end()


def is_within_name(folded: str, start: int, end: int) -> bool:
    """Tell whether a place of a folded text lies in the name of a day: «الاثنين» holds a two."""
    return any(
        match.start() <= start and end <= match.end() and without_prefix(match[0], _NAMES)
        for match in _WORD.finditer(folded)
    )


def joined(folded: str) -> str:
    """Return a folded text with names of several words made one, and days with their article."""
    text = _EVERY.sub(lambda day: f"كل ال{day[2]}", folded)
    return _SEVERAL_WORDS.sub(lambda name: _key(name[0]), text)


def _is_meant(name: str, text: str) -> bool:
    return name not in _AMBIGUOUS or bool(re.search(_AMBIGUOUS[name], text))
