from __future__ import annotations

import pytest

from rag import conversation, sayings
from rag.conversation import Asked, Turn

HISTORY = [
    Turn("user", "What is Meta?"),
    Turn("assistant", "A company."),
    Turn("user", "Who led the round?"),
    Turn("assistant", "SoftBank."),
]


def test_a_question_comes_with_the_exchange_before_it():
    asked = conversation.resolve("And how much was it?", HISTORY, 4)
    assert asked == Asked(
        question="And how much was it?",
        standalone="Who led the round? SoftBank. And how much was it?",
        last="Who led the round?",
        context="Who led the round?\nSoftBank.",
        parts=("And how much was it?",),
    )


def test_alone_it_comes_with_nothing():
    asked = conversation.resolve("And how much was it?", HISTORY, 4).alone()
    assert (asked.standalone, asked.context) == ("And how much was it?", "")
    assert asked.read("how much was it?") == "how much was it?"


def test_the_reader_reads_it_or_a_part_of_it_after_the_last_question_alone():
    asked = conversation.resolve("And how much was it, and when?", HISTORY, 4)
    assert asked.read(asked.question) == "Who led the round? And how much was it, and when?"
    assert asked.read("And how much was it?") == "Who led the round? And how much was it?"


@pytest.mark.parametrize(
    ("answer", "before"),
    [
        ("SoftBank led the round. [1]", "Who led the round? SoftBank led the round."),
        ("SoftBank led [1] the round. [2]", "Who led the round? SoftBank led the round."),
        ("SoftBank.", "Who led the round? SoftBank."),
        ("The documents don't say.", "Who led the round?"),
        (
            "لا تذكر الوثائق جوابًا عن هذا السؤال. أقرب ما ورد فيها: سوفت بنك. [1]",
            "Who led the round?",
        ),
        ("word " * 99, " ".join(["Who led the round?", *["word"] * 40])),
        ("130 days after notice [1]", "Who led the round? 130 days after notice"),
        ("The answer stands in this sentence, which is in Arabic: [1]", "Who led the round?"),
    ],
)
def test_a_follow_up_is_read_with_the_question_and_the_answer_before_it(answer, before):
    history = [Turn("user", "Who led the round?"), Turn("assistant", answer)]
    asked = conversation.resolve("And how much was it?", history, 4)
    assert asked.standalone == f"{before} And how much was it?"


def test_a_question_that_was_not_answered_is_read_too():
    asked = conversation.resolve("And it?", [Turn("user", "Who led the round?")], 4)
    assert asked.standalone == "Who led the round? And it?"


@pytest.mark.parametrize("language", ["ar", "en"])
def test_thanks_and_greetings_are_passed_over(language):
    polite = [
        ("thank you", sayings.welcome(language)),
        ("hello", sayings.greeting(language, ["a [1]"])),
        ("who are you", sayings.about(language, [])),
        ("which documents", sayings.documents(language, ["a", "b"], 2)),
    ]
    turns = [t for said, answer in polite for t in (Turn("user", said), Turn("assistant", answer))]
    asked = conversation.resolve("And it?", [*HISTORY, *turns], 12)
    assert asked.context == "Who led the round?\nSoftBank."
    assert conversation.resolve("And it?", turns, 12).context == ""


def test_the_past_is_bounded():
    assert conversation.resolve("And it?", HISTORY, 0) == Asked(
        "And it?", "And it?", "", "", ("And it?",)
    )
    assert conversation.resolve("And it?", HISTORY, 1).context == ""
    assert conversation.resolve("And it?", HISTORY, 2).context == "Who led the round?\nSoftBank."
