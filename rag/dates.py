"""Months of both calendars, days of the week and times of day: a careless answer mixes them up.

A time is said as minutes since midnight: "9:30 p.m.", «التاسعة والنصف مساءً», "noon".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from rag.language import Language, any_of, fold
from rag.number_words import BEGIN, ORDINALS
from rag.units import Quantity

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
_HOUR = 60
_NOON = 12 * _HOUR
# An hour that the words beside it can't mean is left: whether «12 مساءً» is noon or midnight, no
# table tells. By what stands beside it, the hours of a twelve-hour clock, with those of the day.
_MORNING = {hour: hour for hour in range(1, 12)}
_EVENING = {hour: hour + 12 for hour in range(1, 12)}
_HALVES: dict[str, dict[int, int]] = {
    fold(word): hours
    for words, hours in (
        (("am",), _MORNING | {12: 0}),
        (("pm", "in the afternoon", "بعد الظهر"), _EVENING | {12: 12}),
        (("in the morning", "صباحًا", "فجرًا", "قبل الظهر", "ص"), _MORNING),
        (("in the evening", "مساءً", "عصرًا", "م"), _EVENING),
        (("ظهرًا",), {11: 11, 12: 12, 1: 13, 2: 14, 3: 15}),
        (("بعد منتصف الليل",), {12: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5}),
    )
    for word in words
}
_WHOLE = {"noon": _NOON, "midday": _NOON, "midnight": 0, "منتصف الليل": 0}
# Hours are ordinals in Arabic: «التاسعة والنصف صباحًا».
_ORDINALS = {
    f"ال{word}": hour
    for word, hour in {"واحده": 1, **ORDINALS, "حاديه عشره": 11, "ثانيه عشره": 12}.items()
    if word.endswith("ه") and word != "حاديه"
}
_PAST = {"والنصف": 30, "والربع": 15, "والثلث": 20} | {
    "الا ربعا": -15, "الا الربع": -15, "الا ثلثا": -20,
    "half past": 30, "quarter past": 15, "quarter to": -15,
}  # fmt: skip
_LETTERS = frozenset("مص")  # that stand for other things, too, but after minutes


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
_NAME = re.compile(rf"{BEGIN}(?:{any_of(_NAMES)})\b")
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
_TIME = re.compile(
    rf"(?:الساعه )?(?:(?:\b(?P<from>{any_of(_PAST)}) )?"
    r"(?<![\d.,:])(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?"
    rf"|(?P<ordinal>{any_of(_ORDINALS)})(?: (?P<past>{any_of(_PAST)}))?)"
    rf" ?(?P<half>[ap]\.?m\b\.?|(?:{any_of(_HALVES)})\b)"
    rf"|(?:\b12 )?\b(?P<whole>{any_of(_WHOLE)})\b"
    r"|\b(?P<late>1[3-9]|2[0-3]):(?P<minutes>[0-5]\d)\b"
)


def named(text: str) -> set[str]:
    """Return the months and days of the week that a text names, by their English names."""
    names = set(_NAME.findall(joined(fold(text))))
    return {_NAMES[name] for name in names if re.search(_AMBIGUOUS.get(name, ""), text)}


def name(key: str, language: Language) -> str:
    """Return how a month or a day of the week, by its English name, is called in a language."""
    return _SAID[key][language == "ar"]


def days(folded: str) -> Iterator[Quantity]:
    """Yield the days of months that a ``joined`` text names."""
    for match in _DAY.finditer(folded):
        day = Decimal(match["day"] or match["second"])
        month = MONTHS[match["month"] or match["first"]]
        yield Quantity(day, month, "", *match.span(), (day,))


def joined(folded: str) -> str:
    """Return a folded text with names of several words made one, and days with their article."""
    text = _EVERY.sub(lambda day: f"كل ال{day[2]}", folded)
    return _SEVERAL_WORDS.sub(lambda name: _key(name[0]), text)


def time_name(minutes: int, language: Language) -> str:
    """Return a time of day as it is said: "9:30 p.m.", «9:30 مساءً»."""
    hour, minute = divmod(minutes, _HOUR)
    shown = f"{(hour + 11) % 12 + 1}" + (f":{minute:02}" if minute else "")
    if not hour and not minute:
        return "midnight" if language == "en" else "منتصف الليل"
    if language == "en":
        return "12 noon" if minutes == _NOON else f"{shown} {'a.m.' if hour < 12 else 'p.m.'}"
    if not hour:
        return f"{shown} بعد منتصف الليل"
    if hour == 12:
        return f"{shown} ظهرًا"
    evening = "بعد الظهر" if hour < 18 else "مساءً"
    return f"{shown} {'صباحًا' if hour < 12 else evening}"


def times(folded: str) -> Iterator[Quantity]:
    """Yield the times of day that a folded text says with their half of the day, or after 12."""
    for match in _TIME.finditer(folded):
        time = _minutes(match)
        if time is not None:
            written = match["hour"] or match["late"], match["minute"] or match["minutes"]
            as_written = written[0] and not match["from"]
            hour, minute = divmod(time, _HOUR)
            said = [(hour + 11) % 12 + 1, *[minute][: minute > 0]]
            figures = tuple(map(Decimal, filter(None, written) if as_written else said))
            yield Quantity(Decimal(time), "clock", "", *match.span(), figures)


def _minutes(match: re.Match[str]) -> int | None:
    if match["whole"]:
        return _WHOLE[match["whole"]]
    if match["late"]:
        return int(match["late"]) * _HOUR + int(match["minutes"])
    half = match["half"] if match["half"] in _HALVES else match["half"].replace(".", "")
    if half in _LETTERS and not match["minute"]:
        return None
    said = _ORDINALS[match["ordinal"]] if match["ordinal"] else int(match["hour"])
    after = said if match["minute"] and 12 < said < 24 else None  # «14:30 مساءً»
    hour = _HALVES[half].get(said, after)
    minute = _PAST.get(match["past"] or match["from"], int(match["minute"] or 0))
    return None if hour is None else (hour * _HOUR + minute) % (24 * _HOUR)
