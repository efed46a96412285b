"""Lists in answers: which are quoted whole, and in which order."""

from __future__ import annotations

import pytest

from rag import lists
from rag.documents import Document, parse
from rag.retrieval import Found, of_unit
from rag.sentences import Unit


class Held:
    """A document and its units, as an index holds them."""

    def __init__(self, text: str, name: str = "a.txt") -> None:
        self.document: Document = parse(name, text.encode())
        self.all = [unit for block in self.document.units for unit in block]

    def text(self, doc: str) -> str:
        return self.document.text

    def units(self, doc: str, start: int, end: int) -> list[Unit]:
        return self.all

    def found(self, beginning: str, score: float = 0.5) -> Found:
        text = self.document.text
        unit = next(unit for unit in self.all if text.startswith(beginning, unit.start))
        return of_unit(unit, self.document.id, text[unit.start : unit.end], score)


NUMBERED = "It has two aims:\n  1. Speed: it is fast.\n  2. Cost: it is cheap.\n\nNobody objects."


def said(text: str, chosen: list[str], likely: list[str]) -> list[str]:
    held = Held(text)
    best, likelier = [[held.found(each) for each in some] for some in (chosen, likely)]
    found = lists.with_items(best, likelier, held)
    for each in found:
        assert held.document.text[each.start : each.end] == each.text
    return [each.text for each in found]


def test_a_list_whose_items_are_likely_is_said_whole_after_what_announces_it():
    assert said(NUMBERED, ["2. Cost"], ["2. Cost", "1. Speed"]) == [
        "It has two aims:",
        "1. Speed: it is fast.",
        "2. Cost: it is cheap.",
    ]


def test_an_item_that_alone_is_likely_is_said_alone():
    assert said(NUMBERED, ["2. Cost"], ["2. Cost"]) == ["2. Cost: it is cheap."]
    assert said(NUMBERED, ["Nobody"], ["Nobody", "1. Speed"]) == ["Nobody objects."]


def test_steps_stand_in_the_documents_order():
    steps = "Before.\n\n" + "\n".join(f"{n}. Turn screw {n} to the left." for n in range(1, 7))
    assert said(steps, ["5.", "2.", "4."], ["5.", "2.", "4."]) == [
        "2. Turn screw 2 to the left.",
        "4. Turn screw 4 to the left.",
        "5. Turn screw 5 to the left.",
    ]


def test_a_heading_announces_a_list_and_is_not_said():
    text = "# Kit\n\n## What to bring\n\n* a lamp\n* a rope\n\n1. Go up.\n2. Come down.\n"
    held = Held(text, "a.md")
    chosen = [held.found("a lamp"), held.found("a rope")]
    assert chosen[0].lead == "What to bring"
    assert [f.text for f in lists.with_items(chosen, chosen, held)] == ["a lamp", "a rope"]


@pytest.mark.parametrize(
    ("items", "quoted"),
    [
        (["• A cat.", "• A dog."], ["A cat.", "A dog."]),
        (["- A cat.", "- A dog."], ["A cat.", "A dog."]),
        (["أولاً، غادر المدير.", "ثانيًا، غادر العالم."], None),
        (["(1) A cat.", "(2) A dog."], None),
        (["١. قطة.", "٢. كلب."], None),
        (["First, a cat came.", "Second, a dog came."], None),
    ],
)
def test_what_marks_an_item(items, quoted):
    quoted = quoted or items
    text = "This is so:\n" + "\n".join(items)
    assert said(text, [quoted[0]], quoted) == ["This is so:", *quoted]


def test_of_an_item_with_more_to_it_the_first_sentence_is_taken():
    text = (
        "Two left:\nFirst, the director left. He was old. Second, a scientist left.\nThat was all."
    )
    assert said(text, ["First"], ["First", "Second"]) == [
        "Two left:",
        "First, the director left.",
        "Second, a scientist left.",
    ]


def test_a_long_list_is_not_poured_out():
    text = "It is so:\n" + "\n".join(f"{n}. A cat came." for n in range(1, 20))
    items = [f"{n}. A cat" for n in range(1, 7)]
    assert len(said(text, items[:1], items)) == 1 + 6


def asked(question: str, text: str, beginning: str) -> list[str]:
    held = Held(text)
    return [f.text for f in lists.asked_for(question, [held.found(beginning)], held)]


THREE = (
    "Before it all.\nThree things show it:\nFirst, a cat came. It was grey. Second, a dog came."
    " Third, a cow came.\nThen nothing."
)


@pytest.mark.parametrize("beginning", ["First", "Second", "Third"])
def test_who_asks_for_three_gets_a_list_of_three(beginning):
    assert asked("Which three things show it?", THREE, beginning) == [
        "Three things show it:",
        "First, a cat came.",
        "Second, a dog came.",
        "Third, a cow came.",
    ]


@pytest.mark.parametrize("question", ["Which four things show it?", "What shows it?"])
def test_another_number_gets_no_list_of_three(question):
    assert asked(question, THREE, "First") == []


def test_a_sentence_outside_of_it_brings_no_list():
    assert asked("Which three things show it?", THREE, "Before") == []
    assert asked("Which three things show it?", THREE, "Then") == []


@pytest.mark.parametrize(
    "question",
    ["ما النقاط الثلاث؟", "اذكر ثلاثة أسباب", "ما هي الثَّلاثة؟", "the THREE reasons"],
)
def test_numbers_are_told_in_either_language(question):
    text = "It is so.\n" + "\n".join(f"{n}. A cat came." for n in (1, 2, 3))
    assert asked(question, text, "2.") == ["1. A cat came.", "2. A cat came.", "3. A cat came."]
