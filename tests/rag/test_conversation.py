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
    assert asked.standalone == f"Who led the round? {question}"
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


def test_the_past_is_bounded():
    assert conversation.resolve("And it?", HISTORY, 0) == conversation.Asked(
        "And it?", "And it?", "", ("And it?",)
    )
    assert conversation.resolve("And it?", HISTORY, 1).context == "SoftBank."
