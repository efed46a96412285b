"""What a sentence says alike in every language, put into Latin script before it is translated.

A small LLM garbles names, months, large numbers and lengths of time on their way from Arabic into
English, and copies them well. The names come from what is at hand in Latin script: the question and
the evidence itself, where a document often writes a name in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from rag import lexical, quantities
from rag.language import fold

_LATIN_NAME = re.compile(r"\b[A-Z][A-Za-z]{2,}\b")
_ARABIC_WORD = re.compile("[\u0621-\u0652\u0670-\u06d3]+")
_COUNTED = re.compile(r"(\d[\d.,٫٬]*)\s+([\u0621-\u06d3]+)")
_SCALES = {10**3: "thousand", 10**6: "million", 10**9: "billion", 10**12: "trillion"}
# «كانون الأول (ديسمبر)» names one month twice.
_TWO_NAMES = re.compile(r"(?:كانون|تشرين) (?:الأول|الثاني) \((\w+)\)")
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_PREFIXES = ("", "وال", "بال", "لل", "ال", "و", "ب", "ل", "ف", "ك")
_MIN_STEM = 3  # letters that a prefix must leave
# Letters as both scripts would spell them, for how much of two spellings is the same.
_ROMAN = dict(
    zip(
        "ابتثجحخدذرزسشصضطظعغفقكلمنهويءة",
        "a b t th j h kh d th r z s sh s d t z a gh f k k l m n h u i a a".split(),
        strict=True,
    )
)
_SPELLINGS = (
    ("ck", "k"), ("ph", "f"), ("oo", "u"), ("ee", "i"), ("c(?!h)", "k"), ("g(?!h)", "j"),
    ("w", "u"), ("y", "i"), ("v", "f"), ("p", "b"), ("o", "u"), ("e", "i"), ("q", "k"), ("x", "ks"),
)  # fmt: skip
# Altman and ألتمان share all, Musk and ماسك .75; Imagen and يمكن .6, of the same consonants.
_ALIKE = 0.7


def names(texts: Iterable[str]) -> list[str]:
    """Return the names in Latin script that texts hold, each once."""
    found: dict[str, str] = {}
    for text in texts:
        for name in _LATIN_NAME.findall(text):
            found.setdefault(name.lower(), name)
    return list(found.values())


def in_latin(sentence: str, known: Iterable[str]) -> str:
    """Return an Arabic sentence with its months, numbers and known names in Latin script.

    :param known: Names in Latin script that it may hold in Arabic; others stay as they are.
    """
    sentence = _TWO_NAMES.sub(r"\1", sentence)
    sentence = _COUNTED.sub(_counted, sentence)
    sounds = {name: sound for name in known if (sound := lexical.sounds(name))}
    return _ARABIC_WORD.sub(lambda match: _word(match[0], sounds), sentence)


def _counted(match: re.Match[str]) -> str:
    number, word = match.groups()
    if scale := quantities.scale(word):
        return f"{number} {_SCALES[scale]}"
    return _time(number, word) or match[0]


def _time(number: str, word: str) -> str:
    """Return a length of time in English; "" when the word is no unit of it."""
    unit = quantities.time_unit(word)
    return f"{number} {unit}{'' if number == '1' else 's'}" if unit else ""


def _word(word: str, known: dict[str, str]) -> str:
    """Return a word in Latin script, where it can be said what it is; with its prefix apart."""
    folded = fold(word)
    if folded in quantities.DUALS:
        noun = quantities.DUALS[folded]
        return _time("2", noun) or f"2 {noun}"
    months = quantities.months(word)
    if len(months) == 1:
        return _MONTHS[next(iter(months)) - 1]
    for prefix in _PREFIXES:
        stem = folded.removeprefix(prefix)
        if not folded.startswith(prefix) or len(stem) < _MIN_STEM:
            continue
        sounds = lexical.sounds(stem)
        alike = [(_alike(stem, name), name) for name, heard in known.items() if heard == sounds]
        likeness, name = max(alike, default=(0.0, ""))
        if likeness >= _ALIKE:
            kept = "" if prefix in ("", "ال") else f"{word[: len(prefix)]} "
            return kept + name
    return word


def _alike(arabic: str, latin: str) -> float:
    """Return how much of two spellings is the same, 0 to 1."""
    spelled = "".join(_ROMAN.get(letter, "") for letter in fold(arabic))
    name = latin.lower()
    for written, sound in _SPELLINGS:
        name = re.sub(written, sound, name)
    name = re.sub(r"(.)\1+", r"\1", name)
    return SequenceMatcher(None, re.sub(r"(.)\1+", r"\1", spelled), name).ratio()
