from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import pytest

from rag import prompts
from rag.config import Settings
from rag.engine import Engine
from rag.errors import GenerationError, QuestionError
from rag.retrieval import Found
from rag.sentences import Unit
from rag.translating import Translator
from tests.doubles import JudgingLLM

TEXT = "كلف الجسر 70 مليون درهم."
SENTENCE = Found("a.txt", 0, len(TEXT), TEXT, 1.0, "ar")
SAID = "The bridge cost 70 million dirhams."


def model(*replies: object, yes: float = 0.9) -> JudgingLLM:
    return JudgingLLM(replies=deque(replies), yes=yes)


def test_what_holds_is_shown():
    llm = model(SAID)
    assert Translator(llm, Settings()).translation(SENTENCE) == SAID
    assert llm.prompts[0][-1].content == f"1. {TEXT}\n\nTranslate sentence 1 into English."
    assert [m.content for m in llm.judged[0][-2:]] == [SAID, prompts.CHECK]


@pytest.mark.parametrize(
    "said",
    ["The bridge cost 80 million dirhams.", "The bridge cost 70 million dinars.", "كلف", "."],
)
def test_what_can_not_hold_is_not(said):
    assert Translator(model(said), Settings()).translation(SENTENCE) == ""


def test_what_the_llm_does_not_find_right_is_not():
    assert Translator(model(SAID, yes=0.4), Settings()).translation(SENTENCE) == ""


def text_of(doc: str) -> str:
    return f"{TEXT} ثم فتح." if doc == "a.txt" else ""


def units_of(doc: str, start: int, end: int) -> list[Unit]:
    return [Unit(0, 25), Unit(26, 33)] if doc == "a.txt" else []


DOCUMENTS = SimpleNamespace(storage=SimpleNamespace(text=text_of, units=units_of))


def engine(*replies: object) -> Engine:
    return Engine(Settings(), DOCUMENTS, model(*replies))


def test_a_sentence_of_a_document_is_translated():
    assert engine("The bridge cost 70 million").translation("a.txt", 0, 20).startswith("The bridge")
    assert Engine(Settings(), DOCUMENTS, None).translation("a.txt", 0, 20) == ""


@pytest.mark.parametrize("place", [("b.txt", 0, 5), ("a.txt", 0, 40), ("a.txt", 9, 3)])
def test_nothing_else_is(place):
    with pytest.raises(QuestionError, match="a sentence of a document"):
        engine("x").translation(*place)


def test_a_failing_llm_is_said():
    with pytest.raises(GenerationError):
        engine(GenerationError("it broke")).translation("a.txt", 0, 20)
