"""Figures, units and dates said in the other language, by table: a small LLM errs in them.

Only what is nothing else is restated: what has one word that no table knows is not.
"""

from __future__ import annotations

import re
from decimal import Decimal

from rag import dates, number_words, units
from rag.language import Language, fold

# A scale in English, in Arabic, and in Arabic after 3 to 10.
_SCALES = (
    *((10**3, "thousand", "ألف", "آلاف"), (10**6, "million", "مليون", "ملايين")),
    *((10**9, "billion", "مليار", "مليارات"), (10**12, "trillion", "تريليون", "تريليونات")),
)
# What stands between figures, units and dates, or before them, in English and Arabic; what is empty
# says nothing there. Of several that mean the same, the first is said.
_PHRASES = (
    *(("and", "و"), ("or", "أو"), ("from", "من"), ("to", "إلى"), ("until", "حتى")),
    *(("up to", "حتى"), ("between", "بين"), ("within", "خلال"), ("before", "قبل")),
    *(("after", "بعد"), ("about", "نحو"), ("about", "حوالي"), ("around", "نحو")),
    *(("at least", "على الأقل"), ("at most", "على الأكثر"), ("more than", "أكثر من")),
    *(("less than", "أقل من"), ("over", "أكثر من"), ("under", "أقل من"), ("only", "فقط")),
    *(("every", "كل"), ("on", ""), ("at", ""), ("of", ""), ("the", "")),
    *(
        ("for", "لمدة"),
        ("", "الساعة"),
        ("", "في"),
        ("", "ب"),
        ("", "الموافق"),
        ("a.m.", "صباحًا"),
        ("p.m.", "مساءً"),
        ("p.m.", "بعد الظهر"),
    ),
    *(("p.m.", "ظهرًا"), ("p.m.", "عصرًا"), ("a.m.", "قبل الظهر"), ("a.m.", "فجرًا")),
)
_COLUMN: dict[Language, int] = {"en": 0, "ar": 1}
# Hours are ordinals in Arabic: «التاسعة والنصف صباحًا».
_HOURS = {
    fold(f"ال{hour}"): str(number)
    for number, hour in enumerate(
        (
            *("واحدة", "ثانية", "ثالثة", "رابعة", "خامسة", "سادسة", "سابعة", "ثامنة", "تاسعة"),
            *("عاشرة", "حادية عشرة", "ثانية عشرة"),
        ),
        start=1,
    )
}
_PAST = {fold("والنصف"): ":30", fold("والربع"): ":15"}
_HOUR = re.compile(
    rf"\b({'|'.join(sorted(_HOURS, key=len, reverse=True))})(?: ({'|'.join(_PAST)}))?"
    rf"(?= (?:{'|'.join(fold(ar) for en, ar in _PHRASES if en.endswith('m.'))}))"
)
_DAY = re.compile(r"\b(و?)يوم (\w+)")
_PREFIXES = ("وال", "و", "بال", "لل", "ب", "ل", "ال", "")
_HALF_OF_DAY = re.compile(r"\b([ap])\.?\s?m\b\.?")
_SYMBOL_FIRST = re.compile(r"([$£€¥₪])\s?(\d[\d.,]*(?:\s(?:thousand|million|billion)\b)?)")
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(\d+),(\d{1,2})(?![\d.,])")
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[ap]\.m\.|[^\W\d_]+(?:_[^\W\d_]+)*|\S")
_KEPT = frozenset(",-/();:")


def restated(text: str, language: Language) -> str:
    """Return a text of figures, units and dates in ``language``; "" when it holds anything else."""
    known, said, value = _known(language), list[str](), None
    for token in _TOKEN.findall(_prepared(text)):
        if token[0].isdigit():
            value = _value(token)
            said.append(token)
            continue
        scale = next((s for s in _SCALES if token in (s[1], *map(fold, s[2:]))), None)
        if scale and value is not None:
            few = value == value.to_integral_value() and 3 <= value <= 10
            arabic = scale[3] if few else scale[2]
            said.append(scale[1] if language == "en" else arabic)
            value *= scale[0]
            continue
        found = token if token in _KEPT else _said(token, value, known, language)
        if found is None:
            return ""
        value = Decimal(2) if token in units.DUALS else value
        dual = language == "ar" and found != _said(token, Decimal(1), known, language)
        if dual and said[-1:] == ["2"]:
            said.pop()  # it says so itself
        said.append(found)
    holds = value is not None or dates.named(text)
    return _joined(said, language) if holds else ""


def _known(language: Language) -> dict[str, str]:
    """Return what phrases of the other language are in this one, folded, words joined by "_"."""
    own, other = _COLUMN[language], 1 - _COLUMN[language]
    return {
        fold(pair[other]).replace(" ", "_"): pair[own] for pair in reversed(_PHRASES) if pair[other]
    }


def _prepared(text: str) -> str:
    """Return a text folded, its numbers in digits, and phrases of several words as one."""
    folded = _HOUR.sub(lambda hour: _HOURS[hour[1]] + _PAST.get(hour[2], ""), fold(text))
    for number in sorted(number_words.spelled(folded), key=lambda n: -n.start):
        if not dates.is_within_name(folded, number.start, number.end):
            folded = f"{folded[: number.start]}{number.value:,f}{folded[number.end :]}"
    folded = _DAY.sub(lambda day: day[1] + day[2] if dates.name(day[2], "ar") else day[0], folded)
    folded = _HALF_OF_DAY.sub(r"\1.m.", folded)
    folded = _DECIMAL_COMMA.sub(r"\1.\2", _SYMBOL_FIRST.sub(r"\2 \1", folded))
    for phrase in (fold(each) for pair in _PHRASES for each in pair if " " in each):
        folded = re.sub(rf"\b{phrase}\b", phrase.replace(" ", "_"), folded)
    return dates.joined(folded)


def _value(token: str) -> Decimal:
    digits = token.replace(",", "")
    return Decimal(digits) if re.fullmatch(r"\d+(\.\d+)?", digits) else Decimal(0)


def _said(
    token: str, value: Decimal | None, known: dict[str, str], language: Language
) -> str | None:
    """Return what a word or a sign is in a language; None where no table has it."""
    for prefix in _PREFIXES:
        stem = token.removeprefix(prefix)
        if not token.startswith(prefix) or (prefix and stem == token):
            continue
        article = "ال" + stem if prefix.endswith("ال") else stem
        found = known.get(article) if article in known else known.get(stem)
        for part in (article, stem):
            found = dates.name(part, language) if found is None else found
        found = _unit(stem, value, language) if found is None else found
        if found is not None:
            joins = prefix[:1] == "و" and language == "en"
            return f"and {found}".strip() if joins else found
    return None


def _unit(stem: str, value: Decimal | None, language: Language) -> str | None:
    if stem in units.DUALS:
        dual = units.name(units.DUALS[stem], Decimal(2), language)
        return dual if language == "ar" else f"2 {dual}"
    if stem not in units.UNITS or value is None:
        return None
    unit = units.UNITS[stem]
    return "%" if unit == "percent" else units.name(unit, value, language)


def _joined(said: list[str], language: Language) -> str:
    text = " ".join(filter(None, said))
    text = re.sub(r"\s+([,;:%)])", r"\1", re.sub(r"\(\s+", "(", text))
    text = re.sub(r"\s*([-/])\s*", r"\1", text)
    return re.sub(r"\bو (?=\S)", "و", text).replace(", ", "، ") if language == "ar" else text
