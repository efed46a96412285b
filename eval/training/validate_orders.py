"""Checks the sentences that orders are learnt from, and the sets that they are tested on.

::

    orders.jsonl                    sentences that address a machine, some with slots to fill
    plain.jsonl                     sentences that sound alike and are answered from
    ../injections/looking.jsonl     cases to look at while the software is changed
    ../injections/reporting.jsonl   cases to report on, looked at by nobody
    ../injections/plain-*.jsonl     as plain.jsonl, with documents beside them

Run from the repository's root: ``python -m eval.training.validate_orders``. It prints the counts,
then every mistake, and ends with 1 if there is one.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eval.sets import read_injections, read_questions
from rag.language import clean, fold

TRAINING = Path(__file__).parent
SETS = TRAINING.parent / "injections"
SLOTS = ("question", "topic", "wrong")
HALVES = ("looking", "reporting")
_SLOT = re.compile(r"\{(?:question|topic|wrong)\}")
_MARKUP = re.compile(r"https?://\S+|<\|\w+\|>|[\w.]+@[\w.]+")


def main() -> int:
    """Check everything; return the exit code."""
    orders, plain = _lines(TRAINING / "orders.jsonl"), _lines(TRAINING / "plain.jsonl")
    mistakes = [*_orders(orders), *_plain(plain)]
    trained = {item["id"]: item["order"] for item in orders}
    trained |= {item["id"]: item["sentence"] for item in plain}
    mistakes += _repeated([item["id"] for item in orders + plain], trained)
    pools: dict[str, dict[str, str]] = {"training": trained}
    for half in HALVES:
        pools[half], found = _half(half)
        mistakes += found
    names = list(pools)
    for n, one in enumerate(names):
        for other in names[n + 1 :]:
            mistakes += _overlaps(pools[one], pools[other])
    own = read_injections(TRAINING.parent / "injections.jsonl")
    for pool in pools.values():
        mistakes += _overlaps(pool, {case.id: case.order for case in own})
    for mistake in mistakes:
        print(mistake)  # noqa: T201
    return bool(mistakes)


def _orders(items: list[dict[str, Any]]) -> Iterator[str]:
    languages = Counter(item["language"] for item in items)
    topical = sum(bool(_SLOT.search(item["order"])) for item in items)
    kinds = Counter(item["kind"] for item in items)
    _say(f"orders: {len(items)}, {dict(languages)}, with slots {topical}, {dict(kinds)}")
    if len(items) < 500 or topical < 200:
        yield f"orders: {len(items)} of 500, of them {topical} of 200 with slots"
    yield from _halved("orders", languages)
    for item in items:
        if set(item) != {"id", "language", "order", "kind"} or not item["order"].strip():
            yield f"{item['id']}: keys or an empty order"
        words = re.findall(r"\{([a-z]+)\}", item["order"])
        yield from (f"{item['id']}: the slot {w!r} is none" for w in words if w not in SLOTS)
        yield from _script(item["id"], item["order"], item["language"], mixed=True)


def _plain(items: list[dict[str, Any]]) -> Iterator[str]:
    languages = Counter(item["language"] for item in items)
    _say(f"plain: {len(items)}, {dict(languages)}")
    if len(items) < 300:
        yield f"plain: {len(items)} of 300"
    yield from _halved("plain", languages)
    for item in items:
        if set(item) != {"id", "language", "sentence", "question", "answer"}:
            yield f"{item['id']}: keys"
        yield from _script(item["id"], item["sentence"], item["language"], mixed=True)
        for language in ("ar", "en"):
            yield from _script(item["id"], item["question"][language], language)
            if not item["answer"][language].strip():
                yield f"{item['id']}: no answer in {language!r}"


def _half(half: str) -> tuple[dict[str, str], list[str]]:
    """Return a half's texts and its mistakes.

    What would make one case prove nothing is refused as the sets are read.
    """
    cases = read_injections(SETS / f"{half}.jsonl")
    questions = read_questions(SETS / f"plain-{half}.jsonl")
    languages = Counter[str](case.language for case in cases)
    _say(f"{half}: {len(cases)}, {dict(languages)}, {dict(Counter(c.kind for c in cases))}")
    asked = Counter[str](question.language for question in questions)
    _say(f"plain-{half}: {len(questions)}, {dict(asked)}")
    mistakes = [*_halved(half, languages), *_halved(f"plain-{half}", asked)]
    if len(cases) != 40 or len(questions) != 12:
        mistakes.append(f"{half}: {len(cases)} of 40 cases, {len(questions)} of 12 plain ones")
    texts: dict[str, str] = {}
    for case in cases:
        texts[f"{case.id} question"] = case.question
        texts[f"{case.id} order"] = case.order
        texts |= {f"{half} {name}": text for name, text in case.documents.items()}
    for question in questions:
        texts[f"{question.id} question"] = question.question
        for name in question.source:
            text = texts[f"{half} {name}"] = (SETS / f"plain-{half}" / name).read_text("utf-8")
            if not any(clean(span) in clean(text) for span in question.gold_spans):
                mistakes.append(f"{question.id}: its span stands in no document")
    ids = [case.id for case in cases] + [question.id for question in questions]
    orders = {case.id: case.order for case in cases}
    return texts, [*mistakes, *_repeated(ids, orders)]


def _halved(name: str, languages: Mapping[str, int]) -> Iterator[str]:
    if abs(languages["ar"] - languages["en"]) > sum(languages.values()) / 20:
        yield f"{name}: the languages are uneven, {dict(languages)}"


def _script(id_: str, text: str, language: str, *, mixed: bool = False) -> Iterator[str]:
    """Yield a mistake if a text is in the other script; if mixed, a fifth of its own will do."""
    bare = _MARKUP.sub(" ", _SLOT.sub(" ", text))
    arabic, latin = len(re.findall(r"[ء-ي]", bare)), len(re.findall(r"[A-Za-z]", bare))
    if not arabic + latin:
        yield f"{id_}: {text!r} has no letters"
        return
    own = (arabic if language == "ar" else latin) / (arabic + latin)
    if own < (0.2 if mixed else 0.5):
        yield f"{id_}: {text!r} is not in {language!r}"


def _repeated(ids: list[str], texts: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{id_}: the id stands twice" for id_, n in Counter(ids).items() if n > 1)
    first: dict[str, str] = {}
    for id_, text in texts.items():
        before = first.setdefault(" ".join(_words(text)), id_)
        if before != id_:
            yield f"{id_}: as {before}"


def _overlaps(one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[str]:
    """Yield the texts of two pools that have six words in a row in common."""
    runs = {run: id_ for id_, text in one.items() for run in _runs(text)}
    for id_, text in other.items():
        for run in _runs(text):
            if run in runs:
                yield f"{id_} and {runs[run]}: {' '.join(run)!r}"
                break


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = _words(text)
    return (tuple(words[n : n + 6]) for n in range(len(words) - 5))


def _words(text: str) -> list[str]:
    # A slot stays a word of its own, so that two orders which differ in it alone are not the same.
    return re.findall(r"\w+", fold(text))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def _say(text: str) -> None:
    print(text)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
