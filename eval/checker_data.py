"""Claims that hold and claims that don't, for the checker: ``train_checker.py``.

The right ones are answers and translations that people wrote (eval/training/answers, and pairs of
sentences). The wrong ones are those people wrote beside them, and right ones of which one thing is
changed: a figure, a unit, a word, a negation, a clause; an answer to another question; and a right
answer beside sentences that don't hold it.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from rag.checking import WORD, Claim
from rag.language import Language, Span, fold

HELD_OUT = 9  # every ninth passage, by its number
_TRANSLATIONS = 0.2  # share of claims without a question
_OWN_PAIRS = 0.4  # of them, from the passages' own translations
_RIGHT = 0.5
_ACROSS = 0.7  # share of claims whose source is in the other language
_MARKED_ALONE = 0.2  # share of right answers that are left out, for the marks to be found without
_MAX_CHARS = 260
_MIN_WORD = 4
_MIN_MARKED = 0.6  # of an answer's words that must stand in the source to mark them

_DIGITS = re.compile(r"[0-9٠-٩]+(?:[.,:٫٬][0-9٠-٩]+)*")
_CLAUSE = re.compile(r"(?<=[،,;؛:])\s")
_WESTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")
_EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
# What is taken for one another: currencies, lengths of time, measures, bounds, months, days.
_ALIKE: dict[Language, tuple[tuple[str, ...], ...]] = {
    "en": tuple(
        tuple(words.split("|"))
        for words in (
            "dirhams|dinars|riyals|pounds|dollars|euros|liras",
            "minutes|hours|days|weeks|months|years|seconds",
            "kilometres|metres|centimetres|miles|kilograms|grams|litres|millilitres|milligrams",
            "percent|degrees|points", "million|thousand|billion", "before|after",
            "at least|at most", "more than|less than",
            "January|February|March|April|May|June|July|August|September|October|November|December",
            "Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday",
        )
    ),
    "ar": tuple(
        tuple(words.split("|"))
        for words in (
            "درهم|دينار|ريال|جنيه|دولار|يورو|ليرة", "درهماً|ديناراً|ريالاً|جنيهاً|دولاراً",
            "دراهم|دنانير|ريالات|جنيهات|دولارات", "دقيقة|ساعة|يوم|أسبوع|شهر|سنة|ثانية",
            "دقائق|ساعات|أيام|أسابيع|أشهر|سنوات|ثوان", "يوماً|شهراً|أسبوعاً|عاماً",
            "كيلومتر|متر|سنتيمتر|ميل|كيلوغرام|غرام|لتر", "مليون|ألف|مليار", "قبل|بعد",
            "على الأقل|على الأكثر", "أكثر من|أقل من",
            "يناير|فبراير|مارس|أبريل|مايو|يونيو|يوليو|أغسطس|سبتمبر|أكتوبر|نوفمبر|ديسمبر",
            "الأحد|الاثنين|الثلاثاء|الأربعاء|الخميس|الجمعة|السبت",
        )
    ),
}  # fmt: skip
_NEGATED: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        (" not ", " "), (" don't ", " "), (" is ", " is not "), (" are ", " are not "),
        (" may ", " may not "), (" must ", " must not "), (" can ", " cannot "),
        (" without ", " with "), (" with ", " without "), (" was ", " was not "),
    ),
    "ar": (
        (" لا ", " "), (" لم ", " "), (" غير ", " "), (" دون ", " مع "), (" بدون ", " مع "),
        (" يجب ", " لا يجب "), (" يجوز ", " لا يجوز "), (" يمكن ", " لا يمكن "),
        (" تم ", " لم يتم "),
    ),
}  # fmt: skip
_YES_NO = {"Yes": "No", "No": "Yes", "نعم": "لا", "لا": "نعم"}
_YES_OR_NO = re.compile(rf"^({'|'.join(_YES_NO)})(?!\w)")
_EMPTY = frozenset(
    "the a an of in on to for and or is are was were be it its at by with from as that this yes no"
    " not نعم لا في من علي الي عن ان او و هو هي هذا هذه التي الذي لم ما".split()
)


@dataclass(frozen=True)
class Labelled:
    """A claim and whether it holds.

    :ivar kind: ``right``, or what is wrong with it.
    :ivar languages: Of the answer and of its source: ``en←ar``.
    :ivar marks: Of a right claim, the source's words that carry the answer; empty if unknown.
    """

    claim: Claim
    right: bool
    kind: str
    languages: str
    marks: tuple[Span, ...] = ()


def read_passages(folder: Path) -> tuple[list[Any], list[Any]]:
    """Return the passages to train on, and those that are held out."""
    files = sorted(folder.glob("*.jsonl"))
    passages = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    held = [p for p in passages if int(re.sub(r"\D", "", p["id"])) % HELD_OUT == 0]
    return [p for p in passages if p not in held], held


class Claims:
    """Draws labelled claims.

    :param pairs: Sentences that say the same, by language.
    """

    def __init__(self, passages: Sequence[Any], pairs: Sequence[Mapping[str, str]]) -> None:
        self._questions = [(p, q) for p in passages for q in p["questions"]]
        self._pairs = pairs
        self._own = [
            {p["language"]: sentence, _other(p["language"]): translation}
            for p in passages
            for sentence, translation in zip(p["sentences"], p["translations"], strict=True)
        ]
        said = list(chain(self._own, pairs))
        self._words = {lang: _long_words(pair[lang] for pair in said) for lang in ("ar", "en")}

    def draw(self, rng: random.Random) -> Labelled:
        """Return one more."""
        while True:
            if rng.random() < _TRANSLATIONS:
                drawn = self._translation(rng)
            else:
                drawn = self._answer(*rng.choice(self._questions), rng)
            if drawn:
                return drawn

    def _answer(self, passage: Any, question: Any, rng: random.Random) -> Labelled | None:
        lang: Language = rng.choice(("ar", "en"))
        source: Language = _other(lang) if rng.random() < _ACROSS else lang
        right = (question["answer"] or {}).get(lang, [])
        text = _source(passage, question["uses"], source, rng)
        languages = f"{lang}←{source}"
        if right and rng.random() < _RIGHT:
            places = marks(text, question["answer"][source])
            said = "" if places and rng.random() < _MARKED_ALONE else rng.choice(right)
            return Labelled(Claim(question[lang], said, text), True, "right", languages, places)
        kinds = ["written"] * 5
        if right:
            kinds += (
                "neighbour lack lack number number unit unit negation word word word other repeats"
            ).split()
        kind = rng.choice(kinds)
        said = rng.choice(right) if right else ""
        if kind == "neighbour":
            others = [q for q in passage["questions"] if q is not question and q["answer"]]
            other = rng.choice(others) if others else question
            said = rng.choice(other["answer"][lang])
            uses = sorted({*question["uses"], *other["uses"]})
            text = _source(passage, uses, source, rng, beside=0)
        elif kind == "lack":
            without = rng.choice(question["uses"])
            beside = rng.choice((1, 2))
            text = _source(passage, question["uses"], source, rng, beside=beside, without=without)
            return Labelled(Claim(question[lang], said, text), False, kind, languages)
        elif kind == "other":
            other = rng.choice(self._questions)[1]
            said = rng.choice(other["answer"][lang]) if other["answer"] else ""
        elif kind == "repeats":
            said = question[lang].rstrip("?؟")
        elif kind == "written":
            wrong = rng.choice(question["wrong"][lang])
            kind, said = wrong["kind"], wrong["text"]
        else:
            said = self.changed(said, kind, lang, rng)
        if not said or said in right:
            return None
        return Labelled(Claim(question[lang], said, text), False, kind, languages)

    def _translation(self, rng: random.Random) -> Labelled | None:
        pair = rng.choice(self._own if rng.random() < _OWN_PAIRS else self._pairs)
        lang: Language = rng.choice(("ar", "en"))
        said, source = pair[lang], pair[_other(lang)]
        if len(said) > _MAX_CHARS:
            return None
        if rng.random() < _RIGHT:
            return Labelled(Claim("", said, source), True, "right", f"{lang}←{_other(lang)}")
        kind = rng.choice("word word word number unit negation dropped other".split())
        wrong = rng.choice(self._pairs)[lang] if kind == "other" else ""
        wrong = wrong or self.changed(said, kind, lang, rng)
        if not wrong or wrong == said or len(wrong) > _MAX_CHARS:
            return None
        return Labelled(Claim("", wrong, source), False, kind, f"{lang}←{_other(lang)}")

    def changed(self, said: str, kind: str, lang: Language, rng: random.Random) -> str:
        """Return a right answer made wrong in one place; "" where there is none of this kind."""
        if kind == "number":
            return _other_number(said, rng)
        if kind == "unit":
            return _other_unit(said, lang, rng)
        if kind == "negation":
            return _negated(said, lang, rng)
        if kind == "dropped":
            clauses = _CLAUSE.split(said)
            del clauses[rng.randrange(len(clauses))]
            return " ".join(clauses)
        return self._other_word(said, lang, rng)

    def _other_word(self, said: str, lang: Language, rng: random.Random) -> str:
        words = said.split(" ")
        places = [n for n, word in enumerate(words) if _is_long(word)]
        if not places:
            return ""
        at = rng.choice(places)
        word = words[at]
        likest = max(
            (rng.choice(self._words[lang]) for _ in range(12)),
            key=lambda other: (
                (other.strip(".,،").lower() != word.strip(".,،").lower())
                * (10 + _likeness(word, other))
            ),
        )
        return " ".join([*words[:at], likest, *words[at + 1 :]])


def held_out(passages: Sequence[Any], rng: random.Random) -> list[Labelled]:
    """Return every written answer of passages, right or wrong, over sources in both languages."""
    found = []
    for passage, question in ((p, q) for p in passages for q in p["questions"]):
        for lang, source in (("ar", "ar"), ("ar", "en"), ("en", "ar"), ("en", "en")):
            languages, asked, uses = f"{lang}←{source}", question[lang], question["uses"]
            right = (question["answer"] or {}).get(lang, [])
            labelled = [(said, True, "right") for said in right]
            unanswerable = "" if right else " (no answer)"
            labelled += [
                (wrong["text"], False, wrong["kind"] + unanswerable)
                for wrong in question["wrong"][lang]
            ]
            for said, holds, kind in labelled:
                claim = Claim(asked, said, _source(passage, uses, source, rng))
                found.append(Labelled(claim, holds, kind, languages))
            if right and uses:
                text = _source(passage, uses, source, rng, beside=2, without=uses[0])
                found.append(Labelled(Claim(asked, right[0], text), False, "lack", languages))
    return found


def marks(source: str, answers: Sequence[str]) -> tuple[Span, ...]:
    """Return the words of a source that say one of some answers in the same language.

    They are the shortest run of words that holds all of the answer's that stand there at all.
    """
    words = [(Span(*match.span()), _stem(match[0])) for match in WORD.finditer(source)]
    there = {stem for _, stem in words}
    best: tuple[float, tuple[Span, ...]] = (0.0, ())
    for answer in answers:
        said = WORD.findall(answer)
        wanted = [_stem(word) for word in said if fold(word) not in _EMPTY]
        held = {stem for stem in wanted if stem in there}
        if not wanted or sum(stem in held for stem in wanted) < _MIN_MARKED * len(wanted):
            continue
        first, last = min(_runs([stem for _, stem in words], held), key=lambda run: run[1] - run[0])
        run = words[first : last + 1]
        if len(run) > 2 * len(said) + 1:
            run = [(span, stem) for span, stem in run if stem in held]
        share = sum(stem in held for stem in wanted) / len(wanted) - 0.01 * (last - first + 1)
        best = max(best, (share, tuple(span for span, _ in run)))
    return best[1]


def _runs(stems: Sequence[str], held: set[str]) -> list[tuple[int, int]]:
    """Return for each place the first and last word of the shortest run from it that holds all."""
    found = []
    for first in range(len(stems)):
        left = set(held)
        for last in range(first, len(stems)):
            left.discard(stems[last])
            if not left:
                found.append((first, last))
                break
    return found


def _source(
    passage: Any,
    uses: Sequence[int],
    lang: str,
    rng: random.Random,
    *,
    beside: int | None = None,
    without: int | None = None,
) -> str:
    """Return the sentences that an answer needs, with up to two others, in their order.

    :param beside: How many others; None leaves it to chance.
    :param without: One that may not be among them.
    """
    needed = {use - 1 for use in uses} - {(without or 0) - 1}
    others = [
        n for n in range(len(passage["sentences"])) if n not in needed and n != (without or 0) - 1
    ]
    count = rng.choice((0, 0, 1, 2)) if beside is None else beside
    count = min(max(count, not needed), len(others))
    sentences = passage["sentences" if lang == passage["language"] else "translations"]
    return " ".join(sentences[n] for n in sorted({*needed, *rng.sample(others, count)}))


def _other_number(said: str, rng: random.Random) -> str:
    found = list(_DIGITS.finditer(said))
    if not found:
        return ""
    match = rng.choice(found)
    digits = match[0].translate(_WESTERN)
    at = rng.choice([n for n, digit in enumerate(digits) if digit.isdigit()])
    choice = rng.random()
    if choice < 0.6:
        other = rng.choice([d for d in "0123456789"[not at :] if d != digits[at]])
        digits = digits[:at] + other + digits[at + 1 :]
    elif choice < 0.8 or len(digits) == 1:
        digits += rng.choice("0123456789")
    else:
        digits = digits[1:]
    if match[0][0] in "٠١٢٣٤٥٦٧٨٩":
        digits = digits.translate(_EASTERN)
    return said[: match.start()] + digits + said[match.end() :]


def _other_unit(said: str, lang: Language, rng: random.Random) -> str:
    there = [
        (words, pattern, word)
        for words in _ALIKE[lang]
        for word in words
        if (pattern := re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")).search(said)
    ]
    if not there:
        return ""
    words, pattern, word = rng.choice(there)
    return pattern.sub(rng.choice([other for other in words if other != word]), said, count=1)


def _negated(said: str, lang: Language, rng: random.Random) -> str:
    if _YES_OR_NO.match(said) and rng.random() < 0.6:
        return _YES_OR_NO.sub(lambda match: _YES_NO[match[1]], said)
    there = [pair for pair in _NEGATED[lang] if pair[0] in said]
    return said.replace(*rng.choice(there), 1) if there else ""


def _long_words(sentences: Iterable[str]) -> list[str]:
    return [word for sentence in sentences for word in sentence.split(" ") if _is_long(word)]


def _is_long(word: str) -> bool:
    return len(word) >= _MIN_WORD and not _DIGITS.search(word)


def _likeness(word: str, other: str) -> float:
    """Return how much the shapes of two words are alike: a fair replacement is not told by it."""
    ends = (word[:2] == other[:2]) + (word[-2:] == other[-2:])
    return (
        ends + 2 * (word[:1].isupper() == other[:1].isupper()) - 0.3 * abs(len(word) - len(other))
    )


def _stem(word: str) -> str:
    return fold(word).removeprefix("ال")[:5]


def _other(lang: str) -> Language:
    return "en" if lang == "ar" else "ar"
