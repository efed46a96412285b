"""Figures, units, dates and hours said in the other language, by table: a small LLM errs in them.

A text is read whole or not at all: what holds one word that no table has is not restated. What is
said is read again and has to be the same, so that where a table is wrong, nothing is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from rag import clock, dates, number_words, quantities, units
from rag.language import Language, any_of, fold
from rag.number_words import SCALES

# What joins figures, in English and in Arabic; of several that mean the same, the first is said.
_LINKS: tuple[tuple[str, str], ...] = (
    *(("and", "و"), ("or", "أو"), ("from", "من"), ("to", "إلى"), ("up to", "حتى")),
    *(("until", "حتى"), ("between", "بين"), ("within", "خلال"), ("before", "قبل")),
    *(("after", "بعد"), ("about", "نحو"), ("about", "حوالي"), ("around", "نحو")),
    *(("at least", "على الأقل"), ("at most", "على الأكثر"), ("more than", "أكثر من")),
    *(("less than", "أقل من"), ("over", "أكثر من"), ("under", "أقل من"), ("only", "فقط")),
    *(("every", "كل"), ("for", "لمدة"), ("-", "-"), (",", ","), (";", ";")),
)
_LONGEST = sorted(_LINKS, key=lambda pair: -len(pair[0]))
_SIGNS = frozenset("-,;")
_LISTING = frozenset(("and", ","))
_CASELESS = _LISTING | {"or", "only", ";", "-"}  # of which an Arabic noun has no case
_ENDING = frozenset(("only", "at least", "at most"))
# Before a date or an hour; there the other language says nothing.
_SILENT = re.compile(r"(?:(?:on|in|at|of|the|في|الموافق|الساعه)\b|ب ?(?=\d)) ?")
_TIGHT = frozenset(("-", ",", ";", "،", "؛"))  # no space stands before these
_OPEN = ("-", " و")  # nor after these
_PARTED = 10_000  # from here on thousands are parted
_SCALES: dict[int, tuple[str, str, str]] = {  # in Arabic, alone and of 3 to 10
    10**12: ("trillion", "تريليون", "تريليونات"),
    10**9: ("billion", "مليار", "مليارات"),
    10**6: ("million", "مليون", "ملايين"),
}
_LETTERS = {"k": 10**3, "m": 10**6, "b": 10**9, "bn": 10**9}
# Written alike, of different things: a weight and a currency; degrees of what.
_UNSURE = re.compile(r"pounds?\b|اوقي(?:ه|ات)\b|°")


# A letter alone stands for many things.
_UNITS = [u for u in units.UNITS if len(u) > 1 or not u.isalpha()]
_CODES = [u for u in _UNITS if units.UNITS[u] in units.CURRENCIES and len(u) in (1, 3)] + ["%"]
_ONE = re.compile(
    rf"(?:one|1|an?) (?P<english>{any_of(_UNITS)})\b|(?P<arabic>{any_of(_UNITS)}) واحده?\b"
)
_TWO = re.compile(rf"(?P<unit>{any_of(units.DUALS)})\b")
_AMOUNT = re.compile(
    rf"(?:(?P<before>{any_of(_CODES)}) ?)?"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+[.,]\d{1,2}|\d+)(?![.,:/]?\d)"
    rf"(?:[ -]?(?P<scale>{any_of(SCALES)})\b|(?P<letter>{any_of(_LETTERS)})\b)?"
    rf"(?:[ -]?(?P<after>{any_of(_UNITS)})(?!\w))?(?![\w°])"
)
_PER = re.compile(
    rf"(?: (?:an?|per|each|every|لكل|كل) | في ال| بال|/)(?P<unit>{any_of(_UNITS)})\b"
    rf"| (?P<adverb>{any_of(quantities.ADVERBS)})\b"
)
_YEAR_ALONE = re.compile(r"(?:عام|سنه|year) (?=\d{4}\b)")
_MONTH_ALONE = re.compile(rf"(?:شهر )?(?P<month>{any_of(dates.MONTHS)})\b")
_ALIKE = re.compile(r"\d{1,2}:\d{2}(?![\d:])|\d{1,4}/\d{1,2}/\d{1,4}(?![\d/])")  # in both
_OF_YEAR = re.compile(r",? (?:من )?(?:عام |سنه )?(\d{4})\b(?![.,:/]\d)")
_WEEKDAY = re.compile(
    rf"(?:(?P<each>every |كل (?:يوم )?)|(?P<many>ايام )|يوم )?(?P<name>{any_of(dates.WEEKDAYS)})\b"
)


@dataclass(frozen=True)
class _Amount:
    value: Decimal
    unit: str = ""
    per: str = ""


@dataclass(frozen=True)
class _Date:
    day: int
    month: str
    year: int


@dataclass(frozen=True)
class _Weekday:
    name: str
    which: Literal["one", "many", "each"]


@dataclass(frozen=True)
class _Hour:
    minutes: int


@dataclass(frozen=True)
class _Verbatim:
    text: str


@dataclass(frozen=True)
class _Link:
    english: str


_Node = _Amount | _Date | _Weekday | _Hour | _Verbatim | _Link
_Found = tuple[_Node, int] | None  # with where it ends


def restated(text: str, language: Language) -> str:
    """Return a text of figures, units and dates in ``language``; "" when it holds anything else."""
    nodes = [] if _UNSURE.search(fold(text)) else _read(text)
    said = _said(nodes, language)
    return said if nodes and _read(said) == nodes else ""


def _read(text: str) -> list[_Node]:
    """Return what a text says; nothing where no table has a part of it."""
    if any(c.isnumeric() and not c.isdecimal() for c in unicodedata.normalize("NFC", text)):
        return []  # m², ½: folded, they are figures like others
    folded, nodes, at = _prepared(text), list[_Node](), 0
    while at < len(folded):
        silent = _SILENT.match(folded, at)
        if silent and _is_time(folded, silent.end(), text):
            at = silent.end()
        found = next(filter(None, (read(folded, at, text) for read in _READERS)), None)
        if found is None or not _may_follow(nodes, found[0]):
            return []
        nodes.append(_one_of_many(nodes, found[0]))
        at = found[1] + (folded[found[1] : found[1] + 1] == " ")
    last = nodes[-1] if nodes else _Link("")
    whole = not isinstance(last, _Link) or (len(nodes) > 1 and last.english in _ENDING)
    return _listed(nodes) if whole else []


def _prepared(text: str) -> str:
    """Return a text folded, its numbers in digits, and names of several words made one."""
    folded = dates.joined(quantities.PERCENT.sub("%", fold(text)))
    for number in sorted(number_words.spelled(folded), key=lambda n: -n.start):
        if not dates.is_within_name(folded, number.start, number.end):
            folded = f"{folded[: number.start]}{number.value:f}{folded[number.end :]}"
    return folded


def _is_time(folded: str, at: int, text: str) -> bool:
    """Tell whether what stands at a place may follow a preposition that isn't said."""
    found = next(filter(None, (read(folded, at, text) for read in _READERS)), None)
    year = re.match(r"(?:عام |سنه |year )?\d{4}\b", folded[at:])
    by = folded[:at].endswith("ب") or folded[:at].endswith("ب ")
    return bool(
        year
        or _SILENT.match(folded, at)
        or (found and (by or isinstance(found[0], _Hour | _Date | _Weekday)))
    )


def _may_follow(nodes: Sequence[_Node], node: _Node) -> bool:
    last = nodes[-1] if nodes else None
    if isinstance(node, _Link):
        # «3 من 5» is a share, and no beginning.
        return not (node.english == "from" and isinstance(last, _Amount))
    if last == _Link("every") and node == _Amount(Decimal(2)):
        return False  # «كل اثنين» is "every Monday", too
    apart = last is None or isinstance(last, _Link)
    return apart or not (isinstance(node, _Amount) or isinstance(last, _Amount))


def _one_of_many(nodes: Sequence[_Node], node: _Node) -> _Node:
    """Return a day of the week like those before it: «أيام الاثنين والأربعاء»."""
    before, link = [None, None, *nodes][-2:]
    listed = isinstance(link, _Link) and link.english in _LISTING
    if listed and isinstance(node, _Weekday) and isinstance(before, _Weekday):
        return replace(node, which=before.which)
    return node


def _listed(nodes: Sequence[_Node]) -> list[_Node]:
    """Return nodes with all of a list joined by "and"."""
    found = list(nodes)
    for n in range(len(found) - 3, 0, -1):
        alike = type(found[n - 1]) is type(found[n + 1])
        if alike and found[n] == _Link(",") and found[n + 2] == _Link("and"):
            found[n] = found[n + 2]
    return found


def _amount(folded: str, at: int, text: str) -> _Found:
    if one := _ONE.match(folded, at):
        return _with_rate(folded, one.end(), Decimal(1), one["english"] or one["arabic"])
    if two := _TWO.match(folded, at):
        return _with_rate(folded, two.end(), Decimal(2), two["unit"])
    if year := _YEAR_ALONE.match(folded, at):
        at = year.end()
    match = _AMOUNT.match(folded, at)
    if match is None or (match["letter"] and not match["before"]):
        return None
    if match["before"] and match["after"]:
        return None
    digits = match["number"]
    digits = digits.replace(",", "" if re.search(r",\d{3}", digits) else ".")
    times = SCALES.get(match["scale"], 1) * _LETTERS.get(match["letter"], 1)
    unit = match["before"] or match["after"] or ""
    return _with_rate(folded, match.end(), Decimal(digits) * times, unit)


def _with_rate(folded: str, end: int, value: Decimal, unit: str) -> _Found:
    per = _PER.match(folded, end)
    if per and unit:
        of = units.UNITS[per["unit"]] if per["unit"] else quantities.ADVERBS[per["adverb"]]
        end = per.end()
    else:
        of = ""
    return _Amount(value, units.UNITS.get(unit) or units.DUALS.get(unit, ""), of), end


def _date(folded: str, at: int, text: str) -> _Found:
    at = at + len("يوم ") if re.match(r"يوم \d", folded[at:]) else at
    if day := dates.day_at(folded, at):
        number, month, end = day
    elif alone := _MONTH_ALONE.match(folded, at):
        number, month, end = 0, dates.MONTHS[alone["month"]], alone.end()
    else:
        return None
    if month not in dates.named(text):  # "it may"
        return None
    year = _OF_YEAR.match(folded, end)
    return _Date(number, month, int(year[1]) if year else 0), year.end() if year else end


def _weekday(folded: str, at: int, text: str) -> _Found:
    match = _WEEKDAY.match(folded, at)
    if match is None or dates.WEEKDAYS[match["name"]] not in dates.named(text):
        return None
    many = match["many"] or match["name"].endswith("days")
    which: Literal["one", "many", "each"] = "each" if match["each"] else "many" if many else "one"
    return _Weekday(dates.WEEKDAYS[match["name"]], which), match.end()


def _hour(folded: str, at: int, text: str) -> _Found:
    time = clock.at(folded, at)
    return (_Hour(time.minutes), time.end) if time else None


def _link(folded: str, at: int, text: str) -> _Found:
    for english, arabic in _LONGEST:
        for said in (english, fold(arabic)):
            joins = said == "و" or said in _SIGNS
            end = at + len(said)
            if folded.startswith(said, at) and (joins or not folded[end : end + 1].isalnum()):
                said_first = next(pair[0] for pair in _LINKS if pair[1] == arabic)
                return _Link(said_first), end
    return None


def _verbatim(folded: str, at: int, text: str) -> _Found:
    match = _ALIKE.match(folded, at)
    return (_Verbatim(match[0]), match.end()) if match else None


_READERS: tuple[Callable[[str, int, str], _Found], ...] = (
    *(_hour, _date, _weekday, _amount, _verbatim, _link),
)


def _said(nodes: Sequence[_Node], language: Language) -> str:
    text = ""
    for n, node in enumerate(nodes):
        before = nodes[:n]
        match node:
            case _Amount():
                said = _sum(node, language, is_governed=_is_governed(before))
            case _Date():
                month = dates.name(node.month, language)
                said = " ".join(filter(None, [str(node.day or ""), month, str(node.year or "")]))
            case _Weekday():
                said = _day(
                    node, language, is_first=before[-1:] not in ([_Link("and")], [_Link(",")])
                )
            case _Hour():
                said = clock.name(node.minutes, language)
            case _Verbatim():
                said = node.text
            case _Link():
                said = _joining(node, nodes[n + 1 :], language)
        text += said if said in _TIGHT or text.endswith(_OPEN) or not text else f" {said}"
    return text


def _joining(link: _Link, after: Sequence[_Node], language: Language) -> str:
    if language == "ar":
        said = next(arabic for english, arabic in _LINKS if english == link.english)
        return said.replace(",", "،").replace(";", "؛")
    if link.english == "and" and after[1:2] == [link] and type(after[0]) is type(after[2]):
        return ","
    is_until = link.english == "up to" and not isinstance(after[0], _Amount)
    return "until" if is_until else link.english


def _is_governed(before: Sequence[_Node]) -> bool:
    """Tell whether what follows is in the genitive in Arabic."""
    for node in reversed(before):
        if isinstance(node, _Link) and node.english not in _CASELESS:
            return True
    return False


def _sum(amount: _Amount, language: Language, *, is_governed: bool) -> str:
    arabic, value = language == "ar", amount.value
    scale = next((s for s in _SCALES if value >= s and (value / s * 100) % 1 == 0), 1)
    figure = _figure(value / scale)
    if scale > 1:
        few = value / scale in range(3, 11)
        figure += f" {_SCALES[scale][(2 if few else 1) if arabic else 0]}"
    if amount.unit == "percent":
        return f"{figure}%"
    if not amount.unit:
        return figure
    # After a scale, an Arabic unit stands in the singular, as after a hundred.
    name = units.name(amount.unit, Decimal(100) if arabic and scale > 1 else value, language)
    if arabic and value == 1:
        said = f"{name} {'واحدة' if name.endswith('ة') else 'واحد'}"
    elif arabic and value == 2 and name.endswith("ان"):
        said = name.removesuffix("ان") + "ين" if is_governed else name
    else:
        said = f"{figure} {name}"
    if not amount.per:
        return said
    per = units.name(amount.per, Decimal(1), language)
    if amount.per in units.PERIODS:
        return said + (f" في ال{per}" if arabic else f" {'an' if per == 'hour' else 'a'} {per}")
    return said + (f" لكل {per}" if arabic else f" per {per}")


def _figure(value: Decimal) -> str:
    figure = f"{value:,f}" if value >= _PARTED else f"{value:f}"
    return figure.rstrip("0").rstrip(".") if "." in figure else figure


def _day(day: _Weekday, language: Language, *, is_first: bool) -> str:
    name = dates.name(day.name, language)
    if day.which == "one":
        return name
    if language == "ar":
        many = f"أيام {name}" if is_first else name
        return many if day.which == "many" else f"كل يوم {name.removeprefix('ال')}"
    return f"{name}s" if day.which == "many" else f"every {name}" if is_first else name
