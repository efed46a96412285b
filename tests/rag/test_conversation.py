from __future__ import annotations

import pytest

from rag import conversation
from rag.conversation import Turn

HISTORY = [
    Turn("user", "What is Meta?"),
    Turn("assistant", "A company."),
    Turn("user", "Who led the round?"),
    Turn("assistant", "SoftBank."),
]


@pytest.mark.parametrize(
    "question",
    [
        "And how much was it in all of the last year?",
        "What about Google?",
        "When did they announce the funding round officially?",
        "وماذا عن غوغل؟",
        "ومتى أعلنت الشركة إتمام الجولة رسميا؟",
        "كم بلغت قيمتها بعد إتمام الجولة الأخيرة؟",
    ],
)
def test_what_leans_on_the_past_is_read_with_it(question):
    asked = conversation.resolve(question, HISTORY, 4)
    assert asked.standalone == f"Who led the round? SoftBank. {question}"
    assert asked.question == question
    assert asked.context == "Who led the round?\nSoftBank."


@pytest.mark.parametrize(
    "question",
    [
        "How many employees does Microsoft have in Europe?",
        "كم عدد موظفي شركة مايكروسوفت في أوروبا حاليا؟",
    ],
)
def test_what_stands_alone_is_left_alone(question):
    assert conversation.resolve(question, HISTORY, 4).standalone == question


@pytest.mark.parametrize(
    ("answer", "before"),
    [
        ("SoftBank led the round. [1]", "SoftBank led the round."),
        ("SoftBank led [1] the round. [2] [3]", "SoftBank led the round."),
        ("SoftBank.", "Who led the round? SoftBank."),
        ("The documents don't say.", "Who led the round?"),
        (
            "لا تذكر الوثائق جوابًا عن هذا السؤال. أقرب ما ورد فيها: سوفت بنك. [1]",
            "Who led the round?",
        ),
        ("word " * 99 + "word.", " ".join(["word"] * 40)),
        ("130 days after notice [1]", "Who led the round? 130 days after notice"),
        ("The answer stands in this sentence, which is in Arabic: [1]", "Who led the round?"),
    ],
)
def test_a_follow_up_is_read_with_the_answer_that_it_follows(answer, before):
    history = [Turn("user", "Who led the round?"), Turn("assistant", answer)]
    asked = conversation.resolve("And how much was it?", history, 4)
    assert asked.standalone == f"{before} And how much was it?"


def test_a_question_that_was_not_answered_is_read_too():
    asked = conversation.resolve("And it?", [Turn("user", "Who led the round?")], 4)
    assert asked.standalone == "Who led the round? And it?"


def test_the_past_is_bounded():
    assert conversation.resolve("And it?", HISTORY, 0) == conversation.Asked(
        "And it?", "And it?", "", ("And it?",)
    )
    assert conversation.resolve("And it?", HISTORY, 1).context == "SoftBank."
