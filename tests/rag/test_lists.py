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
