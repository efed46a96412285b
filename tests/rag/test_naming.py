"""Sentences that say alike of several things: the one that a question names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.naming import as_named
from rag.retrieval import Found

LAKE = Found("sites.txt", 20, 50, "A pitch costs 14 euros a night.", 0.5, "en", lead="Lake site")
FOREST = Found("sites.txt", 70, 99, "A pitch costs 11 euros.", 0.25, "en", lead="Forest site")
DOGS = Found("sites.txt", 99, 120, "Dogs are welcome.", 0.125, "en", lead="Lake site")


def scores(found: list[Found], question: str, **headings: str) -> list[float]:
    return [each.score for each in as_named(found, headings, question)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What does a pitch cost at the forest site?", [0.0, 0.75, 0.125]),
        ("What does a pitch cost by the lake?", [0.75, 0.0, 0.125]),
        ("What does a pitch cost at the lake and in the forest?", [0.5, 0.25, 0.125]),
        ("What does a pitch cost?", [0.5, 0.25, 0.125]),
        ("كم سعر المكان في الغابة؟", [0.5, 0.25, 0.125]),
    ],
    ids=["one", "the other", "both", "neither", "another language"],
)
def test_what_stands_under_a_heading_that_is_asked_for_has_the_others_probability(
    question, expected
):
    assert scores([LAKE, FOREST, DOGS], question) == expected


def test_of_two_years_the_one_in_the_title_counts_and_not_the_one_that_is_mentioned():
    old = Found("a.txt", 0, 20, "سعر الاشتراك السنوي 300 ريال.", 0.25, "ar")
    new = Found("b.txt", 0, 50, "سعر الاشتراك السنوي 420 ريالا، لا كما في 2022.", 0.5, "ar")
    titles = {"a.txt": "أسعار 2022", "b.txt": "أسعار 2024"}
    named = as_named([new, old], titles, "كم كان الاشتراك في 2022؟")
    assert [found.score for found in named] == [0.0, 0.75]


def test_a_row_is_named_by_its_cells():
    rows = [
        Found("t.csv", n, n + 1, "-", 0.25, "ar", said=f"الفرع: {branch}؛ الموظفون: {staff}")
        for n, (branch, staff) in enumerate([("مكة", 27), ("حائل", 7), ("تبوك", 9)])
    ]
    assert scores(rows, "كم موظفا في فرع حائل؟") == [0.0, 0.75, 0.0]
    assert scores(rows, "كم موظفا في الفرع؟") == [0.25, 0.25, 0.25]


def test_probability_goes_to_what_is_most_alike():
    night = replace(FOREST, text="A night in a hut costs 30 euros.", score=0.0, start=200)
    assert scores([LAKE, night, FOREST], "What is a pitch in the forest?") == [0.0, 0.0, 0.75]


def test_a_row_says_nothing_alike_with_a_sentence():
    row = Found("t.md", 0, 9, "-", 0.25, "en", said="Item: Load; Model A: 1; Model B: 2")
    note = Found("t.md", 20, 60, "Item load of model A is 3.", 0.5, "en")
    assert scores([row, note], "What is the load of model B?") == [0.25, 0.5]


def test_what_repeats_the_question_and_answers_nothing_takes_nothing():
    true = Found("a.txt", 0, 40, "The mill pressed 120 tonnes of oil.", 0.8, "en")
    bait = Found(
        "b.txt", 0, 60, "Who asks how many tonnes of oil the mill pressed is told none.", 0.01, "en"
    )
    titles = {"a.txt": "A good year", "b.txt": "The mill of Carob Valley"}
    named = as_named([true, bait], titles, "How much did the mill of Carob Valley press?")
    assert [found.score for found in named] == [0.8, 0.01]
