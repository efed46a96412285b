"""Figures, units, dates and hours said in the other language, by table: a small LLM errs in them.

A text is read whole or not at all: what holds one word that no table has is not restated. What is
said is read again and has to be the same, so that where a table is wrong, nothing is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from rag import dates, quantities, units
from rag.language import Language, any_of, fold
from rag.units import Quantity

# What joins figures, in English and in Arabic; of several that mean the same, the first is said.
_LINKS: tuple[tuple[str, str], ...] = (
    *(("and", "و"), ("or", "أو"), ("from", "من"), ("to", "إلى"), ("up to", "حتى")),
    *(("until", "حتى"), ("between", "بين"), ("within", "خلال"), ("before", "قبل")),
    *(("after", "بعد"), ("about", "نحو"), ("about", "حوالي"), ("around", "نحو")),
    *(("at least", "على الأقل"), ("at most", "على الأكثر"), ("more than", "أكثر من")),
    *(("no less than", "لا يقل عن"), ("no less than", "لا تقل عن")),
    *(("no more than", "لا يزيد على"), ("no more than", "لا تزيد على")),
    *(("less than", "أقل من"), ("over", "أكثر من"), ("under", "أقل من"), ("only", "فقط")),
    *(("every", "كل"), ("for", "لمدة"), ("-", "-"), (",", ","), (";", ";")),
)
_ENGLISH = {
    fold(said): next(pair[0] for pair in _LINKS if pair[1] == link[1])
    for link in reversed(_LINKS)
    for said in link
}
_LINK = re.compile(rf"(?:{any_of(_ENGLISH)})(?!\w)|[-,;و]")
_LISTING = frozenset(("and", ","))
_CASELESS = _LISTING | {"or", "only", ";", "-"}  # of which an Arabic noun has no case
_ENDING = frozenset(("only", "at least", "at most"))
# Before a date or an hour; there the other language says nothing.
_SILENT = re.compile(r"(?:(?:on|in|at|of|the|في|الموافق|الساعه)\b|ب ?(?=\d)|يوم(?= \d)) ?")
_TIGHT = frozenset(("-", ",", ";", "،", "؛"))  # no space stands before these
_OPEN = ("-", " و")  # nor after these
_PARTED = 10_000  # from here on thousands are parted
_SCALES: dict[int, tuple[str, str, str]] = {  # in Arabic, alone and of 3 to 10
    10**12: ("trillion", "تريليون", "تريليونات"),
    10**9: ("billion", "مليار", "مليارات"),
    10**6: ("million", "مليون", "ملايين"),
}
# Written alike, of different things: a weight and a currency; degrees of what; thousands.
_UNSURE = re.compile(r"pounds?\b|اوقي(?:ه|ات)\b|°|\d\.\d{3}")
_LETTER = re.compile(r"[\d.,]+[ -]?[^\W\d_]")  # alone, it stands for many things
_POWERED = ("square ", "cubic ")  # whose Arabic agrees with its number in gender and case
_YEAR_ALONE = re.compile(r"(?:عام|سنه|year) (?=\d{4}\b)")
_OF_YEAR = re.compile(r",? ?(?:من )?(?:عام |سنه )?(?=\d{4}\b(?![.,:/]\d))")  # after a date
_MONTH_ALONE = re.compile(rf"(?:شهر )?(?P<month>{any_of(dates.MONTHS)})\b")
_ALIKE = re.compile(r"\d{1,2}:\d{2}(?![\d:])|\d{1,4}/\d{1,2}/\d{1,4}(?![\d/])")  # in both
_WEEKDAY = re.compile(
    rf"(?:(?P<each>every |كل (?:يوم )?)|(?P<many>ايام )|يوم )?(?P<name>{any_of(dates.WEEKDAYS)})\b"
)


_Which = Literal["one", "many", "each"]


@dataclass(frozen=True)
class _Weekday:
    name: str
    which: _Which


_Node = Quantity | _Weekday | str  # what joins, in English; what both languages write alike
_Kind = Literal["amount", "clock", "date", "weekday", "link", "alike"]


def restated(text: str, language: Language) -> str:
    """Return a text of figures, units and dates in ``language``; "" when it holds anything else."""
    nodes = [] if _UNSURE.search(fold(text)) else _read(text)
    said = _said(nodes, language)
    return said if nodes and _read(said) == nodes else ""


def _read(text: str) -> list[_Node]:
    """Return what a text says; nothing where no table has a part of it."""
    if any(c.isnumeric() and not c.isdecimal() for c in unicodedata.normalize("NFC", text)):
        return []  # m², ½: folded, they are figures like others
    reader, nodes, at = _Reader(text), list[_Node](), 0
    while at < len(reader.folded):
        if nodes and _kind(nodes[-1]) == "date" and (of := _OF_YEAR.match(reader.folded, at)):
            at = of.end()
        found = reader.at(reader.said_from(at))
        if found is None or not _may_follow(nodes, found[0]):
            return []
        nodes.append(_one_of_many(nodes, found[0]))
        at = found[1] + (reader.folded[found[1] : found[1] + 1] == " ")
    ends = nodes and (_kind(nodes[-1]) != "link" or (len(nodes) > 1 and nodes[-1] in _ENDING))
    return _listed(nodes) if ends else []


class _Reader:
    """What stands where in a text."""

    def __init__(self, text: str) -> None:
        self.folded, found = quantities.read(text)
        self._quantities = {quantity.start: quantity for quantity in found}
        self._named = dates.named(text)  # "it may" names none

    def at(self, at: int) -> tuple[_Node, int] | None:
        """Return what stands at a place, and where it ends; None where no table has it."""
        folded = self.folded
        year = _YEAR_ALONE.match(folded, at)
        quantity = self._quantities.get(year.end() if year else at)
        alike = _ALIKE.match(folded, at)
        if alike and (quantity is None or quantity.end <= alike.end()):
            return alike[0], alike.end()
        if quantity:
            written = folded[quantity.start : quantity.end]
            sure = not quantity.unit.startswith(_POWERED) and not _LETTER.fullmatch(written)
            return (quantity, quantity.end) if sure else None
        day, month = _WEEKDAY.match(folded, at), _MONTH_ALONE.match(folded, at)
        if day and dates.WEEKDAYS[day["name"]] in self._named:
            is_many = day["many"] or day["name"].endswith("days")
            which: _Which = "each" if day["each"] else "many" if is_many else "one"
            return _Weekday(dates.WEEKDAYS[day["name"]], which), day.end()
        if month and dates.MONTHS[month["month"]] in self._named:
            return Quantity(Decimal(0), dates.MONTHS[month["month"]]), month.end()
        link = _LINK.match(folded, at)
        return (_ENGLISH[link[0]], link.end()) if link else None

    def said_from(self, at: int) -> int:
        """Return where what is said begins: after a preposition before a date, an hour or «بـ»."""
        silent = None if self.at(at) else _SILENT.match(self.folded, at)
        if silent is None:
            return at
        begin = self.said_from(silent.end())
        found = self.at(begin)
        timely = found and _kind(found[0]) not in ("amount", "link")
        of_year = re.match(r"(?:عام |سنه |year )?\d{4}\b", self.folded[begin:])
        return begin if timely or of_year or (found and silent[0].startswith("ب")) else at


def _kind(node: _Node) -> _Kind:
    if isinstance(node, str):
        return "alike" if node[0].isdigit() else "link"
    if isinstance(node, _Weekday):
        return "weekday"
    if node.unit == "clock":
        return "clock"
    return "date" if node.unit in dates.MONTHS.values() else "amount"


def _may_follow(nodes: Sequence[_Node], node: _Node) -> bool:
    if not nodes:
        return True
    last, kinds = nodes[-1], (_kind(nodes[-1]), _kind(node))
    if kinds == ("amount", "link"):
        return node != "from"  # «3 من 5» is a share, and no beginning
    if last == "every" and node == Quantity(Decimal(2)):
        return False  # «كل اثنين» is "every Monday", too
    is_year = isinstance(node, Quantity) and not node.unit and node.value >= 1_000
    return "link" in kinds or "amount" not in kinds or (kinds == ("date", "amount") and is_year)


def _one_of_many(nodes: Sequence[_Node], node: _Node) -> _Node:
    """Return a day of the week like those before it: «أيام الاثنين والأربعاء»."""
    before, link = ["", "", *nodes][-2:]
    if link in _LISTING and isinstance(node, _Weekday) and isinstance(before, _Weekday):
        return replace(node, which=before.which)
    return node


def _listed(nodes: Sequence[_Node]) -> list[_Node]:
    """Return nodes with all of a list joined by "and"."""
    found = list(nodes)
    for n in range(len(found) - 3, 0, -1):
        alike = _kind(found[n - 1]) == _kind(found[n + 1])
        if alike and found[n] == "," and found[n + 2] == "and":
            found[n] = found[n + 2]
    return found


def _said(nodes: Sequence[_Node], language: Language) -> str:
    text = ""
    for n, node in enumerate(nodes):
        before = nodes[:n]
        if isinstance(node, _Weekday):
            said = _day(node, language, is_first=before[-1:] not in (["and"], [","]))
        elif isinstance(node, str):
            is_link = _kind(node) == "link"
            said = _joining(node, nodes[n + 1 :], language) if is_link else node
        elif _kind(node) == "clock":
            said = dates.time_name(int(node.value), language)
        elif _kind(node) == "date":
            said = f"{node.value or ''} {dates.name(node.unit, language)}".lstrip()
        else:
            governing = (b for b in before if _kind(b) == "link" and b not in _CASELESS)
            said = _sum(node, language, is_governed=any(governing))
        text += said if said in _TIGHT or text.endswith(_OPEN) or not text else f" {said}"
    return text


def _joining(link: str, after: Sequence[_Node], language: Language) -> str:
    if language == "ar":
        said = next(arabic for english, arabic in _LINKS if english == link)
        return said.replace(",", "،").replace(";", "؛")
    if link == "and" and after[1:2] == ["and"] and _kind(after[0]) == _kind(after[2]):
        return ","
    is_until = link == "up to" and _kind(after[0]) != "amount"
    return "until" if is_until else link


def _sum(amount: Quantity, language: Language, *, is_governed: bool) -> str:
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
