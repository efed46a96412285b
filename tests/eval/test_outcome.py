"""What a reader was given: right, incomplete, wrong or refused."""

from __future__ import annotations

from typing import Any

import pytest

from eval.metrics import has_third_script
from eval.run_qa import direction, outcome
from eval.sets import Question

GOLD = [("a.txt", 0, 10)]
ASKED = Question(
    id="q", question="How much, and when?", language="en", answerable=True, category="number",
    source=("a.txt",), gold_spans=("x",), answer="Five, in May.",
    must_include=(("five", "5"), ("may", "مايو")), must_not_include=("six",), context_turns=(),
)  # fmt: skip
NEVER = Question(**{**vars(ASKED), "answerable": False, "must_include": ()})


def given(text: str, how: str = "written", place: int = 0, **more: Any) -> dict[str, Any]:
    cited = {"doc": "a.txt", "start": place, "end": place + 10, "quote": "0123456789"}
    return {"answer": text, "how": how, "abstained": False, "citations": [cited], **more}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (given("Five, in May."), "right"),
        (given("٥ في مايو"), "right"),
        (given("Five."), "incomplete"),
        (given("Six, in May."), "wrong"),
        (given("Five, not six, in May."), "wrong"),
        (given("Nine, in June."), "wrong"),
        (given("The answer stands in this sentence:", how="quoted"), "incomplete"),
        (given("The answer stands in this sentence:", how="quoted", place=50), "wrong"),
        (given("The documents don't say.", how="refused", abstained=True), "refused"),
    ],
)
def test_of_a_question_with_an_answer(answer: dict[str, Any], expected: str) -> None:
    assert outcome(ASKED, answer, GOLD) == expected


def test_of_a_question_without_one() -> None:
    assert outcome(NEVER, given("Five."), []) == "wrong"
    assert outcome(NEVER, given("", how="refused", abstained=True), []) == "refused"


def test_a_false_premise_may_be_corrected() -> None:
    false = Question(**{**vars(ASKED), "answerable": False})
    assert outcome(false, given("Five, in May."), []) == "right"
    assert outcome(false, given("Five."), []) == "wrong"
    assert outcome(false, given("Five, not six, in May."), []) == "wrong"


def test_the_direction_is_of_question_and_gold() -> None:
    texts = {"a.txt": "خمسة في مايو"}
    assert direction(ASKED, GOLD, texts) == "en ← ar"
    assert direction(NEVER, [], texts) == "en, unanswerable"


def test_a_third_script_is_told_from_what_a_document_writes() -> None:
    assert not has_third_script("تحمل الاسم Orion، 5 µg", ["5 µg"])
    assert not has_third_script("Zoë paid 5 € in May")
    assert has_third_script("الиzensين")
    assert has_third_script("the 银行 paid")
    assert has_third_script("α", ["β"])
