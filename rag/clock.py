"""Times of day as minutes since midnight: "9:30 p.m.", «التاسعة والنصف مساءً», "noon"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.language import Language, any_of, fold

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
    fold(f"ال{hour}"): number
    for number, hour in enumerate(
        (
            *("واحدة", "ثانية", "ثالثة", "رابعة", "خامسة", "سادسة", "سابعة", "ثامنة", "تاسعة"),
            *("عاشرة", "حادية عشرة", "ثانية عشرة"),
        ),
        start=1,
    )
}
_PAST = {
    "والنصف": 30,
    "والربع": 15,
    "والثلث": 20,
    "الا ربعا": -15,
    "الا الربع": -15,
    "الا ثلثا": -20,
}


_TIME = re.compile(
    rf"(?:الساعه )?(?:(?<![\d.,:])(?P<hour>\d{{1,2}})(?:[:.](?P<minute>[0-5]\d))?"
    rf"|(?P<ordinal>{any_of(_ORDINALS)})(?: (?P<past>{any_of(_PAST)}))?)"
    rf" ?(?P<half>[ap]\.?m\b\.?|(?:{any_of(_HALVES)})\b)"
    rf"|(?:\b12 )?\b(?P<whole>{any_of(_WHOLE)})\b"
)
_LETTERS = frozenset("مص")  # that stand for other things, too, but after minutes


@dataclass(frozen=True)
class Time:
    """A time of day in a folded text.

    :ivar minutes: Since midnight.
    :ivar start: Its first character.
    :ivar end: The character after its last.
    """

    minutes: int
    start: int
    end: int


def times(folded: str) -> Iterator[Time]:
    """Yield the times of day that a folded text says with their half of the day."""
    return filter(None, map(_time, _TIME.finditer(folded)))


def at(folded: str, place: int) -> Time | None:
    """Return the time of day that stands at a place of a folded text."""
    match = _TIME.match(folded, place)
    return _time(match) if match else None


def name(minutes: int, language: Language) -> str:
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


def _time(match: re.Match[str]) -> Time | None:
    if match["whole"]:
        return Time(_WHOLE[match["whole"]], *match.span())
    half = match["half"] if match["half"] in _HALVES else match["half"].replace(".", "")
    if half in _LETTERS and not match["minute"]:
        return None
    hour = _HALVES[half].get(
        _ORDINALS[match["ordinal"]] if match["ordinal"] else int(match["hour"])
    )
    if hour is None:
        return None
    minute = _PAST.get(match["past"], 0) if match["ordinal"] else int(match["minute"] or 0)
    return Time((hour * _HOUR + minute) % (24 * _HOUR), *match.span())
