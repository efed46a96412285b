from __future__ import annotations

import pytest

from rag import parts


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "ما التقييم المستهدف، وكم بلغ بعد الجولة؟",
            ["ما التقييم المستهدف", "كم بلغ بعد الجولة؟"],
        ),
        ("متى بدأ المشروع وكم دورة أجرى؟", ["متى بدأ المشروع", "كم دورة أجرى؟"]),
        (
            "When was it begun, and how many runs has it had?",
            ["When was it begun", "how many runs has it had?"],
        ),
        ("Who are they? What did they say?", ["Who are they", "What did they say?"]),
        (
            "How many are planned, and at what cost to them?",
            ["How many are planned", "at what cost to them?"],
        ),
    ],
)
def test_each_part_of_a_question(question, expected):
    assert parts.split(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "من هو ألتمان؟",
        "ما الفرق بين سورا وفيو من حيث الدقة والطول؟",
        "ماذا قال وزير المالية ومن؟",
        "Who founded Rock and Roll and when?",
        "How do Sora and Veo compare?",
        "Explain it to me; I have no idea about it. Why so?",
        "What is a, and what is b; and who is c of them; and why is d so?",
    ],
)
def test_a_question_that_is_one_stays_whole(question):
    assert parts.split(question) == [question]
