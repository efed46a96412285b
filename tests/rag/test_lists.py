from __future__ import annotations

import pytest

from rag import lists
from rag.language import split_sentences
from rag.retrieval import Found


def found(text: str, n: int) -> Found:
    start, end = split_sentences(text)[n]
    return Found("a.txt", start, end, text[start:end], 0.5, "en")


def said(text: str, *chosen: int) -> list[str]:
    return [f.text for f in lists.with_items([found(text, n) for n in chosen], lambda _: text)]


NUMBERED = "It has two aims:\n  1. Speed: it is fast.\n  2. Cost: it is cheap.\n\nNobody objects."


def test_items_follow_what_announces_them():
    assert said(NUMBERED, 0) == [
        "It has two aims:",
        "1. Speed: it is fast.",
        "2. Cost: it is cheap.",
    ]
    for each in lists.with_items([found(NUMBERED, 0)], lambda _: NUMBERED):
        assert NUMBERED[each.start : each.end] == each.text


def test_other_sentences_stay_alone():
    assert said(NUMBERED, 1) == ["1. Speed: it is fast."]
    assert said("He said: no. Two aims:", 0) == ["He said: no."]
    assert said("It has two aims:\nNobody objects.", 0) == ["It has two aims:"]
    assert said("It has two aims:", 0) == ["It has two aims:"]


def test_an_item_that_was_chosen_too_is_said_once():
    assert said(NUMBERED, 0, 2) == said(NUMBERED, 0)


@pytest.mark.parametrize(
    "items",
    [
        ["• A cat.", "• A dog."],
        ["- A cat.", "- A dog."],
        ["أولاً، غادر المدير.", "ثانيًا، غادر العالم.", "ثالثًا: غادر آخر."],
        ["(1) A cat.", "(2) A dog."],
        ["١. قطة.", "٢. كلب."],
        ["First, a cat came.", "Second, a dog came."],
    ],
)
def test_what_marks_an_item(items):
    assert said("This is so:\n" + "\n".join(items), 0) == ["This is so:", *items]


def test_of_an_item_with_more_to_it_the_first_sentence_is_taken():
    text = (
        "Two left:\nFirst, the director left. He was old. Second, a scientist left.\nThat was all."
    )
    assert said(text, 0) == ["Two left:", "First, the director left.", "Second, a scientist left."]


def test_a_long_list_is_not_poured_out():
    text = "It is so:\n" + "\n".join(f"{n}. A cat came." for n in range(1, 20))
    assert len(said(text, 0)) == 1 + 6


def asked(question: str, text: str, n: int) -> list[str]:
    return [f.text for f in lists.asked_for(question, [found(text, n)], lambda _: text)]


THREE = (
    "Before it all.\nThree things show it:\nFirst, a cat came. It was grey. Second, a dog came."
    " Third, a cow came.\nThen nothing."
)


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_who_asks_for_three_gets_a_list_of_three(n):
    assert asked("Which three things show it?", THREE, n) == [
        "Three things show it:",
        "First, a cat came.",
        "Second, a dog came.",
        "Third, a cow came.",
    ]


@pytest.mark.parametrize("question", ["Which four things show it?", "What shows it?"])
def test_another_number_gets_no_list_of_three(question):
    assert asked(question, THREE, 1) == []


def test_a_sentence_outside_of_it_brings_no_list():
    assert asked("Which three things show it?", THREE, 0) == []
    assert asked("Which three things show it?", THREE, 6) == []


@pytest.mark.parametrize(
    "question",
    ["ما النقاط الثلاث؟", "اذكر ثلاثة أسباب", "ما هي الثَّلاثة؟", "the THREE reasons"],
)
def test_numbers_are_told_in_either_language(question):
    text = "It is so.\n" + "\n".join(f"{n}. A cat came." for n in (1, 2, 3))
    assert asked(question, text, 1) == ["1. A cat came.", "2. A cat came.", "3. A cat came."]


def test_what_announces_a_list_by_no_colon_is_left_out():
    text = "A cat came.\n1. One.\n2. Two.\n3. Three."
    assert asked("Which three?", text, 0) == ["1. One.", "2. Two.", "3. Three."]
    for each in lists.asked_for("Which three?", [found(text, 0)], lambda _: text):
        assert text[each.start : each.end] == each.text


def test_a_list_far_into_a_document_is_found():
    text = "A cat came. " * 2_000 + "\n" + THREE
    n = next(n for n, (a, z) in enumerate(split_sentences(text)) if text[a:z].startswith("Second"))
    assert len(asked("Which three things show it?", text, n)) == 4
