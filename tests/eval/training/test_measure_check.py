"""Short answers across languages, as they are checked."""

from __future__ import annotations

import pytest

from eval.training.measure_check import RIGHT, cases
from eval.training.written_passages import Passage

pytestmark = pytest.mark.slow

PASSAGE = Passage(
    id="yard-9",
    language="en",
    title="The yard",
    said={
        "en": ["The yard opens at 7.", "Its crane lifts 40 tons.", "Dogs stay out."],
        "ar": ["يفتح الفناء في السابعة.", "ترفع رافعته 40 طنًا.", "لا تدخل الكلاب."],
    },
    questions=[
        {
            "ar": "كم ترفع الرافعة؟",
            "en": "How much does the crane lift?",
            "uses": [2],
            "answer": {"ar": ["40 طنًا"], "en": ["40 tons"]},
            "wrong": {
                "ar": [{"kind": "unit", "text": "40 كيلوغرامًا"}],
                "en": [{"kind": "invented", "text": "a red crane"}],
            },
        },
        {
            "ar": "من يملك الفناء؟", "en": "Who owns the yard?", "uses": [],
            "answer": None, "wrong": {"ar": [], "en": []},
        },
    ],
)  # fmt: skip


def test_right_and_wrong_answers_stand_beside_the_words_they_are_made_of() -> None:
    right, wrong = cases([PASSAGE], "ar")
    assert (right.kind, right.answer, right.quote) == (RIGHT, "40 طنًا", ("40 tons",))
    assert (wrong.kind, wrong.answer, wrong.quote) == ("unit", "40 كيلوغرامًا", ("40 tons",))
    assert right.sentences[right.used[0] - 1] == "Its crane lifts 40 tons."
    assert right.question == "كم ترفع الرافعة؟"


def test_what_is_invented_stands_beside_any_words_of_the_sentence() -> None:
    _, wrong = cases([PASSAGE], "en")
    assert wrong.kind == "invented"
    assert all(run in "ترفع رافعته 40 طنًا" for run in wrong.quote)
